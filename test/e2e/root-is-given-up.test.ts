import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { CountingSink } from '../support/counting-sink.js';
import { Daemon, type DaemonConfig } from '../support/daemon.js';
import { root, skipReason, stopChild } from '../support/peers.js';
import { TestClient } from '../support/smtp-client.js';

// A daemon that is started as root, on a port that only root may bind, and goes on as a user who may nothing.

const nobody = { uid: 65534, gid: 65534 };

/** Whether nobody can read the program: what is loaded late is read after root is given up. */
function isReachable(file: string): boolean {
  try {
    execFileSync(process.execPath, ['-e', `fs.accessSync(${JSON.stringify(file)})`], {
      ...nobody,
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

const skipped =
  skipReason() ??
  (process.getuid?.() !== 0
    ? 'only root can give up root'
    : isReachable(path.join(root, 'dist/src/daemon.js'))
      ? undefined
      : `the user nobody cannot read ${root}`);

/** A free port of 127.0.0.1 that only root may bind. */
async function lowPort(): Promise<number> {
  for (let port = 1023; port > 512; port--) {
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
  throw new Error('no port below 1024 is free');
}

/** A folder whose owner is nobody, so that the daemon can put its spool there. */
function openFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-privdrop-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  return folder;
}

async function started(config: DaemonConfig): Promise<{ daemon: Daemon; sink: CountingSink }> {
  const sink = await CountingSink.start();
  onTestFinished(() => sink.stop());
  const daemon = await Daemon.start({
    nextHopPort: sink.port,
    ...config,
    environment: { privdrop: { user: 'nobody', group: 'nogroup' }, ...config.environment },
  });
  onTestFinished(() => daemon.dispose());
  return { daemon, sink };
}

async function send(port: number): Promise<number> {
  const { client } = await TestClient.connect(port);
  const { code } = await client.send(
    'a@b.test',
    ['c@d.test'],
    `Subject: hello\r\n\r\n${'body\r\n'.repeat(100)}`,
  );
  await client.quit();
  return code;
}

function statusOf(file: string): Record<string, string> {
  return Object.fromEntries(
    readFileSync(file, 'latin1')
      .split('\n')
      .map((line) => line.split(/:\s*/, 2) as [string, string]),
  );
}

function ownersBelow(folder: string): Set<string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return new Set(
    ['.', ...names].map((name) => statSync(path.join(folder, name))).map(({ uid, gid }) => `${uid}:${gid}`),
  );
}

test.skipIf(skipped !== undefined)(
  `a daemon binds a low port as root, and all else it does as nobody: mail, spool, reload, stop${skipped === undefined ? '' : ` (skipped: ${skipped})`}`,
  async () => {
    const folder = openFolder();
    const port = await lowPort();
    const control = path.join(folder, 'control.sock');
    const { daemon, sink } = await started({
      folder,
      port,
      environment: { controlsocket: { path: control, owner: 'root', group: 'nogroup', chmod: '0660' } },
    });
    expect(daemon.port).toBe(port);
    await daemon.waitForLine(({ msg }) => msg === 'root given up');

    for (const task of readdirSync(`/proc/${daemon.pid}/task`)) {
      const status = statusOf(`/proc/${daemon.pid}/task/${task}/status`);
      expect(status).toMatchObject({
        Uid: '65534\t65534\t65534\t65534',
        Gid: '65534\t65534\t65534\t65534',
        CapEff: '0000000000000000',
        CapPrm: '0000000000000000',
      });
      expect(status['Groups']!.trim()).toBe('65534');
    }
    const socket = statSync(control);
    expect({ uid: socket.uid, gid: socket.gid, mode: socket.mode & 0o777 }).toEqual({
      uid: 0,
      gid: 65534,
      mode: 0o660,
    });

    expect(await send(port)).toBe(250);
    await sink.waitFor(1);
    expect(ownersBelow(path.join(folder, 'spool'))).toEqual(new Set(['65534:65534']));

    daemon.child.kill('SIGHUP');
    await daemon.waitForLine(({ msg }) => msg === 'configuration reloaded');
    expect(await send(port)).toBe(250);
    await sink.waitFor(2);
    expect(daemon.lines.filter(({ level }) => level === 'warning' || level === 'error')).toEqual([]);
    expect(await daemon.stop()).toBe(0);
    expect(daemon.stderr).toBe('');
  },
);

test.skipIf(skipped !== undefined)(
  'a file that only root may read is warned of at start, and named when a reload is refused',
  async () => {
    const folder = openFolder();
    const list = path.join(folder, 'suffixes.dat');
    writeFileSync(list, 'com\ntest\n', { mode: 0o600 });
    const { daemon, sink } = await started({ folder, environment: { publicsuffix: 'suffixes.dat' } });
    const warning = await daemon.waitForLine(({ level }) => level === 'warning');
    expect(warning.msg).toContain('a reload would be refused');
    expect(warning.msg).toContain(list);
    expect(warning.msg).toContain('the user nobody (environment.privdrop)');

    daemon.child.kill('SIGHUP');
    const refusal = await daemon.waitForLine(({ msg }) => msg.includes('not reloaded'));
    expect(refusal['problems']).toContain(`${list} cannot be read`);
    expect(refusal['problems']).toContain('give the file to nobody or to its group, or restart the daemon');
    expect(await send(daemon.port)).toBe(250);
    await sink.waitFor(1);

    chownSync(list, nobody.uid, nobody.gid);
    daemon.child.kill('SIGHUP');
    await daemon.waitForLine(({ msg }) => msg === 'configuration reloaded');
    expect(await daemon.stop()).toBe(0);
  },
);

test.skipIf(skipped !== undefined)(
  'a user that the host does not know keeps the daemon from starting',
  async () => {
    await expect(
      started({ folder: openFolder(), environment: { privdrop: { user: 'nobody-of-that-name' } } }),
    ).rejects.toThrow(
      /smtpd\.yaml:\d+:\d+: error: environment\.privdrop\.user: this host has no user "nobody-of-that-name"/,
    );
  },
);

/** A datagram socket as systemd has it; what comes is a line of JSON each. */
const notified = `
import json, socket, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('\\0' + name[1:] if name[0] == '@' else name)
print('open', flush=True)
while True:
    print(json.dumps(s.recv(4096).decode()), flush=True)
`;

async function notices(socket: string): Promise<{ next(fits: string): Promise<string>; all: string[] }> {
  const child = spawn('python3', ['-c', notified, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => stopChild(child, 'SIGKILL'));
  const all: string[] = [];
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return {
    all,
    async next(fits) {
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true) throw new Error(`no notice with ${fits} came, but ${JSON.stringify(all)}`);
        const notice = JSON.parse(value) as string;
        all.push(notice);
        if (notice.split('\n').includes(fits)) return notice;
      }
    },
  };
}

test.skipIf(skipReason('python3') !== undefined).each([
  ['a path', (folder: string) => path.join(folder, 'notify')],
  ['an abstract name', () => `@argonite-test-${process.pid}`],
])('systemd hears of start, life, reload and stop at %s', async (_, nameOf) => {
  const folder = openFolder();
  const socket = nameOf(folder);
  const heard = await notices(socket);
  const before = { ...process.env };
  process.env['NOTIFY_SOCKET'] = socket;
  process.env['WATCHDOG_USEC'] = '100000';
  let daemon: Daemon;
  try {
    daemon = await Daemon.start({ folder });
  } finally {
    process.env = before;
  }
  onTestFinished(() => daemon.dispose());
  expect(await heard.next('READY=1')).toBe('READY=1\nSTATUS=taking mail');
  expect(heard.all[0]).toBe('STATUS=loading the spool');
  await heard.next('WATCHDOG=1');

  const asked = process.hrtime.bigint() / 1000n;
  daemon.child.kill('SIGHUP');
  const reloading = await heard.next('RELOADING=1');
  const at = BigInt(/^MONOTONIC_USEC=(\d+)$/m.exec(reloading)![1]!);
  expect(at >= asked && at <= process.hrtime.bigint() / 1000n).toBe(true);
  await heard.next('READY=1');

  const ended = daemon.stop();
  await heard.next('STOPPING=1');
  expect(await ended).toBe(0);
});
