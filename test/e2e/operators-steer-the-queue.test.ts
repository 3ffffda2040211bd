// The command line and a running daemon, as an operator has them: look, change, move to another node, follow.

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { CountingSink } from '../support/counting-sink.js';
import { Daemon, type DaemonConfig } from '../support/daemon.js';
import { root, runProgram, stopChild } from '../support/peers.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { TestClient } from '../support/smtp-client.js';

const launch = path.join(root, 'src/cli/launch.cjs');

const config: DaemonConfig = {
  environment: { controlsocket: { path: 'ctl' } },
  hooks: {
    eod: `foreach ($transaction["recipients"] as $r)
      $arguments["mail"]->queue($transaction["senderaddress"], $r["address"], $r["transportid"],
        ["hold" => $r["address"]["localpart"] != "go", "jobid" => $r["address"]["localpart"], "quotas" => ["all"]]);
      Accept();`,
    connect: 'Accept(["reason" => "blue"]);',
  },
};

let mta: Daemon;

function argonite(args: readonly string[], daemon = mta) {
  return runProgram(process.execPath, [launch, ...args, '-s', path.join(daemon.folder, 'ctl')], {
    env: { ...process.env, TZ: 'UTC' },
  });
}

/** The same without saying where the daemon is. */
function bare(...args: readonly string[]) {
  return runProgram(process.execPath, [launch, ...args]);
}

/** What a program wrote, which comes as bytes. */
const asText = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');

async function send(localPart: string, subject = 'hello', daemon = mta): Promise<void> {
  const { client } = await TestClient.connect(daemon.port);
  for (const line of ['EHLO c', 'MAIL FROM:<joanna@x.test>', `RCPT TO:<${localPart}@y.test>`, 'DATA'])
    await client.command(line);
  expect((await client.command(`Subject: ${subject}\r\n\r\ntext\r\n.`)).code).toBe(250);
  client.destroy();
}

/** Ids of the messages of a job. */
async function idsOf(job: string, daemon = mta): Promise<string[]> {
  const { stdout } = await argonite(['queue', 'list', '--json', '--jobid', job], daemon);
  const { items } = JSON.parse(stdout) as { items: { id: { transaction: string; queue: number } }[] };
  return items.map(({ id }) => `${id.transaction}:${id.queue}`);
}

beforeAll(async () => {
  mta = await Daemon.start(config);
});
afterAll(() => mta.dispose());

test('a list has exactly the columns that were asked for', async () => {
  await send('columns');
  const { code, stdout } = await argonite([
    'queue',
    'list',
    '--jobid',
    'columns',
    '-F',
    'id',
    '-F',
    'retrycount',
  ]);
  expect(code).toBe(0);
  const [id] = await idsOf('columns');
  const bar = '─'.repeat(id!.length + 2);
  expect(Buffer.from(stdout, 'latin1').toString('utf8')).toBe(
    [
      `┌${bar}┬────────────┐`,
      `│ ${'ID'.padEnd(id!.length)} │ RETRYCOUNT │`,
      `├${bar}┼────────────┤`,
      `│ ${id} │          0 │`,
      `└${bar}┴────────────┘`,
      '',
    ].join('\n'),
  );
});

test('request and answer are two documents of JSON', async () => {
  const { stdout } = await argonite(['queue', 'list', '--age', '>3600', '--json-request', '--json']);
  const documents = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(documents).toEqual([{ conditions: { ages: [{ op: 'GT', value: 3600 }] } }, { items: [] }]);
});

test('an update without a condition wants --all, and one that is refused ends with 1', async () => {
  const bare = await argonite(['queue', 'update', '--bounce']);
  expect([bare.code, bare.stderr]).toEqual([64, expect.stringContaining('--all')]);
  const refused = await argonite(['queue', 'update', '--all', '--transportid-set', 'none']);
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining('there is no transport "none"'),
  ]);
});

test('what contradicts itself is told in the words that were typed, before anybody is asked', async () => {
  const update = (...options: string[]) => bare('queue', 'update', '--all', '-s', '/none/ctl', ...options);
  for (const [options, complaint] of [
    [['--hold', '--active'], 'found --hold and --active; expected one of them'],
    [['--delay', '60', '--until', '2100-01-01'], 'found --delay and --until; expected one of them'],
    [['--bounce', '--jobid-set', 'j'], 'found --bounce with an option that sets something'],
    [[], 'there is nothing to do'],
  ] as const) {
    const { code, stderr } = await update(...options);
    expect([code, stderr]).toEqual([64, expect.stringContaining(complaint)]);
  }
});

test('the request is printed where no daemon is running, too', async () => {
  for (const [words, request] of [
    ['queue update --all --hold', { hold: true }],
    ['hsl memory fetch k', { key: 'k' }],
    ['log --grep word', { contains: ['word'] }],
    ['stats', {}],
  ] as const) {
    const { code, stdout, stderr } = await bare(...words.split(' '), '--json-request', '-s', '/none/ctl');
    expect([words, code, JSON.parse(stdout)]).toEqual([words, 69, request]);
    expect(stderr).toContain('/none/ctl: there is no such socket');
  }
});

test('a reader that has enough ends a list quietly; a full disk does not', async () => {
  const list = [launch, 'queue', 'list', '--json', '-s', path.join(mta.folder, 'ctl')];
  const inShell = (script: string) =>
    runProgram('bash', ['-c', script, 'bash', process.execPath, ...list], { env: process.env });
  expect(await inShell('set -o pipefail; "$@" | true')).toEqual({ code: 0, stdout: '', stderr: '' });
  const full = await inShell('"$@" > /dev/full');
  expect([full.code, full.stderr]).toEqual([1, expect.stringContaining('cannot be written: ENOSPC')]);
});

test('a daemon that is not there is told with the path of its socket', async () => {
  const { code, stderr } = await runProgram(process.execPath, [launch, 'stats', '-s', '/none/ctl']);
  expect([code, stderr]).toEqual([69, expect.stringContaining('/none/ctl: there is no such socket')]);
});

test('held mail is explained, shown, changed and deleted', async () => {
  await send('held', '\x1b[2Jbad');
  const [id] = await idsOf('held');
  const explained = await argonite(['queue', 'explain', id!]);
  expect(explained.stdout).toContain('It is on hold');
  expect(explained.stdout).toContain('Earliest: nobody can say');
  const shown = await argonite(['queue', 'show', id!]);
  expect(shown.stdout).toContain('Subject: \\x1b[2Jbad');
  expect(shown.stdout).not.toContain('\x1b');
  const raw = await argonite(['queue', 'show', id!, '--raw']);
  expect(raw.stdout).toMatch(/^Received: .*\r\nSubject: \x1b\[2Jbad\r\n\r\ntext\r\n$/s);
  const quota = await argonite(['queue', 'quota', 'all', '--json']);
  expect((JSON.parse(quota.stdout) as { quotas: { count: number }[] }).quotas[0]!.count).toBeGreaterThan(0);
  const changed = await argonite(['queue', 'update', '--jobid', 'held', '--metadata-set', 'a=1']);
  expect(changed.stdout).toBe('1 affected\n');
  const deleted = await argonite(['queue', 'update', '--metadata', 'a=1', '--delete', 'not wanted']);
  expect(deleted.stdout).toBe('1 affected\n');
  expect((await argonite(['queue', 'show', id!])).code).toBe(1);
});

test('what predelivery has put on hold is tried as soon as it is released (queue-and-config 1.6, 4)', async () => {
  const sink = await CountingSink.start();
  const quarantine = await Daemon.start({
    environment: { controlsocket: { path: 'ctl' } },
    nextHopPort: sink.port,
    hooks: {
      predelivery: `if (GetMetaData()["seen"] == "yes") Try();
        SetMetaData(["seen" => "yes"]);
        Queue(["hold" => true, "reason" => "quarantine"]);`,
    },
  });
  onTestFinished(async () => {
    await quarantine.dispose();
    await sink.stop();
  });
  await send('b', 'hello', quarantine);
  const held = async () => {
    const { stdout } = await argonite(['queue', 'list', '--json', '--state', 'HOLD'], quarantine);
    return (JSON.parse(stdout) as { items: { reason: string }[] }).items.map(({ reason }) => reason);
  };
  await expect.poll(held).toEqual(['quarantine']);
  expect(sink.connections.total).toBe(0);
  const released = await argonite(['queue', 'update', '--state', 'HOLD', '--active'], quarantine);
  expect(released.stdout).toBe('1 affected\n');
  await sink.waitFor(1);
});

test('messages move to another node by files, and are taken in once', async () => {
  const other = await Daemon.start(config);
  onTestFinished(() => other.dispose());
  for (let i = 0; i < 3; i++) await send('moving');
  const before = await idsOf('moving');
  const folder = scratchFolder();
  const unloaded = await argonite(['queue', 'unload', '--jobid', 'moving', folder]);
  expect([unloaded.code, unloaded.stdout]).toEqual([0, '3 affected\n']);
  expect(await idsOf('moving')).toEqual([]);
  const files = readdirSync(folder).map((name) => path.join(folder, name));
  expect((await argonite(['queue', 'load', ...files], other)).code).toBe(0);
  expect((await idsOf('moving', other)).sort()).toEqual(before.sort());
  const again = await argonite(['queue', 'load', files[0]!], other);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('in the queue already')]);
  await other.stop('SIGKILL');
  const restarted = await Daemon.startIn(other.folder);
  onTestFinished(() => restarted.dispose());
  expect((await idsOf('moving', restarted)).sort()).toEqual(before.sort());
});

test('statistics are a line for each, and OpenMetrics ends with # EOF', async () => {
  const plain = await argonite(['process-stats']);
  expect(plain.stdout).toContain(`process.pid: ${mta.pid}\n`);
  expect(plain.stdout).toMatch(/^queue\.queues\.hold: \d+$/m);
  const metrics = await argonite(['stats', '--openmetrics']);
  expect(metrics.stdout).toMatch(/^argonite_servers_messages_accepted_total\{server="in"\} \d+$/m);
  expect(metrics.stdout.endsWith('# EOF\n')).toBe(true);
});

test('a configuration is reloaded, or refused with its place', async () => {
  const hook = path.join(mta.folder, 'hooks/connect/main.hsl');
  const good = readFileSync(hook, 'utf8');
  writeFileSync(hook, 'Accept(;');
  const refused = await argonite(['config', 'reload']);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/main\.hsl:1:\d+/)]);
  writeFileSync(hook, good);
  expect((await argonite(['config', 'reload'])).code).toBe(0);
});

test('a staged configuration is started, asked about and ended', async () => {
  const file = path.join(scratchFolder(), 'staged.yaml');
  const app = JSON.parse(readFileSync(path.join(mta.folder, 'smtpd-app.yaml'), 'utf8')) as {
    scripting?: object;
  };
  app.scripting = {
    hooks: {
      connect: [{ id: 'main', data: 'Accept(["reason" => "green"]);' }],
      eod: [{ id: 'main', data: '' }],
    },
  };
  writeFileSync(file, JSON.stringify(app));
  const started = await argonite([
    'config',
    'livestage',
    'start',
    '--id',
    't1',
    '--file',
    file,
    '--remoteip',
    '127.0.0.2',
    '--time',
    '3600',
  ]);
  expect([started.code, started.stderr]).toEqual([0, '']);
  const { client, greeting } = await TestClient.connect(mta.port, '127.0.0.2');
  expect(greeting.lines[0]).toContain('green');
  client.destroy();
  const status = await argonite(['config', 'livestage', 'status']);
  expect(status.stdout).toMatch(/^t1: 1 connection\(s\), \d+\/3600 runtime\n$/);
  expect((await argonite(['config', 'livestage', 'cancel'])).code).toBe(0);
  expect((await argonite(['config', 'livestage', 'status'])).stdout).toBe('nothing is staged\n');
});

test('the log is followed by what a message is about', async () => {
  const child = spawn(
    process.execPath,
    [
      launch,
      'log',
      '--follow',
      '-n',
      '0',
      '--grep',
      'followed@y.test',
      '--json',
      '-s',
      path.join(mta.folder, 'ctl'),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => stopChild(child, 'SIGKILL'));
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const next = lines.next();
  // Once it follows, a deletion is told.
  for (let seen = false; !seen; ) {
    await send('followed');
    await argonite(['queue', 'update', '--jobid', 'followed', '--delete', 'seen enough']);
    seen = await Promise.race([
      next.then(() => true),
      new Promise<false>((resolve) => setTimeout(() => resolve(false), 100)),
    ]);
  }
  expect((await next).value as string).toContain('followed@y.test');
});

test('the older name of the command does the same', async () => {
  const { symlinkSync } = await import('node:fs');
  const link = path.join(scratchFolder(), 'halonctl');
  symlinkSync(launch, link);
  const { code } = await runProgram(process.execPath, [
    link,
    'queue',
    'list',
    '-s',
    path.join(mta.folder, 'ctl'),
  ]);
  expect(code).toBe(0);
});

test('a shutdown that is asked for on the socket stops the daemon', async () => {
  const daemon = await Daemon.start(config);
  onTestFinished(() => daemon.dispose());
  const socket = connect(path.join(daemon.folder, 'ctl'));
  socket.on('error', () => {});
  socket.write(Buffer.from([5, 7, 0x55, 2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]));
  expect(await daemon.waitForLine(({ msg }) => msg === 'stopped')).toBeDefined();
});

test('the queue is counted by what is asked for, here and on several hosts', async () => {
  for (let i = 0; i < 3; i++) await send('counted');
  const { code, stdout } = await argonite([
    ...['queue', 'groupby', '--jobid', 'counted', '-F', 'recipientdomain', '-F', 'jobid', '--age', '1h,1d'],
  ]);
  expect(code).toBe(0);
  expect(asText(stdout)).toMatch(
    /│ RECIPIENTDOMAIN │ JOBID {3}│ COUNT │ SIZE │ OLDEST +│ AGE ≤1h │ ≤1d │ >1d │/,
  );
  expect(asText(stdout)).toMatch(/│ y\.test +│ counted │ +3 │ +\d+ │ \S+ │ +3 │ +0 │ +0 │/);
  expect(stdout).toContain('3 messages in 1 group\n');
  const cluster = path.join(scratchFolder(), 'cli.yaml');
  writeFileSync(
    cluster,
    JSON.stringify({
      hosts: [
        { name: 'here', path: path.join(mta.folder, 'ctl') },
        { name: 'gone', path: path.join(mta.folder, 'none') },
      ],
    }),
  );
  const both = await bare('-c', cluster, 'queue', 'groupby', '--jobid', 'counted', '--json');
  expect(both.code).toBe(69);
  expect(both.stderr).toContain('argonite: gone: ');
  expect(JSON.parse(both.stdout)).toMatchObject({
    host: 'here',
    answer: { groups: [{ values: { recipientdomain: 'y.test' }, count: 3 }], total: 3, groupcount: 1 },
  });
  const mistaken = await argonite(['queue', 'list', '--ts', 'yesterday']);
  expect([mistaken.code, mistaken.stderr]).toEqual([
    1,
    expect.stringMatching(/^argonite: --ts: found "yesterday"/),
  ]);
});

test('what scripts keep, who is connected and what is looked up can be seen', async () => {
  expect((await argonite(['hsl', 'memory', 'store', 'a', '42'])).code).toBe(0);
  expect((await argonite(['hsl', 'memory', 'fetch', 'a'])).stdout).toBe('42\n');
  await argonite(['hsl', 'memory', 'store', 'b', 'hi']);
  expect((await argonite(['hsl', 'memory', 'fetch', 'b'])).stdout).toBe('"hi"\n');
  expect((await argonite(['hsl', 'memory', 'list'])).stdout).toBe('a\nb\n2 of 2\n');
  expect((await argonite(['hsl', 'memory', 'fetch', 'c'])).code).toBe(1);
  expect((await argonite(['hsl', 'cache', 'clear'])).stdout).toBe('0 buckets cleared\n');
  expect((await argonite(['hsl', 'rate', 'clear'])).code).toBe(64);
  const { client } = await TestClient.connect(mta.port);
  await client.command('EHLO c');
  const { stdout } = await bare('connection', '-s', path.join(mta.folder, 'ctl'), 'list');
  expect(asText(stdout)).toMatch(/│ in +│ 127\.0\.0\.1 │/);
  client.destroy();
  expect((await argonite(['resolver', 'list'])).stdout).toContain('0 running, 0 waiting');
  expect((await argonite(['queue', 'suspend', 'reload'])).code).toBe(0);
});
