// A whole Postfix, unpacked and private: its own configuration, queue and ports, all below one scratch folder and on
// loopback only. It relays whatever it gets to one next hop.

import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  freePort,
  type Peer,
  peerEnvironment,
  peerProgram,
  runProgram,
  stopChild,
  untilListening,
} from './peers.js';

/** Owner and group of its queue: accounts every Debian has, different from each other's users. */
const mailOwner = 'uucp';
const setgidGroup = 'games';

async function idOf(kind: 'passwd' | 'group', name: string): Promise<number> {
  const line = readFileSync(`/etc/${kind}`, 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`there is no ${kind} entry "${name}"; Postfix's queue needs it`);
  return Number(line.split(':')[2]);
}

export interface PostfixPeer extends Peer {
  readonly folder: string;
  /** What it logged so far. */
  log(): string;
}

/** Starts a Postfix that hands its mail to `127.0.0.1:nextHopPort`. Needs root. */
export async function startPostfix(
  nextHopPort: number,
  extraSettings: Readonly<Record<string, string>> = {},
): Promise<PostfixPeer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-postfix-'));
  chmodSync(folder, 0o755);
  const [spool, data, etc, logs] = ['spool', 'data', 'etc', 'log'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
    string,
  ];
  const owner = await idOf('passwd', mailOwner);
  const group = await idOf('group', setgidGroup);
  for (const made of [spool, data, etc, logs]) mkdirSync(made);
  for (const name of 'active bounce corrupt defer deferred flush hold incoming private saved trace'.split(
    ' ',
  )) {
    mkdirSync(path.join(spool, name), { mode: 0o700 });
    chownSync(path.join(spool, name), owner, 0);
  }
  for (const [name, mode] of [
    ['public', 0o710],
    ['maildrop', 0o730],
  ] as const) {
    mkdirSync(path.join(spool, name));
    chmodSync(path.join(spool, name), mode);
    chownSync(path.join(spool, name), owner, group);
  }
  mkdirSync(path.join(spool, 'pid'));
  chownSync(data, owner, 0);

  const port = await freePort();
  const programs = path.dirname(peerProgram('master'));
  const unpacked = programs.slice(0, -'/usr/lib/postfix/sbin'.length);
  const logFile = path.join(logs, 'postfix.log');
  const settings = {
    compatibility_level: '3.6',
    queue_directory: spool,
    data_directory: data,
    command_directory: path.join(unpacked, 'usr/sbin'),
    daemon_directory: programs,
    mail_owner: mailOwner,
    setgid_group: setgidGroup,
    default_privs: 'nobody',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    myhostname: 'postfix.test',
    mydestination: '',
    mynetworks: '127.0.0.0/8',
    relayhost: `[127.0.0.1]:${nextHopPort}`,
    smtp_dns_support_level: 'disabled',
    alias_maps: '',
    alias_database: '',
    default_process_limit: '150',
    maillog_file: logFile,
    maillog_file_prefixes: logs,
    import_environment: `LD_LIBRARY_PATH=${peerEnvironment()['LD_LIBRARY_PATH']} MAIL_CONFIG TZ`,
    ...extraSettings,
  };
  writeFileSync(
    path.join(etc, 'main.cf'),
    Object.entries(settings)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join(''),
  );
  const template = readFileSync(path.join(unpacked, 'usr/share/postfix/master.cf.dist'), 'utf8');
  const services = template.split('\n').map((line) => {
    const columns = line.split(/\s+/);
    if (!/^[a-z]/.test(line) || columns.length < 8) return line;
    if (columns[0] === 'smtp' && columns[1] === 'inet') columns[0] = `127.0.0.1:${port}`;
    if (columns[4] === 'y') columns[4] = 'n';
    return columns.join(' ');
  });
  writeFileSync(path.join(etc, 'master.cf'), services.join('\n'));

  const child = spawn(peerProgram('master'), ['-c', etc, '-d'], {
    env: peerEnvironment(),
    stdio: 'ignore',
  });
  const log = () => {
    try {
      return readFileSync(logFile, 'utf8');
    } catch {
      return '';
    }
  };
  await untilListening(port, child).catch((error: Error) => {
    throw new Error(`Postfix did not start: ${error.message}\n${log()}`);
  });
  return {
    port,
    pid: child.pid!,
    folder,
    log,
    async stop() {
      await stopChild(child);
      // Its children end with it, a moment later; what is left of them is told to go.
      await runProgram('pkill', ['-f', folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
