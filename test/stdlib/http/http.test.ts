import { spawn } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { LibraryServices } from '#stdlib';
import { nothingConfigured } from '../../../stdlib/configured.js';
import type { Resolver } from '../../../stdlib/dns/resolver.js';
import { backgroundSender, createBackgroundRequests } from '../../../stdlib/http/background-requests.js';
import { listenForTest, tcpServer } from '../../support/loopback-server.js';
import { runNetworkScript, type ScriptRun } from '../../support/network-script.js';
import { freePort, stopChild, untilListening } from '../../support/peers.js';
import { scratchFolder } from '../../support/scratch-folder.js';
import {
  createAuthority,
  type TestAuthority,
  type TestCertificate,
} from '../../support/test-certificates.js';

const folder = mkdtempSync(path.join(tmpdir(), 'argonite-http-'));
let authority: TestAuthority;
let server: TestCertificate;
let client: TestCertificate;

beforeAll(() => {
  authority = createAuthority(folder);
  server = authority.issue('web.test', ['DNS:web.test', 'DNS:localhost', 'IP:127.0.0.1']);
  client = authority.issue('client.test', ['DNS:client.test']);
  vi.stubEnv('SSL_CERT_FILE', authority.certFile);
  for (const name of ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy']) {
    vi.stubEnv(name, '');
    vi.stubEnv(name.toUpperCase(), '');
  }
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const hosts: Readonly<Record<string, string>> = { 'web.test': '127.0.0.1', 'other.test': '127.0.0.1' };
const resolver: Resolver = {
  query: ({ name, type }) => {
    const address = type === 'a' ? hosts[name] : undefined;
    return address === undefined
      ? { kind: 'failure', error: 'NXDOMAIN', isSecure: false }
      : {
          kind: 'records',
          records: [{ type: 'a', address, ttlSeconds: 60 }],
          canonicalName: name,
          isSecure: false,
        };
  },
  close: () => {},
};

const services: Partial<LibraryServices> = {
  network: { resolver, mailClient: undefined, backgroundRequests: undefined, submission: undefined },
  configured: {
    ...nothingConfigured,
    address: (id) => (id === 'second' ? { address: '127.0.0.2', hostname: undefined } : undefined),
    key: (id) =>
      id === 'client'
        ? { key: createPrivateKey(client.key), certificates: [new X509Certificate(client.cert)] }
        : undefined,
  },
};

function script(text: string, cancelAfterSeconds?: number): Promise<ScriptRun> {
  return runNetworkScript(text, services, cancelAfterSeconds);
}

/** The value of an expression, as JSON. */
async function value(expression: string): Promise<unknown> {
  const { echoes } = await script(`echo json_encode(${expression});`);
  const last = echoes.at(-1)!;
  return last.startsWith('error: ') ? last : JSON.parse(last);
}

async function web(answer: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listenForTest(createServer(answer))}`;
}

async function secureWeb(answer: RequestListener, options: ServerOptions = {}): Promise<number> {
  const listener = createSecureServer({ key: server.key, cert: server.cert, ...options }, answer);
  listener.on('tlsClientError', () => {});
  return listenForTest(listener);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += (chunk as Buffer).toString('latin1');
  return body;
}

/** Tells what was asked, as JSON. */
const mirror = (request: IncomingMessage, response: ServerResponse): void => {
  void bodyOf(request).then((body) =>
    response.end(
      JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }),
    ),
  );
};

/** A server that answers every connection's first bytes with `text`, and closes. */
async function raw(text: string | Buffer): Promise<string> {
  const port = await tcpServer((socket) => socket.once('data', () => socket.end(text)));
  return `http://127.0.0.1:${port}`;
}

describe('what comes back', () => {
  test('is the content for 2xx, none for others', async () => {
    const url = await web((request, response) => {
      response.writeHead(Number(request.url!.slice(1)));
      response.end('content');
    });
    expect(await value(`http("${url}/200")`)).toBe('content');
    expect(await value(`http("${url}/299")`)).toBe('content');
    expect(await value(`http("${url}/404")`)).toBeNull();
    expect(await value(`http("${url}/302")`)).toBeNull();
  });

  test('is bytes, with a Content-Encoding left as it is', async () => {
    const url = await web((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(Buffer.from([0, 255, 10, 13, 128]));
    });
    const { echoes } = await script(`echo http("${url}/") === "\\x00\\xff\\n\\r\\x80";`);
    expect(echoes).toEqual(['true']);
  });

  test('is status and content with extended_result, whatever the status', async () => {
    const url = await web((_, response) => response.writeHead(503).end('later'));
    expect(await value(`http("${url}", ["extended_result" => true])`)).toEqual({
      status: 503,
      content: 'later',
    });
  });

  test('has the raw headers in front with response_headers, whatever the status', async () => {
    const url = await raw('HTTP/1.1 404 Not Here\r\nX-A: 1\r\nx-a:  2 \r\nContent-Length: 4\r\n\r\nbody');
    const text = 'HTTP/1.1 404 Not Here\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 4\r\n\r\nbody';
    expect(await value(`http("${url}", ["response_headers" => true])`)).toBe(text);
    expect(await value(`http("${url}", ["response_headers" => true, "extended_result" => true])`)).toEqual({
      status: 404,
      content: text,
      headers: ['X-A: 1', 'x-a: 2', 'Content-Length: 4'],
    });
  });

  test('is what follows informational responses', async () => {
    const url = await raw(
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
    );
    expect(await value(`http("${url}")`)).toBe('hi');
  });

  test('is empty for HEAD and 204', async () => {
    const url = await web((_, response) => response.writeHead(204).end());
    expect(await value(`http("${url}")`)).toBe('');
    expect(await value(`http("${url}", ["method" => "HEAD"])`)).toBe('');
  });
});

describe('what is sent', () => {
  test('fills the places of the URL', async () => {
    const url = await web((request, response) => response.end(request.url));
    expect(await value(`http("${url}/$1?q=$2", [], ["a/b", "c&d=1"])`)).toBe('/a%2Fb?q=c%26d%3D1');
  });

  test('is GET without a body, POST with one, or the method that is named', async () => {
    const url = await web(mirror);
    const sent = async (args: string): Promise<Record<string, unknown>> =>
      JSON.parse((await value(`http("${url}/"${args})`)) as string) as Record<string, unknown>;
    expect(await sent('')).toMatchObject({ method: 'GET', body: '' });
    expect(await sent(', [], none, "a=1&b=2"')).toMatchObject({
      method: 'POST',
      body: 'a=1&b=2',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '7' },
    });
    expect(await sent(', [], none, ""')).toMatchObject({
      method: 'POST',
      headers: { 'content-length': '0' },
    });
    expect(
      await sent(', ["method" => "PUT", "headers" => ["Content-Type: text/plain"]], none, "x"'),
    ).toMatchObject({
      method: 'PUT',
      body: 'x',
      headers: { 'content-type': 'text/plain' },
    });
    expect(await sent(', ["method" => "DELETE"]')).toMatchObject({ method: 'DELETE' });
  });

  test('is a form for an array', async () => {
    const url = await web(mirror);
    const text = (await value(
      `http("${url}/", [], none, ["a b" => "c&d", "n" => 1.5, "t" => true])`,
    )) as string;
    expect(JSON.parse(text)).toMatchObject({ body: 'a%20b=c%26d&n=1.5&t=true' });
  });

  test('comes piece by piece from a function', async () => {
    const url = await web(mirror);
    const { echoes } = await script(`
      $i = 0;
      $text = http("${url}/", [], none, function ($n) closure ($i) {
        if ($n <= 0) throw Exception("no length");
        $i += 1;
        sleep(0.01);
        return $i <= 3 ? "piece $i;" : "";
      });
      $sent = json_decode($text);
      echo $sent["body"]; echo $sent["headers"]["transfer-encoding"];`);
    expect(echoes).toEqual(['piece 1;piece 2;piece 3;', 'chunked']);
  });

  test('of a large streamed body is made only as fast as the peer takes it', async () => {
    let received = 0;
    const url = await web((request, response) => {
      request.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      request.on('end', () => response.end(String(received)));
    });
    const { echoes } = await script(`
      $i = 0;
      echo http("${url}/", [], none, function ($n) closure ($i) { $i += 1; return $i <= 100 ? str_repeat("x", 100000) : ""; });`);
    expect(echoes).toEqual(['10000000']);
  });

  test('stops when the function fails', async () => {
    let aborted: () => void;
    const isAborted = new Promise<void>((resolve) => {
      aborted = resolve;
    });
    const url = await web((request) => {
      request.resume();
      request.on('error', () => aborted());
    });
    const { echoes } = await script(`
      $i = 0;
      http("${url}/", [], none, function ($n) closure ($i) { $i += 1; if ($i == 3) throw Exception("enough"); return "x"; });`);
    expect(echoes.join()).toMatch(/error: .*enough/);
    await isAborted;
  });

  test('has the headers of the script, and the credentials', async () => {
    const url = await web(mirror);
    const text = (await value(
      `http("${url}/", ["headers" => ["X-A: 1", "x-a:2", "Host: named.test", "Expect:", "Content-Length: 99"], "username" => "me", "password" => "p:w"])`,
    )) as string;
    const { headers } = JSON.parse(text) as { headers: Record<string, string> };
    expect(headers).toMatchObject({ 'x-a': '1, 2', host: 'named.test' });
    expect(headers['authorization']).toBe(`Basic ${Buffer.from('me:p:w').toString('base64')}`);
    expect(headers['expect']).toBeUndefined();
  });

  test('takes credentials from the URL, and does not send them in it', async () => {
    const port = new URL(await web(mirror)).port;
    const text = (await value(`http("http://me:p%40w@127.0.0.1:${port}/x")`)) as string;
    const { headers, url } = JSON.parse(text) as { headers: Record<string, string>; url: string };
    expect(headers['authorization']).toBe(`Basic ${Buffer.from('me:p@w').toString('base64')}`);
    expect(url).toBe('/x');
  });

  test('comes from the address that is asked for', async () => {
    const url = await web((request, response) => response.end(request.socket.remoteAddress));
    expect(await value(`http("${url}", ["sourceip" => "127.0.0.3"])`)).toBe('127.0.0.3');
    expect(await value(`http("${url}", ["sourceipid" => "second"])`)).toBe('127.0.0.2');
    expect(await value(`http("${url}", ["sourceip" => "192.0.2.1"])`)).toBeNull();
  });

  test('goes to the address that our resolver has for the name', async () => {
    const { port } = new URL(await web((request, response) => response.end(request.headers.host)));
    expect(await value(`http("http://web.test:${port}/")`)).toBe(`web.test:${port}`);
    expect(await value(`http("http://unknown.test:${port}/")`)).toBeNull();
  });

  test('goes over a UNIX socket', async () => {
    const place = path.join(scratchFolder(), 'web');
    const listener = createServer((request, response) =>
      response.end(`${request.headers.host} ${request.url}`),
    );
    listener.listen(place);
    await once(listener, 'listening');
    onTestFinished(() => {
      listener.closeAllConnections();
      listener.close();
    });
    expect(await value(`http("http://name.test/path", ["unix_socket_path" => "${place}"])`)).toBe(
      'name.test /path',
    );
  });

  test('shares a kept connection with requests of the same options only', async () => {
    const connections = new Set<Socket>();
    const url = await web((request, response) => {
      connections.add(request.socket);
      response.end('x');
    });
    await value(`[http("${url}/1"), http("${url}/2"), http("${url}/3", ["connect_timeout" => 9])]`);
    expect(connections.size).toBe(2);
  });

  test('is sent again when a kept connection turns out to be closed', async () => {
    const seen: string[] = [];
    const port = await tcpServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1');
        socket.once('data', () => {
          seen.push('closed');
          socket.end();
        });
      });
    });
    const url = `http://127.0.0.1:${port}`;
    expect(await value(`[http("${url}/1", ["proxy" => ""]), http("${url}/2", ["proxy" => ""])]`)).toEqual([
      '1',
      '1',
    ]);
    expect(seen).toEqual(['closed']);
  });
});

test('python3’s server is understood, over HTTP/1.0', async () => {
  const port = await freePort();
  const place = scratchFolder({ 'file.txt': 'by python' });
  const child = spawn(
    'python3',
    ['-m', 'http.server', String(port), '--bind', '127.0.0.1', '--directory', place],
    {
      stdio: 'ignore',
    },
  );
  onTestFinished(() => stopChild(child));
  await untilListening(port, child);
  expect(
    await value(`[http("http://127.0.0.1:${port}/file.txt"), http("http://127.0.0.1:${port}/none")]`),
  ).toEqual(['by python', null]);
});

describe('redirects', () => {
  /** `/N` leads to `/N-1` with the status of the query; `/0` tells what was asked. */
  const countdown: RequestListener = (request, response) => {
    const [, count, status] = /^\/(\d+)\?(\d+)/.exec(request.url!)!;
    if (count === '0') {
      mirror(request, response);
      return;
    }
    request.resume();
    response.writeHead(Number(status), { location: `/${Number(count) - 1}?${status}` }).end('moved');
  };

  test('are followed as often as asked for', async () => {
    const url = await web(countdown);
    expect(await value(`http("${url}/3?302", ["redirects" => 3])`)).toContain('"/0?302"');
    expect(await value(`http("${url}/3?302", ["redirects" => 2, "extended_result" => true])`)).toBeNull();
    expect(await value(`http("${url}/1?302", ["extended_result" => true])`)).toMatchObject({ status: 302 });
    expect(await value(`http("${url}/20?301", ["redirects" => -1])`)).toContain('"/0?301"');
  });

  test('without end are given up', async () => {
    let count = 0;
    const url = await web((_, response) => {
      count++;
      response.writeHead(302, { location: '/again' }).end();
    });
    expect(await value(`http("${url}/", ["redirects" => -1])`)).toBeNull();
    expect(count).toBe(51);
  });

  test.each([
    [301, 'GET', ''],
    [302, 'GET', ''],
    [303, 'GET', ''],
    [307, 'POST', 'x'],
    [308, 'POST', 'x'],
  ])('after a POST with %i are followed with %s', async (status, method, body) => {
    const url = await web(countdown);
    const text = (await value(`http("${url}/1?${status}", ["redirects" => 1], none, "x")`)) as string;
    expect(JSON.parse(text)).toMatchObject({ method, body });
  });

  test('to another origin do not tell what was said in confidence', async () => {
    const target = new URL(await web(mirror));
    const url = await web((_, response) => response.writeHead(307, { location: target.href }).end());
    const options = `["redirects" => 1, "username" => "me", "password" => "secret",
      "headers" => ["X-Api-Key: secret", "Cookie: secret", "Accept: a/b", "Host: me.test"]]`;
    const text = (await value(`http("${url}/", ${options}, none, "x")`)) as string;
    const { headers, body } = JSON.parse(text) as { headers: Record<string, string>; body: string };
    expect(Object.keys(headers).sort()).toEqual([
      'accept',
      'connection',
      'content-length',
      'content-type',
      'host',
    ]);
    expect(headers['host']).toBe(target.host);
    expect(body).toBe('x');
  });

  test('to what is no HTTP are not followed', async () => {
    const url = await web((_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end());
    expect(await value(`http("${url}/", ["redirects" => 5, "extended_result" => true])`)).toBeNull();
  });

  test('that need a streamed body again are not followed', async () => {
    const url = await web((request, response) => {
      request.resume();
      request.on('end', () => response.writeHead(307, { location: '/again' }).end());
    });
    const { echoes } =
      await script(`$i = 0; echo http("${url}/", ["redirects" => 5, "extended_result" => true], none,
      function ($n) closure ($i) { $i += 1; return $i == 1 ? "x" : ""; }) === none;`);
    expect(echoes).toEqual(['true']);
  });
});

describe('https', () => {
  const hello: RequestListener = (_, response) => response.end('hello');

  test.each([
    ['127.0.0.1', '"tls_default_ca" => true', 'hello'],
    ['web.test', '"tls_default_ca" => true', 'hello'],
    ['other.test', '"tls_default_ca" => true', null],
    ['other.test', '"tls_default_ca" => true, "tls_verify_host" => false', 'hello'],
    ['web.test', '', null],
    ['web.test', '"tls_verify_peer" => false', 'hello'],
    ['other.test', '"ssl_verify_peer" => false', 'hello'],
    ['other.test', '"tls_verify_peer" => false, "tls_verify_host" => true', null],
    ['web.test', '"tls_verify_peer" => false, "tls_verify_host" => true', 'hello'],
  ])('of %s with [%s] gives %s', async (host, options, result) => {
    const port = await secureWeb(hello);
    expect(await value(`http("https://${host}:${port}/", [${options}])`)).toBe(result);
  });

  test('shows a configured certificate, and not to another origin', async () => {
    const shown: RequestListener = (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      response.end((subject?.CN as string | undefined) ?? 'nobody');
    };
    const options = { requestCert: true, rejectUnauthorized: false, ca: authority.cert };
    const port = await secureWeb(shown, options);
    const redirecting = await secureWeb((request, response) => {
      if (request.url === '/away') response.writeHead(302, { location: `https://127.0.0.1:${port}/` }).end();
      else shown(request, response);
    }, options);
    const how = '"tls_default_ca" => true, "tls_client_cert" => "client", "redirects" => 1';
    expect(await value(`http("https://127.0.0.1:${redirecting}/", [${how}])`)).toBe('client.test');
    expect(await value(`http("https://127.0.0.1:${redirecting}/away", [${how}])`)).toBe('nobody');
  });

  test('of a server that speaks no TLS is none', async () => {
    const { port } = new URL(await web(hello));
    expect(await value(`http("https://127.0.0.1:${port}/", ["tls_verify_peer" => false])`)).toBeNull();
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
        '-www',
        '-quiet',
      ],
      { stdio: 'ignore' },
    );
    onTestFinished(() => stopChild(child));
    await untilListening(port, child);
    expect(await value(`http("https://127.0.0.1:${port}/", ["tls_default_ca" => true])`)).toContain(
      'TLSv1.3',
    );
  });
});

describe('proxies', () => {
  interface TestProxy {
    readonly url: string;
    readonly asked: string[];
  }

  async function proxy(): Promise<TestProxy> {
    const asked: string[] = [];
    const listener = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers['proxy-authorization'] ?? '-'}`);
      response.end(`by proxy for ${request.headers.host}`);
    });
    listener.on('connect', (request: IncomingMessage, socket: Socket) => {
      asked.push(`CONNECT ${request.url} ${request.headers['proxy-authorization'] ?? '-'}`);
      const target = connect({ host: '127.0.0.1', port: Number(request.url!.split(':')[1]) }, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        target.pipe(socket).pipe(target);
      });
      target.on('error', () => socket.destroy());
      socket.on('error', () => target.destroy());
    });
    return { url: `http://127.0.0.1:${await listenForTest(listener)}`, asked };
  }

  test('are asked for a whole URL', async () => {
    const { url, asked } = await proxy();
    expect(await value(`http("http://name.test/a?b", ["proxy" => "${url}"])`)).toBe('by proxy for name.test');
    expect(asked).toEqual(['GET http://name.test/a?b -']);
  });

  test('are asked for a tunnel for https, and the certificate is the server’s', async () => {
    const { url, asked } = await proxy();
    const port = await secureWeb((_, response) => response.end('inside'));
    const withPassword = url.replace('//', '//me:pw@');
    const credentials = `Basic ${Buffer.from('me:pw').toString('base64')}`;
    expect(
      await value(
        `http("https://web.test:${port}/", ["proxy" => "${withPassword}", "tls_default_ca" => true])`,
      ),
    ).toBe('inside');
    expect(
      await value(`http("https://other.test:${port}/", ["proxy" => "${url}", "tls_default_ca" => true])`),
    ).toBeNull();
    expect(asked).toEqual([`CONNECT web.test:${port} ${credentials}`, `CONNECT other.test:${port} -`]);
  });

  test('of the environment are used unless the option says otherwise', async () => {
    const { url, asked } = await proxy();
    const direct = await web((_, response) => response.end('direct'));
    vi.stubEnv('http_proxy', url);
    onTestFinished(() => void vi.stubEnv('http_proxy', ''));
    expect(await value(`http("${direct}/")`)).toMatch(/^by proxy/);
    expect(await value(`http("${direct}/", ["proxy" => ""])`)).toBe('direct');
    vi.stubEnv('no_proxy', '127.0.0.1');
    onTestFinished(() => void vi.stubEnv('no_proxy', ''));
    expect(await value(`http("${direct}/")`)).toBe('direct');
    expect(asked).toHaveLength(1);
  });

  test.each([
    ['refuses the tunnel', 'HTTP/1.1 403 Forbidden\r\n\r\n'],
    ['speaks no HTTP', '\x00\xff\r\n\r\n'],
    ['says too much', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40000)}`],
  ])('one that %s gives none', async (_, answer) => {
    const port = await tcpServer((socket) =>
      socket.once('data', () => socket.write(Buffer.from(answer, 'latin1'))),
    );
    expect(
      await value(`http("https://web.test/", ["proxy" => "http://127.0.0.1:${port}", "timeout" => 2])`),
    ).toBeNull();
  });

  test('one that is silent gives none in time', async () => {
    const port = await tcpServer(() => {});
    const run = await script(
      `echo http("https://web.test/", ["proxy" => "http://127.0.0.1:${port}", "connect_timeout" => 0.3]) === none;`,
    );
    expect(run.echoes).toEqual(['true']);
    expect(run.seconds).toBeLessThan(8);
  });
});

describe('a hostile server', () => {
  test.each([
    ['closes at once', ''],
    ['speaks no HTTP', '\x00\xff garbage\r\n\r\n'],
    ['has headers without end', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(50_000)}\r\n`],
    ['has one endless header', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(1_000_000)}\r\n\r\n`],
    ['ends before its length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort'],
    ['has broken chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['has a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['has two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
  ])('that %s gives none', async (_, answer) => {
    const url = await raw(Buffer.from(answer, 'latin1'));
    const run = await script(`echo http("${url}/", ["timeout" => 60, "extended_result" => true]) === none;`);
    expect(run.echoes).toEqual(['true']);
    expect(run.seconds).toBeLessThan(20);
  });

  test('that resets gives none', async () => {
    const port = await tcpServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(await value(`http("http://127.0.0.1:${port}/")`)).toBeNull();
  });

  test('that is not there gives none', async () => {
    expect(await value(`http("http://127.0.0.1:${await freePort()}/")`)).toBeNull();
  });

  test.each([
    ['is silent', (socket: Socket) => void socket],
    [
      'sends headers only',
      (socket: Socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'),
    ],
    [
      'drips',
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n');
        const timer = setInterval(() => socket.write('x'), 20);
        socket.once('close', () => clearInterval(timer));
      },
    ],
    [
      'sends informational responses without end',
      (socket: Socket) => {
        const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 20);
        socket.once('close', () => clearInterval(timer));
      },
    ],
  ])('that %s gives none in time', async (_, talk) => {
    const port = await tcpServer((socket) => socket.once('data', () => talk(socket)));
    const run = await script(`echo http("http://127.0.0.1:${port}/", ["timeout" => 0.3]) === none;`);
    expect(run.echoes).toEqual(['true']);
    expect(run.seconds).toBeLessThan(20);
  });

  test('that accepts no connection gives none in time', async () => {
    // A server that never accepts: its queue is filled first.
    const listener = createTcpServer();
    listener.listen({ port: 0, host: '127.0.0.1', backlog: 1 });
    await once(listener, 'listening');
    const { port } = listener.address() as { port: number };
    onTestFinished(() => void listener.close());
    const run = await script(`echo http("https://127.0.0.1:${port}/", ["connect_timeout" => 0.3]) === none;`);
    expect(run.echoes).toEqual(['true']);
    expect(run.seconds).toBeLessThan(8);
  });

  test('that sends more than max_file_size is cut off', async () => {
    let sent = 0;
    const url = await web((_, response) => {
      const chunk = Buffer.alloc(65536);
      const write = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      };
      response.on('drain', write);
      write();
    });
    expect(await value(`http("${url}/", ["max_file_size" => 100000, "extended_result" => true])`)).toBeNull();
    expect(sent).toBeLessThan(16 * 1024 * 1024);
  });

  test('of exactly max_file_size is taken', async () => {
    const url = await web((_, response) => response.end('12345'));
    expect(await value(`http("${url}/", ["max_file_size" => 5])`)).toBe('12345');
    expect(await value(`http("${url}/", ["max_file_size" => 4])`)).toBeNull();
  });

  test('is left when the execution is cancelled', async () => {
    let closed: () => void;
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const port = await tcpServer((socket) => {
      socket.resume();
      socket.once('close', () => closed());
      socket.once('end', () => socket.destroy());
    });
    const run = await script(`http("http://127.0.0.1:${port}/"); echo "not here";`, 0.2);
    expect(run.echoes).toEqual([]);
    expect(run.seconds).toBeLessThan(20);
    await isClosed;
  });
});

describe('the background', () => {
  async function inBackground(text: string): Promise<readonly string[]> {
    const queues = createBackgroundRequests({ send: backgroundSender(resolver), sleep: async () => {} });
    const { echoes } = await runNetworkScript(text, {
      network: { ...services.network!, backgroundRequests: queues },
    });
    await queues.drained();
    return echoes;
  }

  test('makes requests in order and again until they are answered with 2xx', async () => {
    const seen: string[] = [];
    const url = await web((request, response) => {
      void bodyOf(request).then((body) => {
        seen.push(`${request.url} ${body}`);
        response.writeHead(seen.length === 1 ? 503 : 200).end();
      });
    });
    const options = '["background" => true, "background_hash" => 3, "background_retry_count" => 2]';
    const echoes = await inBackground(
      `echo http("${url}/$1", ${options}, ["a"], "one"); echo http("${url}/b", ${options}, none, ["n" => 2]);`,
    );
    expect(echoes).toEqual(['true', 'true']);
    expect(seen).toEqual(['/a one', '/a one', '/b n=2']);
  });

  test('has no use for a function as body', async () => {
    const echoes = await inBackground(
      'http("http://h.test/", ["background" => true], none, function ($n) { return ""; });',
    );
    expect(echoes.join()).toMatch(/with "background" the body must be a string or an array/);
  });

  test('that is not offered is told', async () => {
    expect(await value('http("http://h.test/", ["background" => true])')).toMatch(
      /requests in the background are not offered here/,
    );
  });
});

test.each(['nonsense', 'ftp://h.test/', 'http://h.test:99999/', 'http://h.test/\\n'])(
  'what is no URL, such as %j, is none like every other bad input',
  async (url) => {
    expect(await value(`http("${url}")`)).toBeNull();
    expect(await value(`http("${url}", ["extended_result" => true])`)).toBeNull();
  },
);

test('headers about the connection and the length are the client’s own', async () => {
  const url = await web(mirror);
  const ours =
    '"Connection: close", "Transfer-Encoding: chunked", "Content-Length: 1", "Expect: 100-continue"';
  const { echoes } = await script(`echo http("${url}/", ["headers" => [${ours}, "X-Own: 1"]], [], "body");`);
  expect(echoes.join()).toMatch(/x-own/i);
  expect(echoes.join()).not.toMatch(/close|chunked|expect/i);
});

test('a request that is given up costs its server one connection', async () => {
  let connections = 0;
  const server = createServer(() => {});
  server.on('connection', () => connections++);
  const url = `http://127.0.0.1:${await listenForTest(server)}`;
  for (let time = 0; time < 3; time++) expect(await value(`http("${url}/", ["timeout" => 0.3])`)).toBeNull();
  await expect.poll(() => connections).toBe(3);
  // Undici would connect again a few turns later.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(connections).toBe(3);
});

describe('what is wrong is told', () => {
  test.each([
    [
      'http("http://h.test/", ["headers" => ["X: a\\r\\nY: b"]])',
      /the value of the header X holds a line end/,
    ],
    ['http("http://h.test/", ["headers" => ["X Y: b"]])', /"X Y" is no header name/],
    ['http("http://h.test/", ["headers" => ["nothing"]])', /must be a list of "Name: value" texts/],
    ['http("http://h.test/", ["method" => "GE T"])', /is no method for this function/],
    ['http("http://h.test/", ["method" => "GET / HTTP/1.1\\r\\nX: y"])', /is no method/],
    ['http("http://h.test/", ["timeout" => -1])', /"timeout" must be 0 or more/],
    ['http("http://h.test/", ["redirects" => -2])', /"redirects" must be -1 or a whole number/],
    ['http("http://h.test/", ["sourceip" => "me"])', /"sourceip" must be an IP address, not "me"/],
    ['http("http://h.test/", ["sourceipid" => "x"])', /no address "x" is configured/],
    ['http("http://h.test/", ["tls_client_cert" => "x"])', /no key "x" is configured/],
    ['http("http://h.test/", ["proxy" => "ftp://secret@x"])', /"proxy" is no proxy; expected/],
    ['http("http://h.test/", ["username" => "a:b"])', /must not hold a colon/],
    ['http("http://h.test/", ["unix_socket_path" => ""])', /must be the path of a socket/],
    [
      'http("http://h.test/", [], none, 5)',
      /argument 4 \(post\) of http must be a string, an array, a function or none/,
    ],
    [
      'http("http://h.test/", [], none, ["a" => [1]])',
      /the form field "a" must be a string, number or boolean/,
    ],
    ['http("http://h.test/$1", [], [[1]])', /value 1 of get must be/],
  ])('%s', async (call, message) => {
    expect(await value(call)).toMatch(message);
  });

  test('a post function that gives no text', async () => {
    const url = await web(mirror);
    const { echoes } = await script(`http("${url}/", [], none, function ($n) { return 5; });`);
    expect(echoes.join()).toMatch(/the function of post must give a string/);
  });
});
