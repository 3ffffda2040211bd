// Servers that scripts talk to as clients: Redis, memcached, clamd, spamd and rspamd, from unpacked packages, each with a
// configuration of its own in a scratch folder and a port of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  freePort,
  type Peer,
  peerEnvironment,
  peerFile,
  peerProgram,
  stopChild,
  untilListening,
} from './peers.js';

/** What the scanners here take for a virus, in a message's body. */
export const TEST_VIRUS = 'argonite-test-virus';
/** What they take for spam, in its subject. */
export const TEST_SPAM = 'argonite-spam';

async function start(port: number, command: string, args: readonly string[]): Promise<Peer> {
  const child: ChildProcess = spawn(command, args, { env: peerEnvironment(), stdio: 'ignore' });
  try {
    await untilListening(port, child);
  } catch (error) {
    await stopChild(child);
    throw error;
  }
  return { port, pid: child.pid!, stop: () => stopChild(child) };
}

/** Redis without persistence; with `password` clients have to log in. */
export async function startRedis(folder: string, password?: string): Promise<Peer> {
  const port = await freePort();
  const login = password === undefined ? [] : ['--requirepass', password];
  return start(port, peerProgram('redis-server'), [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
    ...['--save', '', '--appendonly', 'no', ...login],
  ]);
}

/** memcached. */
export async function startMemcached(): Promise<Peer> {
  const port = await freePort();
  return start(port, peerProgram('memcached'), [
    ...['-p', String(port), '-l', '127.0.0.1', '-U', '0', '-u', 'nobody', '-m', '8', '-t', '1'],
  ]);
}

/** clamd with one signature, for TEST_VIRUS; also on the UNIX socket `clamd.sock` in the folder. */
export async function startClamd(folder: string): Promise<Peer> {
  const port = await freePort();
  const database = path.join(folder, 'signatures');
  mkdirSync(database);
  writeFileSync(
    path.join(database, 'test.ndb'),
    `Argonite.Test:0:*:${Buffer.from(TEST_VIRUS).toString('hex')}\n`,
  );
  const configuration = path.join(folder, 'clamd.conf');
  writeFileSync(
    configuration,
    [
      'Foreground yes',
      `DatabaseDirectory ${database}`,
      `TCPSocket ${port}`,
      'TCPAddr 127.0.0.1',
      `LocalSocket ${path.join(folder, 'clamd.sock')}`,
      'StreamMaxLength 1M',
      '',
    ].join('\n'),
  );
  return start(port, peerProgram('clamd'), ['-c', configuration]);
}

/** spamd with two rules: ARGONITE_TEST (10 points, TEST_SPAM) and ARGONITE_MILD (1.5, `mild` in the subject). */
export async function startSpamd(folder: string): Promise<Peer> {
  const port = await freePort();
  chmodSync(folder, 0o755);
  writeFileSync(path.join(folder, 'init.pre'), 'loadplugin Mail::SpamAssassin::Plugin::Check\n');
  writeFileSync(
    path.join(folder, 'test.cf'),
    [
      'required_score 5.0',
      'clear_report_template',
      'report _SUMMARY_',
      `header ARGONITE_TEST Subject =~ /${TEST_SPAM}/`,
      'describe ARGONITE_TEST The subject of a test',
      'score ARGONITE_TEST 10.0',
      'header ARGONITE_MILD Subject =~ /mild/',
      'describe ARGONITE_MILD Half as bad',
      'score ARGONITE_MILD 1.5',
      'header ARGONITE_PATH exists:Return-Path',
      'describe ARGONITE_PATH Says who sent it',
      'score ARGONITE_PATH 0.1',
      '',
    ].join('\n'),
  );
  // It checks its input (-T), so its libraries come as arguments, not by the environment.
  const libraries = ['usr/share/perl5', 'usr/lib/x86_64-linux-gnu/perl5/5.36', 'usr/share/perl/5.36'];
  return start(port, 'perl', [
    '-T',
    ...libraries.map((place) => `-I${peerFile(place)}`),
    peerProgram('spamd'),
    ...['--nouser-config', '-x', '-L', '-C', folder, `--siteconfigpath=${folder}`],
    ...['-i', '127.0.0.1', '-A', '127.0.0.1', '-p', String(port), '-m', '1', '-u', 'nobody'],
    ...['-s', 'null', `--pidfile=${path.join(folder, 'pid')}`],
  ]);
}

/** rspamd with one rule, ARGONITE_TEST (20 points, TEST_SPAM); messages are learnt with the password `sekrit`. */
export async function startRspamd(folder: string): Promise<Peer & { readonly controllerPort: number }> {
  const port = await freePort();
  const controllerPort = await freePort();
  chmodSync(folder, 0o777);
  const place = (name: string) => path.join(folder, name);
  writeFileSync(place('tlds'), 'com\ntest\n');
  writeFileSync(
    place('rules.lua'),
    `rspamd_config.ARGONITE_TEST = { score = 20.0, description = 'test', callback = function(task)
       local subject = task:get_subject()
       if subject and subject:find('argonite%-spam') then return true, task:get_helo() or 'no helo' end
       return false
     end }\n`,
  );
  writeFileSync(
    place('rspamd.conf'),
    `options { filters = ""; tempdir = "${folder}"; hs_cache_dir = "${folder}"; cores_dir = "${folder}";
       history_file = "${place('history')}"; pidfile = "${place('pid')}"; url_tld = "${place('tlds')}";
       dns { nameserver = ["127.0.0.1:1"]; timeout = 1s; retransmits = 1; } }
     logging { type = "console"; level = "error"; }
     metric { name = "default"; actions { reject = 15; add_header = 6; greylist = 4; } }
     worker "normal" { bind_socket = "127.0.0.1:${port}"; count = 1; }
     worker "controller" { bind_socket = "127.0.0.1:${controllerPort}"; count = 1; password = "sekrit"; secure_ip = []; }
     lang_detection { languages = "${peerFile('usr/share/rspamd/languages')}"; }
     lua = "${place('rules.lua')}";\n`,
  );
  const shared = peerFile('usr/share/rspamd');
  const variables = [
    `LUALIBDIR=${shared}/lualib`,
    `SHAREDIR=${shared}`,
    `PLUGINSDIR=${shared}/plugins`,
    ...['CONFDIR', 'DBDIR', 'RUNDIR', 'LOGDIR'].map((name) => `${name}=${folder}`),
  ];
  const peer = await start(port, peerProgram('rspamd'), [
    ...['-f', '-i', '-u', 'nobody', '-g', 'nogroup', '-c', place('rspamd.conf')],
    ...variables.map((one) => `--var=${one}`),
  ]);
  return { ...peer, controllerPort };
}
