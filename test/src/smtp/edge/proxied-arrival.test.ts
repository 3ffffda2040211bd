import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { NetworkList } from '../../../../src/smtp/edge/networks.js';
import { ServerContexts } from '../../../../src/smtp/tls/server-contexts.js';
import type { Dialogue } from '../../../support/dialogue.js';
import { proxyV2, tlv } from '../../../support/proxy-header.js';
import { serverCertificates, serverTls } from '../../../support/server-tls.js';
import {
  type FixtureOptions,
  type HookFunctions,
  SmtpFixture,
  until,
} from '../../../support/smtp-fixture.js';

const made = serverCertificates();
let mta: SmtpFixture;

async function start(
  options: FixtureOptions = {},
  trusted: readonly string[] = ['127.0.0.1'],
): Promise<SmtpFixture> {
  const listeners = [{ address: '127.0.0.1', port: 0, id: 'in', proxies: new NetworkList(trusted) }];
  mta = await new SmtpFixture({ listeners, ...options }).start();
  return mta;
}

afterEach(async () => {
  await mta.stop();
  expect(mta.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

/** A connect script that writes down who came. */
function witness(): { readonly seen: unknown[]; readonly hooks: HookFunctions } {
  const seen: unknown[] = [];
  return {
    seen,
    hooks: {
      connect: ({ facts }) => {
        const { remoteIp, remotePort, localIp, localPort, proxyIp, proxyTlv } = facts;
        seen.push({ remoteIp, remotePort, localIp, localPort, proxyIp, proxyTlv });
        return { kind: 'Accept' };
      },
    },
  };
}

const ends = { remoteIp: '192.0.2.7', remotePort: 4711, localIp: '198.51.100.1', localPort: 25 };
const v1 = 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n';

describe('a trusted proxy', () => {
  test('says who the client is, in version 1', async () => {
    const { seen, hooks } = witness();
    await start({ hooks });
    const client = await mta.dial();
    client.send(v1);
    await client.play('S: 220 *\nC: NOOP\nS: 250 *');
    expect(seen).toEqual([{ ...ends, proxyIp: '127.0.0.1', proxyTlv: undefined }]);
  });

  test('says who the client is, in version 2, with type-length-values', async () => {
    const { seen, hooks } = witness();
    await start({ hooks });
    const client = await mta.dial();
    client.send(
      proxyV2({ addresses: ends, values: [tlv(0xea, Buffer.from('\x01vpce-1'))], hasChecksum: true }),
    );
    await client.play('S: 220 *\nC: NOOP\nS: 250 *');
    expect(seen).toMatchObject([
      { ...ends, proxyIp: '127.0.0.1', proxyTlv: expect.stringMatching(/^ea000701767063652d31030004/) },
    ]);
  });

  test('that speaks for itself, or does not know the client, is the client', async () => {
    const { seen, hooks } = witness();
    await start({ hooks });
    for (const header of [
      proxyV2({ command: 0 }),
      Buffer.from('PROXY UNKNOWN\r\n'),
      proxyV2({ family: 0 }),
    ]) {
      const client = await mta.dial();
      client.send(header);
      await client.play('S: 220 *');
    }
    const own = { remoteIp: '127.0.0.1', localIp: '127.0.0.1', localPort: mta.port };
    expect(seen).toMatchObject([own, own, own]);
    for (const one of seen) expect(one).toMatchObject({ proxyIp: undefined });
  });

  test('need not wait: what the client says behind the header is taken, and is early', async () => {
    const seen: boolean[] = [];
    await start({
      hooks: {
        helo: (_host, _extensions, state) => {
          seen.push(state.isEarlyTalker);
          return { kind: 'Accept' };
        },
      },
    });
    const client = await mta.dial();
    client.send(`${v1}HELO c\r\nNOOP\r\n`);
    await client.play('S: 220 *\nS: 250 mx.argonite.test\nS: 250 2.0.0 Ok');
    expect(seen).toHaveLength(1);
  });

  test('may send its header byte by byte, with the client at its heels', async () => {
    await start({ hooks: witness().hooks });
    const addresses = { ...ends, remoteIp: '2001:db8::1', localIp: '2001:db8::2' };
    for (const header of [Buffer.from(v1), proxyV2({ addresses })]) {
      const client = await mta.dial();
      const bytes = Buffer.concat([header, Buffer.from('NOOP\r\n')]);
      for (const byte of bytes) {
        client.send(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await client.play('S: 220 *\nS: 250 *');
    }
  });

  test('is not heard without a header: a client behind it could otherwise say what it likes', async () => {
    await start();
    for (const start of [
      'EHLO c\r\n',
      'PROXY TCP4 1.2.3.4\r\n',
      '\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0',
      'x'.repeat(100_000),
    ]) {
      const client = await mta.dial();
      client.send(start);
      expect(await client.rest()).toBe('');
    }
    await until(() => mta.log.lines.length === 4);
    expect(mta.log.lines).toContainEqual(
      expect.objectContaining({
        level: 'info',
        message: expect.stringContaining('the PROXY header is malformed'),
      }),
    );
  });

  test('has so long for its header and no longer', async () => {
    await start({ timeouts: { proxyHeaderSeconds: 10 } });
    const silent = await mta.dial();
    const slow = await mta.dial();
    slow.send('PROXY ');
    mta.pass(9);
    slow.send('TCP4');
    mta.pass(2);
    expect(await silent.rest()).toBe('');
    expect(await slow.rest()).toBe('');
    const gone = await mta.dial();
    gone.send('PROXY TCP4 ');
    gone.socket.end();
    expect(await gone.rest()).toBe('');
  });

  test('passes on TLS as it comes', async () => {
    const { seen, hooks } = witness();
    await start({ hooks, tls: new ServerContexts(serverTls(made())), implicitTls: new Set(['in']) });
    for (const isAtOnce of [true, false]) {
      const plain = await mta.dial();
      plain.send(v1);
      if (!isAtOnce) await new Promise((resolve) => setTimeout(resolve, 20));
      const tls = await plain.secure();
      await tls.play('S: 220 *\nC: NOOP\nS: 250 *');
    }
    expect(seen).toMatchObject([ends, ends]);
  });

  test('passes STARTTLS on', async () => {
    await start({ tls: new ServerContexts(serverTls(made())) });
    const plain = await mta.dial();
    plain.send(proxyV2({ addresses: ends }));
    await plain.play('S: 220 *\nC: STARTTLS\nS: 220 *');
    await (await plain.secure()).play('C: NOOP\nS: 250 *');
  });
});

test('limits hold for the clients, not for the proxy', async () => {
  await start({ limits: { connectionsPerIp: 1 } });
  const from = async (remoteIp: string): Promise<Dialogue> => {
    const client = await mta.dial();
    client.send(proxyV2({ addresses: { ...ends, remoteIp } }));
    return client;
  };
  await (await from('192.0.2.1')).play('S: 220 *');
  await (await from('192.0.2.2')).play('S: 220 *');
  await (await from('192.0.2.1')).play('S: 421 4.7.0 Too many connections*\nS: <close>');
  expect(mta.server.connectionsFrom('192.0.2.0/24')).toBe(2);
  expect(mta.server.connectionsFrom('127.0.0.1')).toBe(0);
});

test('the relay rule of a server without scripts looks at the client, not at the proxy', async () => {
  await start();
  const client = await mta.dial();
  client.send(v1);
  await client.play('S: 220 *\nC: MAIL FROM:<a@b.test>\nS: 250 *\nC: RCPT TO:<c@d.test>\nS: 554 5.7.1 *');
});

test('the header of anybody else is no header', async () => {
  await start({}, ['192.0.2.0/24', '127.0.0.2-127.0.0.9']);
  const client = await mta.play('S: 220 *');
  client.send(v1);
  await client.play('S: 500 5.5.1 *\nC: NOOP\nS: 250 *');
  const second = await mta.play('S: 220 *');
  second.send(proxyV2({ addresses: ends }));
  await second.play('S: 500 *');
  const trusted = await mta.dial({ localAddress: '127.0.0.5' });
  trusted.send(v1);
  await trusted.play('S: 220 *');
});

test('waiting headers end with the server', async () => {
  await start();
  const client = await mta.dial();
  client.send('PROXY ');
  await new Promise((resolve) => setImmediate(resolve));
  const stopped = mta.server.stop(5);
  expect(await client.rest()).toBe('');
  await stopped;
});

test('a header may be cut into any packets', { timeout: 60_000 }, async () => {
  await start({ hooks: witness().hooks });
  const header = fc.constantFrom(Buffer.from(v1), proxyV2({ addresses: ends, hasChecksum: true }));
  await fc.assert(
    fc.asyncProperty(header, fc.array(fc.nat(120), { maxLength: 4 }), async (bytes, cuts) => {
      const client = await mta.dial();
      const all = Buffer.concat([bytes, Buffer.from('NOOP\r\nQUIT\r\n')]);
      let from = 0;
      for (const cut of [...cuts.filter((at) => at < all.length).sort((a, b) => a - b), all.length]) {
        client.send(all.subarray(from, cut));
        from = cut;
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await client.rest()).toBe('220 mx.argonite.test ESMTP\r\n250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n');
    }),
    { seed: 4711, numRuns: 60 },
  );
});
