import { existsSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.js';
import { openFilesLimit } from '../../../src/config/open-files.js';
import { adviceOnAccess, prepareHost } from '../../../src/host/prepare.js';
import type { Identity } from '../../../src/host/privileges.js';
import { type HostLibrary, native, type Part } from '../../../src/native/index.js';
import { listen } from '../../../src/smtp/edge/listeners.js';
import { freePort, skipReason } from '../../support/peers.js';
import { scratchFolder } from '../../support/scratch-folder.js';

/** This process, said to be root until it is said not to be. What is done is put on `calls`. */
function identityOf(uid: number, calls: string[] = []): Identity {
  let [user, group] = [uid, uid];
  return {
    initgroups: () => calls.push('initgroups'),
    setgroups: () => calls.push('setgroups'),
    setgid: (id) => {
      calls.push('setgid');
      group = id;
    },
    setuid: (id) => {
      if (user !== 0) throw new Error('EPERM');
      calls.push('setuid');
      user = id;
    },
    getuid: () => user,
    geteuid: () => user,
    getgid: () => group,
    getegid: () => group,
    getgroups: () => [group],
  };
}

function configuration(listener: object, environment: object = {}) {
  return loadConfiguration(
    scratchFolder({
      'smtpd.yaml': JSON.stringify({
        version: '6.8',
        servers: [{ id: 'in', listeners: [listener] }],
        environment: {
          privdrop: { user: 'daemon' },
          controlsocket: { path: 'ctl', owner: '0' },
          ...environment,
        },
        spool: { path: 'var/spool' },
      }),
      'smtpd-app.yaml': JSON.stringify({ version: '6.8', servers: [{ id: 'in' }] }),
    }),
  );
}

const anywhere = { address: '127.0.0.1', port: 0 };
const missing: Part<HostLibrary> = { kind: 'missing', problem: 'the native addon is not built' };
const skipped = skipReason() ?? (process.getuid?.() === 0 ? undefined : 'only root may give files away');

test('who is not root is told that nothing happens, and nothing does', async () => {
  const calls: string[] = [];
  const prepared = await prepareHost(configuration(anywhere), {
    library: missing,
    identity: identityOf(1000, calls),
  });
  expect(prepared).toEqual({
    became: undefined,
    warnings: ['environment.privdrop has no effect: the daemon was not started as root, and stays user 1000'],
  });
  expect(calls).toEqual([]);
});

test('without the addon root stays and the daemon does not start', async () => {
  const calls: string[] = [];
  await expect(
    prepareHost(configuration(anywhere), { library: missing, identity: identityOf(0, calls) }),
  ).rejects.toThrow(/root cannot be given up .*the native addon is not built/);
  expect(calls).toEqual([]);
});

test.skipIf(skipped !== undefined)(
  'sockets are bound before root is given up, refuse until they are opened, and are opened without root',
  async () => {
    const port = await freePort();
    const calls: string[] = [];
    const host = native().host;
    if (host.kind === 'missing') throw new Error(host.problem);
    const settings = configuration({ address: '127.0.0.1', port });
    const environment: NodeJS.ProcessEnv = { HOME: '/root' };
    const cacheFolder = path.join(scratchFolder(), 'cache');
    const prepared = await prepareHost(settings, {
      library: {
        kind: 'available',
        part: {
          ...host.part,
          bindSocket: (ip, at) => {
            calls.push(`bind ${ip} ${at}`);
            return host.part.bindSocket(ip, at);
          },
          bindPath: (file) => {
            calls.push('bind path');
            return host.part.bindPath(file);
          },
        },
      },
      identity: identityOf(0, calls),
      environment,
      cacheFolder,
    });
    expect(prepared.became).toMatchObject({ user: 'daemon', uid: 1, gid: 1 });
    expect(calls).toEqual([`bind 127.0.0.1 ${port}`, 'bind path', 'initgroups', 'setgid', 'setuid']);

    const [spool] = settings.startup.spoolPaths;
    for (const folder of [spool!, cacheFolder]) expect(statSync(folder)).toMatchObject({ uid: 1, gid: 1 });
    const control = settings.startup.control.path!;
    expect(statSync(control)).toMatchObject({ uid: 0, gid: 1 });
    expect(environment).toMatchObject({ CACHE_DIRECTORY: cacheFolder, USER: 'daemon', HOME: '/usr/sbin' });

    const outcome = () =>
      new Promise<string>((resolve) => {
        const client = connect({ port, host: '127.0.0.1' });
        client.once('connect', () => resolve('connected'));
        client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
        client.once('close', () => client.destroy());
        onTestFinished(() => void client.destroy());
      });
    expect(await outcome()).toBe('ECONNREFUSED');
    const server = createServer((socket) => socket.destroy());
    await listen(server, 'in', { address: '127.0.0.1', port });
    expect(server.address()).toMatchObject({ port });
    expect(await outcome()).toBe('connected');
    await new Promise((done) => server.close(done));

    const local = createServer();
    await listen(local, 'in', { path: control });
    expect(local.address()).toBe(control);
    await new Promise((done) => local.close(done));
    expect(existsSync(control)).toBe(false);
  },
);

test.skipIf(skipped !== undefined)('a port that another program has is told as ever', async () => {
  const other = createServer();
  await listen(other, 'other', anywhere);
  onTestFinished(() => void other.close());
  const { port } = other.address() as { port: number };
  const calls: string[] = [];
  await expect(
    prepareHost(configuration({ address: '127.0.0.1', port }), {
      library: native().host,
      identity: identityOf(0, calls),
      environment: { CACHE_DIRECTORY: '/nowhere' },
    }),
  ).rejects.toThrow(
    `server "in" cannot listen on 127.0.0.1 port ${port}: another program has it. Stop that program, or change servers[].listeners[] in smtpd.yaml`,
  );
  expect(calls).toEqual([]);
});

test('open files that cannot be had are a warning with the reason', async () => {
  const limit = openFilesLimit();
  if (limit === undefined || limit === Number.POSITIVE_INFINITY) return;
  const wanted = limit + 1;
  const host: Part<HostLibrary> = {
    kind: 'available',
    part: { bindSocket: () => -1, bindPath: () => -1, raiseOpenFiles: () => -1, sendDatagram: () => 0 },
  };
  const settings = configuration(anywhere, { privdrop: undefined, rlimit: { nofile: wanted } });
  const { warnings } = await prepareHost(settings, { library: host });
  expect(warnings).toEqual([
    `environment.rlimit.nofile asks for ${wanted} open files, the system allows ${limit}; raise LimitNOFILE of the service, or ulimit -n (EPERM)`,
  ]);
});

test('advice about files comes only where root was given up and the file is out of reach', () => {
  const became = { user: 'mail', uid: 8, gid: 12, home: undefined };
  expect(adviceOnAccess('x: EACCES: permission denied', undefined, 'reload')).toBe('');
  expect(adviceOnAccess('x: the file does not exist', became, 'reload')).toBe('');
  expect(adviceOnAccess('x: EACCES: permission denied', became, 'reload')).toContain('give the file to mail');
  expect(adviceOnAccess('x: EACCES: permission denied', became, 'start')).toContain('chown -R mail FOLDER.');
});
