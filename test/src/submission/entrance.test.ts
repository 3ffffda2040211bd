import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createResolver, type Resolver } from '#stdlib';
import { NetworkList } from '../../../src/smtp/edge/networks.js';
import { ServerContexts } from '../../../src/smtp/tls/server-contexts.js';
import { proxyV2, tlv } from '../../support/proxy-header.js';
import { serverCertificates, serverTls } from '../../support/server-tls.js';
import { until } from '../../support/smtp-fixture.js';
import {
  form,
  formBody,
  formType,
  queueAllWithJob,
  type RawConnection,
  SubmissionFixture,
  type SubmissionFixtureOptions,
  testKey,
} from '../../support/submission-fixture.js';

const made = serverCertificates();

/** A whole request as bytes. */
function request(): Buffer {
  const body = formBody(form());
  const head = [
    'POST /v1/submission HTTP/1.1',
    'Host: mx',
    `X-API-Key: ${testKey}`,
    `Content-Type: ${formType}`,
    `Content-Length: ${body.length}`,
    'Connection: close',
  ].join('\r\n');
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), body]);
}

const ends = { remoteIp: '192.0.2.7', remotePort: 4711, localIp: '198.51.100.1', localPort: 443 };
const v1 = 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n';
const v2 = proxyV2({ addresses: ends, values: [tlv(0x02, Buffer.from('mx.test'))] });

/** An eod script that gives back what it knows of the client. */
const told = `
  $http = $arguments["http"];
  Accept(["metadata" => ["ip" => $connection["remoteip"], "port" => $connection["remoteport"], "local" => $connection["localip"],
    "http" => $http["remoteip"], "proxy" => $http["proxyip"] ?? none, "tlv" => $http["proxytlv"] ?? none,
    "ptr" => $connection["remoteptr"] ?? none, "uid" => $connection["remoteuid"] ?? none, "tls" => isset($connection["tls"])]]);`;

const proxied = (options: SubmissionFixtureOptions = {}, trusted: readonly string[] = ['127.0.0.1']) =>
  SubmissionFixture.start({
    listeners: [{ address: '127.0.0.1', port: 0, proxies: new NetworkList(trusted) }],
    script: told,
    ...options,
  });

/** The JSON of the one answer. */
async function answerOf(raw: RawConnection): Promise<Record<string, unknown>> {
  const text = await raw.untilClosed();
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  return (JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as { metadata: Record<string, unknown> })
    .metadata;
}

describe('a trusted proxy in front', () => {
  test.each([
    ['version 1', Buffer.from(v1), null],
    ['version 2', v2, '0200076d782e74657374'],
  ])('says who the client is, in %s', async (_what, header, values) => {
    const mta = await proxied();
    const raw = await mta.dial();
    raw.write(Buffer.concat([header, request()]));
    expect(await answerOf(raw)).toEqual({
      ip: '192.0.2.7',
      port: 4711,
      local: '198.51.100.1',
      http: '192.0.2.7',
      proxy: '127.0.0.1',
      tlv: values,
      ptr: null,
      uid: null,
      tls: false,
    });
  });

  test('may send its header and the request byte by byte', async () => {
    const mta = await proxied();
    const raw = await mta.dial();
    raw.socket.setNoDelay(true);
    for (const byte of Buffer.concat([v2, request()])) raw.write(Buffer.of(byte));
    expect((await answerOf(raw))['ip']).toBe('192.0.2.7');
  });

  test('passes on TLS as it comes', async () => {
    const mta = await proxied({ isSecure: true, tls: new ServerContexts(serverTls(made(), {})) });
    const below = connectPlain(mta.port, '127.0.0.1');
    onTestFinished(() => void below.destroy());
    below.write(v2);
    const socket = connectTls({ socket: below, servername: 'mx.example.test', rejectUnauthorized: false });
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.end(request());
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    expect(text).toContain('"ip":"192.0.2.7"');
    expect(text).toContain('"tls":true');
  });

  test('that speaks for itself is the client, as its health checks are', async () => {
    const mta = await proxied();
    const raw = await mta.dial();
    raw.write(Buffer.concat([proxyV2({ command: 0 }), request()]));
    expect(await answerOf(raw)).toMatchObject({ ip: '127.0.0.1', proxy: null });
  });

  test('is not heard without a header, and has so long for it', async () => {
    const mta = await proxied({ timeouts: { proxyHeaderSeconds: 10 } });
    const bare = await mta.dial();
    bare.write(request());
    expect(await bare.untilClosed()).toBe('');
    const silent = await mta.dial();
    silent.write('PROXY ');
    await until(() => mta.log.lines.length > 0);
    mta.pass(11);
    expect(await silent.untilClosed()).toBe('');
    expect(mta.eodRuns).toBe(0);
    expect(mta.log.lines.map(({ message }) => message)).toEqual([
      expect.stringContaining('malformed'),
      'no PROXY header came in time',
    ]);
  });

  test('does not count: limits are those of the clients behind it', async () => {
    const mta = await proxied({ limits: { connectionsPerIp: 1 } });
    const header = (ip: string) => `PROXY TCP4 ${ip} 198.51.100.1 4711 443\r\n`;
    const first = await mta.dial();
    first.write(header('192.0.2.7'));
    const second = await mta.dial();
    second.write(header('192.0.2.8'));
    await until(() => mta.server.connections.size === 2);
    const third = await mta.dial();
    third.write(header('192.0.2.7'));
    expect(await third.untilClosed()).toMatch(/^HTTP\/1\.1 503 /);
    expect(mta.server.connectionsFrom('192.0.2.7')).toBe(1);
  });

  test('is nobody else: the header of a client is no request', async () => {
    const mta = await proxied({}, ['192.0.2.1']);
    const raw = await mta.dial();
    raw.write(Buffer.concat([Buffer.from(v1), request()]));
    expect(await raw.untilClosed()).toMatch(/^HTTP\/1\.1 400 /);
    expect(mta.eodRuns).toBe(0);
  });

  test('that has said nothing does not hold up the end', async () => {
    const mta = await proxied();
    const raw = await mta.dial();
    await mta.server.stop(30);
    expect(await raw.untilClosed()).toBe('');
  });
});

describe('reverse DNS', () => {
  const resolver = createResolver({
    hosts: { '1.0.0.127.in-addr.arpa': { ptr: ['Client.Test'] }, 'client.test': { a: ['127.0.0.1'] } },
    hostsFile: undefined,
    servers: ['127.0.0.1:9'],
  });

  test('names the client for scripts and for the Received field, where it is wanted', async () => {
    for (const reverseNames of [true, false]) {
      const mta = await SubmissionFixture.start({ script: queueAllWithJob, resolver, reverseNames });
      expect((await mta.submit()).status).toBe(200);
      const [copy] = mta.spool.committed[0]!.copies;
      const name = reverseNames ? 'client.test' : 'unknown';
      expect(copy!.toString('latin1').split('\r\n')[0]).toContain(`(${name} [127.0.0.1])`);
    }
  });

  test('is asked once for a connection', async () => {
    let asked = 0;
    const counting: Resolver = {
      query: (question, signal) => {
        asked++;
        return resolver.query(question, signal);
      },
      close: () => {},
    };
    const mta = await SubmissionFixture.start({ script: told, resolver: counting, reverseNames: true });
    for (let count = 0; count < 3; count++)
      expect((await mta.submit()).json.metadata).toMatchObject({ ptr: 'client.test' });
    expect(asked).toBe(2);
  });

  test('that never ends is given up when the client goes, and nothing is left', async () => {
    let isGivenUp = false;
    const hanging: Resolver = {
      query: (_question, signal) =>
        new Promise((resolve) => {
          signal?.addEventListener('abort', () => {
            isGivenUp = true;
            resolve({ kind: 'failure', error: 'TRY_AGAIN', isSecure: false });
          });
        }),
      close: () => {},
    };
    const mta = await SubmissionFixture.start({ script: told, resolver: hanging, reverseNames: true });
    const raw = await mta.dial();
    raw.write(request());
    await until(() => mta.server.running.size === 1);
    raw.close();
    await until(() => mta.server.running.size === 0);
    expect(isGivenUp).toBe(true);
    expect(mta.eodRuns).toBe(0);
  });
});

test('a program on a UNIX socket is on this machine, and scripts see its user', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-submission-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const socketPath = path.join(folder, 'in.sock');
  const mta = await SubmissionFixture.start({
    listeners: [{ path: socketPath }],
    script: told,
    peerUser: (descriptor) => (descriptor >= 0 ? 1000 : undefined),
  });
  const socket = connectPlain(socketPath);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.write(request());
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  expect(text).toContain('"ip":"127.0.0.1"');
  expect(text).toContain('"uid":1000');
  expect(mta.eodRuns).toBe(1);
});

describe('the handshake of HTTPS', () => {
  const contexts = (clientCertificate: 'none' | 'request' | 'require') =>
    new ServerContexts(serverTls(made(), { clientCertificate }));

  /** Whether a client without a certificate is served. */
  async function isServed(port: number): Promise<boolean> {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', () => {});
    socket.on('secureConnect', () => void socket.write(request()));
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    return text.startsWith('HTTP/1.1 200 ');
  }

  test('asks for certificates as the latest configuration says, from the next handshake on', async () => {
    const mta = await SubmissionFixture.start({ isSecure: true, tls: contexts('none'), script: told });
    expect(await isServed(mta.port)).toBe(true);
    mta.server.reconfigure(mta.optionsWith({ tls: contexts('require') }));
    expect(await isServed(mta.port)).toBe(false);
    mta.server.reconfigure(mta.optionsWith({ tls: contexts('request') }));
    expect(await isServed(mta.port)).toBe(true);
  });

  test('has so long and no longer, however it stalls', async () => {
    const mta = await SubmissionFixture.start({
      isSecure: true,
      tls: contexts('none'),
      script: told,
      timeouts: { handshakeSeconds: 30 },
    });
    const silent = await mta.dial();
    const slow = await mta.dial();
    slow.write(Buffer.from('160301', 'hex'));
    await until(() => mta.server.connections.size === 2);
    mta.pass(29);
    expect(mta.server.connections.size).toBe(2);
    mta.pass(2);
    await Promise.all([silent.untilClosed(), slow.untilClosed()]);
    expect(mta.server.connections.size).toBe(0);
  });

  test('that fails leaves nothing behind', async () => {
    const mta = await SubmissionFixture.start({ isSecure: true, tls: contexts('none'), script: told });
    const raw = await mta.dial();
    raw.write('no handshake at all\r\n');
    await raw.untilClosed();
    await until(() => mta.server.connections.size === 0);
    expect(mta.log.lines.map(({ message, fields }) => [message, fields['remoteip']])).toEqual([
      ['no TLS', '127.0.0.1'],
    ]);
    expect(await isServed(mta.port)).toBe(true);
  });
});
