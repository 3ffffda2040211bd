import { existsSync, lstatSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { NetworkList } from '../../../../src/smtp/edge/networks.js';
import { Dialogue } from '../../../support/dialogue.js';
import { proxyV2 } from '../../../support/proxy-header.js';
import { scratchFolder } from '../../../support/scratch-folder.js';
import {
  type FixtureOptions,
  type HookFunctions,
  SmtpFixture,
  until,
} from '../../../support/smtp-fixture.js';

let mta: SmtpFixture | undefined;

async function start(options: FixtureOptions): Promise<SmtpFixture> {
  mta = await new SmtpFixture(options).start();
  return mta;
}

afterEach(async () => {
  await mta?.stop();
  mta = undefined;
});

describe('limits', () => {
  test('turn clients away with 421, let them in again, and tell the operator how many it was', async () => {
    const fixture = await start({ limits: { connections: 2 } });
    const first = await fixture.play('S: 220 *');
    await fixture.play('S: 220 *');
    for (let i = 0; i < 5; i++)
      await fixture.play('S: 421 4.7.0 Too many connections; come again later\nS: <close>');
    first.close();
    await until(() => fixture.server.sessionCount === 1);
    await fixture.play('S: 220 *');
    fixture.pass(1);
    expect(fixture.log.lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: 'connections were turned away: the limits of servers[].concurrency are reached',
        fields: expect.objectContaining({ server: 'test', total: 5 }),
      }),
    ]);
    fixture.pass(1);
    expect(fixture.log.lines).toHaveLength(1);
  });

  test('hold for addresses, networks and the rate', async () => {
    const networks = [{ network: '127.0.0.9', connections: 0, connectionsPerIp: 0 }];
    const fixture = await start({
      limits: { connectionsPerIp: 2, networks, ratePerIp: { count: 3, seconds: 60 } },
    });
    const dial = async (localAddress: string) => {
      const client = await fixture.dial({ localAddress });
      return { client, code: (await client.line())!.slice(0, 3) };
    };
    const one = await dial('127.0.0.1');
    const two = await dial('127.0.0.1');
    expect([one.code, two.code, (await dial('127.0.0.1')).code]).toEqual(['220', '220', '421']);
    one.client.close();
    two.client.close();
    await until(() => fixture.server.sessionCount === 0);
    expect((await dial('127.0.0.1')).code).toBe('220');
    expect((await dial('127.0.0.1')).code).toBe('421');
    for (let i = 0; i < 10; i++) expect((await dial('127.0.0.9')).code).toBe('220');
    fixture.pass(21);
    expect((await dial('127.0.0.1')).code).toBe('220');
  });

  test('are those of the latest configuration', async () => {
    const fixture = await start({});
    await fixture.play('S: 220 *');
    const { options } = fixture.server;
    fixture.server.reconfigure({ ...options, limits: { ...options.limits, connections: 1 } });
    await fixture.play('S: 421 *\nS: <close>');
  });
});

describe('a delayed greeting', () => {
  test('comes after its time, and not before', async () => {
    const fixture = await start({ bannerDelaySeconds: 5 });
    const client = await fixture.dial();
    let heard = '';
    client.socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
    await until(() => fixture.server.sessionCount === 1);
    fixture.pass(4);
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toBe('');
    fixture.pass(1);
    await client.play('S: 220 *\nC: NOOP\nS: 250 *');
  });

  test('shows who talks first: the connect script knows, and may refuse', async () => {
    const seen: [string, boolean][] = [];
    const hooks: HookFunctions = {
      connect: (state) => {
        seen.push(['connect', state.isEarlyTalker]);
        return state.isEarlyTalker ? { kind: 'Reject', reason: ['talks too early'] } : { kind: 'Accept' };
      },
    };
    const fixture = await start({ bannerDelaySeconds: 5, hooks });
    await fixture.play('C: EHLO spam.test\nS: 521 5.7.1 talks too early\nS: <close>');
    const patient = await fixture.dial();
    await until(() => fixture.server.sessionCount === 1);
    fixture.pass(6);
    await patient.play('S: 220 *');
    expect(seen).toEqual([
      ['connect', true],
      ['connect', false],
    ]);
  });

  test('takes what an early talker said, if it is let in', async () => {
    const fixture = await start({ bannerDelaySeconds: 5 });
    await fixture.play('C: HELO c\nC: NOOP\nS: 220 *\nS: 250 mx.argonite.test\nS: 250 2.0.0 Ok');
  });

  test('is not said to a client that has gone meanwhile, nor is a script asked about it', async () => {
    let asked = 0;
    const hooks: HookFunctions = {
      connect: () => {
        asked++;
        return { kind: 'Accept' };
      },
    };
    const fixture = await start({ bannerDelaySeconds: 5, hooks });
    const client = await fixture.dial();
    await until(() => fixture.server.sessionCount === 1);
    client.socket.end();
    await until(() => fixture.server.sessionCount === 0);
    fixture.pass(10);
    expect(asked).toBe(0);
  });

  test('holds nobody when the server stops', async () => {
    const fixture = await start({ bannerDelaySeconds: 3600 });
    const client = await fixture.dial();
    await until(() => fixture.server.sessionCount === 1);
    const stopped = fixture.server.stop(1);
    fixture.pass(2);
    await stopped;
    expect(await client.rest()).toBe('');
  });
});

test('a client that talks while the connect script waits is early too, also in later phases', async () => {
  const seen: boolean[] = [];
  let release = (): void => {};
  const fixture = await start({
    hooks: {
      connect: () => new Promise((resolve) => (release = () => resolve({ kind: 'Accept' }))),
      helo: (_host, _extensions, state) => {
        seen.push(state.isEarlyTalker);
        return { kind: 'Accept' };
      },
    },
  });
  const early = await fixture.dial();
  early.send('HELO c\r\n');
  await new Promise((resolve) => setTimeout(resolve, 20));
  release();
  await early.play('S: 220 *\nS: 250 *');
  const polite = await fixture.dial();
  await until(() => fixture.server.sessionCount === 2);
  release();
  await polite.play('S: 220 *\nC: HELO c\nS: 250 *');
  expect(seen).toEqual([true, false]);
});

describe('a UNIX socket', () => {
  const socketPath = () => path.join(scratchFolder(), 'smtp.sock');

  test('takes mail, knows the user at the other end, and counts as loopback', async () => {
    const file = socketPath();
    const seen: unknown[] = [];
    const fixture = await start({
      listeners: [{ path: file, mode: 0o660 }],
      peerUser: (descriptor) => (descriptor > 2 ? 4711 : undefined),
      hooks: {
        connect: ({ facts }) => {
          seen.push(facts);
          return { kind: 'Accept' };
        },
      },
    });
    expect(fixture.server.addresses).toEqual([{ address: file, family: 'unix', port: 0 }]);
    expect(lstatSync(file).mode & 0o777).toBe(0o660);
    const client = await Dialogue.openPath(file);
    await client.play('S: 220 *\nC: MAIL FROM:<a@b.test>\nS: 250 *\nC: RCPT TO:<c@d.test>\nS: 250 *');
    expect(seen).toMatchObject([
      { remoteIp: '127.0.0.1', remotePort: 0, localIp: '127.0.0.1', remoteUid: 4711 },
    ]);
    client.close();
  });

  test('whose daemon was killed is taken over, one that is in use is not', async () => {
    const file = socketPath();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(file, resolve));
    onTestFinished(() => void other.close());
    const refused = new SmtpFixture({ listeners: [{ path: file }] });
    await expect(refused.server.start()).rejects.toThrow(
      `server "test" cannot listen on ${file}: another program has it. Stop that program`,
    );
    // As after a kill: nobody listens, the file is there.
    const stale = socketPath();
    const { status } = await import('node:child_process').then(({ spawnSync }) =>
      spawnSync(process.execPath, [
        '-e',
        `require('net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`,
      ]),
    );
    expect(status).toBeNull();
    expect(existsSync(stale)).toBe(true);
    const fixture = await start({ listeners: [{ path: stale }] });
    await (await Dialogue.openPath(stale)).play('S: 220 *');
    await fixture.stop();
    mta = undefined;
    expect(existsSync(stale)).toBe(false);
  });

  test('is not made where there is something else, or no folder', async () => {
    const file = socketPath();
    writeFileSync(file, 'precious');
    await expect(new SmtpFixture({ listeners: [{ path: file }] }).server.start()).rejects.toThrow(
      'there is something else than a socket',
    );
    await expect(new SmtpFixture({ listeners: [{ path: `${file}.d/x` }] }).server.start()).rejects.toThrow(
      `the folder ${file}.d does not exist`,
    );
  });

  test('may be that of a proxy, and of one who speaks for others', async () => {
    const file = socketPath();
    const seen: unknown[] = [];
    const trusted = new NetworkList(['unix']);
    await start({
      listeners: [{ path: file, proxies: trusted, xclients: trusted }],
      hooks: {
        connect: ({ facts }) => {
          seen.push(facts.remoteIp, facts.proxyIp);
          return { kind: 'Accept' };
        },
      },
    });
    const proxied = await Dialogue.openPath(file);
    proxied.send(
      proxyV2({ addresses: { remoteIp: '192.0.2.7', remotePort: 1, localIp: '192.0.2.1', localPort: 25 } }),
    );
    await proxied.play('S: 220 *\nC: XCLIENT ADDR=192.0.2.8\nS: 550 *');
    const speaker = await Dialogue.openPath(file);
    speaker.send(proxyV2({ command: 0 }));
    await speaker.play('S: 220 *\nC: XCLIENT ADDR=192.0.2.8\nS: 220 *');
    expect(seen).toEqual(['192.0.2.7', '127.0.0.1', '127.0.0.1', undefined, '192.0.2.8', undefined]);
    proxied.close();
    speaker.close();
  });
});
