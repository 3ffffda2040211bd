import { spawn } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { nothingConfigured } from '../../../stdlib/configured.js';
import { listenForTest, tcpServer } from '../../support/loopback-server.js';
import { runNetworkScript } from '../../support/network-script.js';
import { freePort, stopChild, untilListening } from '../../support/peers.js';
import {
  createAuthority,
  type TestAuthority,
  type TestCertificate,
} from '../../support/test-certificates.js';

const { errno } = constants;
const folder = mkdtempSync(path.join(tmpdir(), 'argonite-tls-'));
let authority: TestAuthority;
let server: TestCertificate;
let client: TestCertificate;
let expired: TestCertificate;

beforeAll(() => {
  authority = createAuthority(folder);
  server = authority.issue('mx.test', ['DNS:mx.test', 'DNS:*.wild.test']);
  client = authority.issue('client.test', ['DNS:client.test']);
  expired = authority.issue('mx.test', ['DNS:mx.test'], { isExpired: true });
  // The system's authorities, for `tls_default_ca`.
  vi.stubEnv('SSL_CERT_FILE', authority.certFile);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function tlsServer(options: TlsOptions = {}, talk?: (socket: TLSSocket) => void): Promise<number> {
  const listener = createServer({ key: server.key, cert: server.cert, ...options }, (socket) => {
    socket.on('error', () => {});
    (talk ?? ((peer) => peer.pipe(peer)))(socket);
  });
  listener.on('tlsClientError', () => {});
  return listenForTest(listener);
}

const open = (
  port: number,
  options = '',
): string => `$s = Socket("AF_INET", "SOCK_STREAM"); $s->settimeout(5);
  $s->connect("127.0.0.1", ${port}); $t = TLSSocket($s, [${options}]);`;

async function echoes(script: string): Promise<readonly string[]> {
  const configured = {
    ...nothingConfigured,
    key: (id: string) =>
      id === 'client'
        ? { key: createPrivateKey(client.key), certificates: [new X509Certificate(client.cert)] }
        : undefined,
  };
  return (await runNetworkScript(script, { configured })).echoes;
}

test('bytes go through, the handshake is made by the first send', async () => {
  const port = await tlsServer();
  expect(
    await echoes(
      `${open(port)} echo $t->send("a\\x00\\xff"); echo $t->recv(3) === "a\\x00\\xff"; echo $t->errno();`,
    ),
  ).toEqual(['3', 'true', '0']);
});

test('by default nothing is verified', async () => {
  const port = await tlsServer({ key: expired.key, cert: expired.cert });
  expect(await echoes(`${open(port)} echo $t->handshake() != none;`)).toEqual(['true']);
});

test.each([
  ['"tls_verify_ca" => true, "tls_default_ca" => true', true],
  ['"tls_verify_ca" => true', false],
  ['"tls_verify_name" => ["mx.test"]', true],
  ['"tls_verify_name" => ["other.test", "mx.test"]', true],
  ['"tls_verify_name" => ["a.wild.test"]', true],
  ['"tls_verify_name" => ["a.b.wild.test"]', false],
  ['"tls_verify_name" => ["other.test"]', false],
  ['"tls_verify_ca" => true, "tls_default_ca" => true, "tls_verify_name" => ["other.test"]', false],
])('with %s the certificate of mx.test is accepted: %s', async (options, isAccepted) => {
  const port = await tlsServer();
  const result = await echoes(
    `${open(port, options)} echo $t->handshake() != none; echo $t->errno(); echo $t->getpeerx509() != none; echo $t->send("x");`,
  );
  expect(result).toEqual(
    isAccepted ? ['true', '0', 'true', '1'] : ['false', String(errno.EACCES), 'true', 'none'],
  );
});

test('an expired certificate is not accepted', async () => {
  const port = await tlsServer({ key: expired.key, cert: expired.cert });
  expect(
    await echoes(
      `${open(port, '"tls_verify_ca" => true, "tls_default_ca" => true')} echo $t->handshake() === none;`,
    ),
  ).toEqual(['true']);
});

test('the name asked for is sent, and only when given', async () => {
  const port = await tlsServer({}, (socket) =>
    socket.end(String((socket as { servername?: string | false }).servername)),
  );
  expect(await echoes(`${open(port, '"tls_sni" => "mail.test"')} echo $t->recv(100);`)).toEqual([
    'mail.test',
  ]);
  expect(await echoes(`${open(port)} echo $t->recv(100);`)).toEqual(['false']);
});

test('a configured certificate is shown', async () => {
  const port = await tlsServer(
    { requestCert: true, rejectUnauthorized: false, ca: authority.cert },
    (socket) =>
      socket.end(`${socket.authorized} ${(socket.getPeerCertificate().subject?.CN as string) ?? 'nobody'}`),
  );
  expect(await echoes(`${open(port, '"tls_client_cert" => "client"')} echo $t->recv(100);`)).toEqual([
    'true client.test',
  ]);
});

test('protocols and ciphers are those asked for', async () => {
  const port = await tlsServer({}, (socket) =>
    socket.end(`${socket.getProtocol()} ${socket.getCipher().name}`),
  );
  expect(
    await echoes(
      `${open(port, '"tls_protocols" => "!SSLv2,!SSLv3,!TLSv1.3", "tls_ciphers" => "ECDHE-ECDSA-AES256-GCM-SHA384"')} echo $t->recv(100);`,
    ),
  ).toEqual(['TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384']);
  expect(await echoes(`${open(port, '"tls_protocols" => "TLSv1.3"')} echo $t->recv(7);`)).toEqual([
    'TLSv1.3',
  ]);
});

test('a peer without a common protocol fails the handshake', async () => {
  const port = await tlsServer({ maxVersion: 'TLSv1.2' });
  expect(
    await echoes(
      `${open(port, '"tls_protocols" => "TLSv1.3"')} echo $t->handshake() === none; echo $t->errno();`,
    ),
  ).toEqual(['true', String(errno.EPROTO)]);
});

test('a peer that speaks no TLS fails the handshake', async () => {
  const port = await tcpServer((socket) => socket.write('220 hello\r\n'));
  expect(await echoes(`${open(port)} echo $t->handshake() === none; echo $t->errno();`)).toEqual([
    'true',
    String(errno.EPROTO),
  ]);
});

test('a peer that closes in the handshake fails it', async () => {
  const port = await tcpServer((socket) => socket.destroy());
  expect(await echoes(`${open(port)} echo $t->handshake() === none; echo $t->errno() != 0;`)).toEqual([
    'true',
    'true',
  ]);
});

test('a peer that is silent in the handshake fails it in time', async () => {
  const port = await tcpServer(() => {});
  const run = await runNetworkScript(
    `${open(port)} $s->settimeout(0.2); echo $t->handshake() === none; echo $t->errno();`,
  );
  expect(run.echoes).toEqual(['true', String(errno.ETIMEDOUT)]);
  expect(run.seconds).toBeLessThan(20);
});

test('bytes that came before the handshake began are not lost to TLS', async () => {
  // The peer speaks first in plain text, then starts TLS on our word.
  const port = await tcpServer((socket) => {
    socket.write('ready\n');
    socket.once('data', () => {
      const child = createServer({ key: server.key, cert: server.cert }, (tls) => tls.end('inside'));
      child.on('tlsClientError', () => {});
      socket.removeAllListeners('data');
      child.emit('connection', socket);
    });
  });
  expect(
    await echoes(`$s = Socket("AF_INET", "SOCK_STREAM"); $s->connect("127.0.0.1", ${port}); $s->settimeout(5);
      echo $s->recv(6, "MSG_WAITALL"); $s->send("starttls"); sleep(0.05); $t = TLSSocket($s); echo $t->recv(100);`),
  ).toEqual(['ready\n', 'inside']);
});

test('shutdown is 0 first, and 1 when the peer has answered', async () => {
  const port = await tlsServer({}, (socket) => {
    socket.resume();
    socket.on('end', () => socket.end());
  });
  expect(await echoes(`${open(port)} $t->handshake(); echo $t->shutdown(); echo $t->shutdown();`)).toEqual([
    '0',
    '1',
  ]);
});

test('the socket beneath is the one that was given, and its bytes belong to TLS', async () => {
  const port = await tlsServer();
  expect(
    await echoes(
      `${open(port)} echo $t->toSocket() === $s; echo $s->send("plain") === none; echo $s->errno(); $t->toSocket()->close(); echo $t->send("x") === none;`,
    ),
  ).toEqual(['true', 'true', String(errno.EBUSY), 'true']);
});

test('a socket that is not connected fails the handshake', async () => {
  expect(
    await echoes(
      `$t = TLSSocket(Socket("AF_INET", "SOCK_STREAM")); echo $t->handshake() === none; echo $t->errno();`,
    ),
  ).toEqual(['true', String(errno.ENOTCONN)]);
});

test.each([
  ['["tls_protocols" => "TLSv7"]', /TLSSocket: the option "tls_protocols": "TLSv7" is no protocol/],
  ['["tls_ciphers" => "NONSENSE"]', /"NONSENSE" names no cipher that OpenSSL knows/],
  ['["tls_client_cert" => "nobody"]', /no key "nobody" is configured/],
  ['["tls_sni" => "192.0.2.1"]', /"tls_sni" must be a host name/],
  ['["tls_verify_name" => [1]]', /"tls_verify_name" must be a list of names/],
])('%s is an exception', async (options, message) => {
  expect((await echoes(`TLSSocket(Socket("AF_INET", "SOCK_STREAM"), ${options});`)).join()).toMatch(message);
});

test('what is no Socket is an exception', async () => {
  expect((await echoes('TLSSocket(Map("string", "string"));')).join()).toMatch(
    /expected a Socket, found an object of Map/,
  );
});

test('openssl s_server is understood', async () => {
  const port = await freePort();
  const child = spawn(
    'openssl',
    [
      's_server',
      '-accept',
      `127.0.0.1:${port}`,
      '-cert',
      server.certFile,
      '-key',
      server.keyFile,
      '-rev',
      '-quiet',
    ],
    { stdio: 'ignore' },
  );
  onTestFinished(() => stopChild(child));
  await once(child, 'spawn');
  await untilListening(port, child);
  expect(
    await echoes(
      `${open(port, '"tls_verify_ca" => true, "tls_default_ca" => true, "tls_verify_name" => ["mx.test"], "tls_sni" => "mx.test"')}
       $t->send("hello\\n"); echo $t->recv(100);`,
    ),
  ).toEqual(['olleh\n']);
});
