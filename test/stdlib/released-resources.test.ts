// What a script opens is closed when it ends: at its end, by an exception, and when it is cancelled in the middle of a wait.
// Counted are the process's file descriptors.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createResolver, nothingConfigured } from '#stdlib';
import { InLineClient } from '../../src/delivery/in-line-client.js';
import { createScriptFiles } from '../../src/scripting/host/script-files.js';
import { tcpServer } from '../support/loopback-server.js';
import { runNetworkScript, type ScriptRun } from '../support/network-script.js';
import { scratchFolder } from '../support/scratch-folder.js';

const descriptors = (): number => readdirSync('/proc/self/fd').length;

/** Servers, and a way to run scripts against them: one that is SILENT, one that is an ECHO, and a DEAF name server. */
async function world(): Promise<(script: string, cancelAfterSeconds?: number) => Promise<ScriptRun>> {
  const silent = await tcpServer((socket) => socket.on('end', () => socket.end()).resume());
  const echo = await tcpServer((socket) => socket.pipe(socket));
  const deaf = createSocket('udp4');
  deaf.bind(0, '127.0.0.1');
  await once(deaf, 'listening');
  onTestFinished(() => void deaf.close());
  const root = scratchFolder({ 'words.txt': 'one\ntwo\n'.repeat(10_000) });
  const { port } = deaf.address() as AddressInfo;
  const resolver = createResolver({ servers: [`127.0.0.1:${port}`], hostsFile: undefined });
  const mailClient = new InLineClient({ hostname: () => 'mx.test' });
  return (script, cancelAfterSeconds) =>
    runNetworkScript(
      script
        .replaceAll('SILENT', String(silent))
        .replaceAll('ECHO', String(echo))
        .replaceAll('DEAF', String(port)),
      {
        network: { resolver, mailClient, backgroundRequests: undefined, submission: undefined },
        configured: { ...nothingConfigured, file: createScriptFiles({ root }) },
      },
      cancelAfterSeconds,
    );
}

/** Runs it several times; as many descriptors are open afterwards as were before. */
async function leavesNothing(script: string, cancelAfterSeconds?: number): Promise<readonly string[]> {
  const run = await world();
  // What is loaded once (packages, pools) opens what it needs now.
  let { echoes } = await run(script, cancelAfterSeconds);
  await settled();
  const before = descriptors();
  for (let round = 0; round < 5; round++) ({ echoes } = await run(script, cancelAfterSeconds));
  await vi.waitFor(() => expect(descriptors()).toBeLessThanOrEqual(before), {
    timeout: 10_000,
    interval: 20,
  });
  return echoes;
}

/** Resolves when the number of descriptors has stopped falling. */
async function settled(): Promise<void> {
  let lowest = Number.POSITIVE_INFINITY;
  for (let calm = 0; calm < 3; ) {
    const now = descriptors();
    calm = now < lowest ? 0 : calm + 1;
    lowest = Math.min(lowest, now);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

const opened = `
  $socket = Socket("AF_INET", "SOCK_STREAM"); $socket->connect("127.0.0.1", ECHO);
  $datagrams = Socket("AF_INET", "SOCK_DGRAM"); $datagrams->connect("127.0.0.1", DEAF); $datagrams->send("x");
  $file = File("file://words.txt"); $line = $file->readline();`;

describe('what a script leaves open is closed', () => {
  test('at its end', async () => {
    expect(await leavesNothing(`${opened} echo $line;`)).toEqual(['one']);
  });

  test('by an exception that nobody catches', async () => {
    const echoes = await leavesNothing(`${opened} throw Exception("enough");`);
    expect(echoes).toEqual(['error: enough']);
  });

  test('in a function called back by a builtin, in a generator that is not finished, and in a barrier', async () => {
    const script = `
      function sockets() { while (true) { $s = Socket("AF_INET", "SOCK_STREAM"); $s->connect("127.0.0.1", ECHO); yield $s; } }
      foreach (sockets() as $s) break;
      array_map(function ($n) { ${opened} return $n; }, [1, 2]);
      barrier "one at a time" { ${opened} }
      echo "done";`;
    expect(await leavesNothing(script)).toEqual(['done']);
  });

  test('of a connection that does not come about', async () => {
    const script = `
      $a = Socket("AF_INET", "SOCK_STREAM"); $a->connect("127.0.0.1", 1);
      $b = Socket("AF_UNIX", "SOCK_STREAM"); $b->connect("/no/such/socket");
      echo $a->errno();`;
    expect(await leavesNothing(script)).toEqual(['111']);
  });
});

describe('what a script waits for when it is cancelled is closed', () => {
  test.each([
    ['a socket', `${opened} $socket->recv(10);`],
    ['a datagram', `${opened} $datagrams->recv(10);`],
    [
      'a TLS handshake',
      '$s = Socket("AF_INET", "SOCK_STREAM"); $s->connect("127.0.0.1", SILENT); TLSSocket($s)->handshake();',
    ],
    ['an HTTP response', 'http("http://127.0.0.1:SILENT/", ["timeout" => 60]);'],
    [
      'the pieces of an HTTP request',
      'http("http://127.0.0.1:SILENT/", ["timeout" => 60], [], function ($n) { sleep(60); return "x"; });',
    ],
    ['a directory', '$l = LDAP("ldap://127.0.0.1:SILENT"); $l->search("dc=x");'],
    ['a name server', 'dns_query("a.test", ["servers" => ["127.0.0.1"], "port" => DEAF, "timeout" => 60]);'],
    ['a sender policy', 'spf_query("192.0.2.1", "h.test", "a.test", ["timeout" => 60]);'],
    [
      'a mail server',
      'MIME()->setBody("x")->send("a@b.test", "c@d.test", ["host" => "127.0.0.1", "port" => SILENT]);',
    ],
    ['a mail server’s word', 'smtp_lookup_rcpt(["host" => "127.0.0.1", "port" => SILENT], "", "c@d.test");'],
    ['time', `${opened} sleep(60);`],
    ['a turn of the loop', `${opened} while (true) { $line = 1; }`],
  ])('%s', async (_, script) => {
    expect(await leavesNothing(`${script} echo "not reached";`, 0.05)).toEqual([]);
  });
});
