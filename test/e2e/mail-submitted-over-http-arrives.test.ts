import { writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CountingSink } from '../support/counting-sink.js';
import { writeConfig } from '../support/daemon.js';
import { queueAll, startDaemonIn, startMta } from '../support/mta.js';
import { runProgram, skipReason } from '../support/peers.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { form, formBody, formType, sendHttp } from '../support/submission-fixture.js';
import { createAuthority } from '../support/test-certificates.js';

const reason = skipReason('curl');
const because = reason === undefined ? '' : ` (${reason})`;

const headers = { 'x-api-key': 'test-key', 'content-type': formType };
const numbered = (number: number) =>
  form(
    { recipients: [{ localpart: `m${number}`, domain: 'example.test' }] },
    `X-Number: m${number}\r\n\r\nbody\r\n`,
  );
const numbersOf = (sink: CountingSink) =>
  new Set(sink.deliveries.map(({ data }) => /^X-Number: (\S+)/m.exec(data)?.[1]));

/** Submissions on connections that stay, as one submitter sends them. */
function submitter(port: number) {
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  return (number: number) => sendHttp(port, { headers, agent, body: formBody(numbered(number)) });
}

describe.skipIf(reason !== undefined)(`curl${because}`, () => {
  const curl = async (port: number, args: readonly string[]) => {
    const { stdout, code } = await runProgram('curl', [
      '-sS',
      '-w',
      '\\n%{http_code}',
      `http://127.0.0.1:${port}/v1/submission`,
      '-H',
      'X-API-Key: test-key',
      ...args,
    ]);
    expect(code).toBe(0);
    const [, text, status] = /^([\s\S]*)\n(\d+)$/.exec(stdout)!;
    return { status: Number(status), text: text! };
  };
  const options = (localpart: string) =>
    `options={"sender":{"localpart":"from","domain":"client.test"},"recipients":[{"localpart":"${localpart}","domain":"example.test"}]};type=application/json`;

  test('submits a small message and one of several megabytes, both arrive whole; one that is too large gets 413', async () => {
    const { daemon, sink } = await startMta({
      hooks: { eod: queueAll },
      http: { phases: { eod: { hook: 'main' }, data: { maxsize: '8MiB' } } },
    });
    const folder = scratchFolder();
    const file = (name: string, content: string) => {
      writeFileSync(path.join(folder, name), content);
      return `rfc822=@${path.join(folder, name)};type=message/rfc822`;
    };
    const large = `Subject: large\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(100_000)}`;
    const small = await curl(daemon.httpPort, [
      '-F',
      options('small'),
      '-F',
      file('small', 'Subject: small\n\nbody'),
    ]);
    expect([small.status, (JSON.parse(small.text) as { result: { code: number } }).result.code]).toEqual([
      200, 250,
    ]);
    expect((await curl(daemon.httpPort, ['-F', options('large'), '-F', file('large', large)])).status).toBe(
      200,
    );
    const tooLarge = await curl(daemon.httpPort, ['-F', options('no'), '-F', file('huge', large + large)]);
    expect(tooLarge.status).toBe(413);
    await expect.poll(() => sink.deliveries.length).toBe(2);
    const bodies = sink.deliveries.map(({ data }) => data.replace(/^Received: .*\r\n(?:\t.*\r\n)*/, ''));
    expect(bodies.sort((a, b) => a.length - b.length)).toEqual(['Subject: small\r\n\r\nbody\r\n', large]);
  });

  test('submits over HTTPS with the certificate of the configuration', async () => {
    const folder = scratchFolder();
    const authority = createAuthority(folder);
    const { keyFile, certFile } = authority.issue('mta.test', ['DNS:mta.test', 'IP:127.0.0.1']);
    const { daemon, sink } = await startMta({
      hooks: { eod: queueAll },
      http: { type: 'https', tls: { certs: { cert: 'web' } } },
      app: {
        pki: { private: [{ id: 'web', privatekey: { path: keyFile }, certificate: { path: certFile } }] },
      },
    });
    const { stdout } = await runProgram('curl', [
      '-sS',
      '--cacert',
      authority.certFile,
      `https://127.0.0.1:${daemon.httpPort}/v1/submission`,
      '-H',
      'X-API-Key: test-key',
      '-F',
      options('safe'),
      '-F',
      'rfc822=Subject: safe',
    ]);
    expect(stdout).toContain('"code":250');
    await expect.poll(() => sink.deliveries.length).toBe(1);
  });

  test('submits through a proxy that says who it is, over HTTP and HTTPS, and is found by its name', async () => {
    const folder = scratchFolder();
    const authority = createAuthority(folder);
    const { keyFile, certFile } = authority.issue('mta.test', ['DNS:mta.test', 'IP:127.0.0.1']);
    for (const secure of [false, true]) {
      const { daemon, sink } = await startMta({
        hooks: { eod: queueAll },
        http: {
          phases: { eod: { hook: 'main' }, connect: { remoteptr: true } },
          ...(secure ? { type: 'https', tls: { certs: { cert: 'web' } } } : undefined),
        },
        httpStart: { proxyprotocol: ['127.0.0.1'] },
        app: {
          pki: { private: [{ id: 'web', privatekey: { path: keyFile }, certificate: { path: certFile } }] },
          resolver: {
            hosts: {
              '1.0.0.127.in-addr.arpa': { ptr: ['submitter.test'] },
              'submitter.test': { a: ['127.0.0.1'] },
            },
          },
        },
      });
      const submit = (...args: readonly string[]) =>
        runProgram('curl', [
          ...['-sS', '--cacert', authority.certFile, '-H', 'X-API-Key: test-key', ...args],
          ...['-F', options('behind'), '-F', 'rfc822=Subject: behind'],
          `${secure ? 'https' : 'http'}://127.0.0.1:${daemon.httpPort}/v1/submission`,
        ]);
      expect((await submit('--haproxy-protocol')).stdout).toContain('"code":250');
      expect((await submit()).code).not.toBe(0);
      await expect.poll(() => sink.deliveries.length).toBe(1);
      expect(sink.deliveries[0]!.data).toMatch(
        /^Received: from unknown \(submitter\.test \[127\.0\.0\.1\]\)\r$/m,
      );
    }
  });

  test('is told 401 with a wrong key, without sending its message', async () => {
    const { daemon } = await startMta({ http: { apikeys: ['another'] } });
    expect((await curl(daemon.httpPort, ['-F', options('x'), '-F', 'rfc822=Subject: x'])).status).toBe(401);
  });
});

test('keys and scripts are reloaded while submissions flow, and not one is dropped', async () => {
  const { daemon, sink } = await startMta({ hooks: { eod: queueAll }, http: {} });
  const submit = submitter(daemon.httpPort);
  let number = 0;
  let isOver = false;
  const statuses: number[] = [];
  const flowing = Array.from({ length: 4 }, async () => {
    while (!isOver) statuses.push((await submit(++number)).status);
  });
  for (let reload = 0; reload < 3; reload++) {
    const before = daemon.lines.filter(({ msg }) => msg === 'configuration reloaded').length;
    writeConfig(daemon.folder, {
      nextHopPort: sink.port,
      hooks: { eod: `${queueAll}// ${reload}` },
      http: { apikeys: ['test-key', `key-${reload}`] },
    });
    daemon.child.kill('SIGHUP');
    await expect
      .poll(() => daemon.lines.filter(({ msg }) => msg === 'configuration reloaded').length)
      .toBe(before + 1);
  }
  isOver = true;
  await Promise.all(flowing);
  expect(new Set(statuses)).toEqual(new Set([200]));
  const { status } = await sendHttp(daemon.httpPort, {
    headers: { ...headers, 'x-api-key': 'key-2' },
    body: formBody(numbered(++number)),
  });
  expect(status).toBe(200);
  await expect.poll(() => numbersOf(sink).size).toBe(number);
});

test('what was answered 200 arrives, although the server is killed right behind the answer', async () => {
  const sink = await CountingSink.start({});
  onTestFinished(() => sink.stop());
  const folder = scratchFolder();
  writeConfig(folder, { nextHopPort: sink.port, hooks: { eod: queueAll }, http: {}, concurrency: 1 });
  const accepted = new Set<string>();
  let number = 0;
  for (let life = 0; life < 5; life++) {
    const daemon = await startDaemonIn(folder);
    const submit = submitter(daemon.httpPort);
    const enough = accepted.size + 20;
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (;;) {
          const own = ++number;
          const answer = await submit(own).catch(() => undefined);
          if (answer === undefined) return;
          if (answer.status === 200) accepted.add(`m${own}`);
          if (accepted.size >= enough) daemon.child.kill('SIGKILL');
        }
      }),
    );
  }
  const daemon = await startDaemonIn(folder);
  await expect
    .poll(() => [...accepted].filter((id) => !numbersOf(sink).has(id)), { timeout: 30_000 })
    .toEqual([]);
  expect(accepted.size).toBeGreaterThanOrEqual(100);
  expect(await daemon.stop()).toBe(0);
});

test('at SIGTERM a submission under way is answered, and the server ends well', async () => {
  const { daemon, sink } = await startMta({
    hooks: { eod: `echo "deciding"; sleep(1); ${queueAll}` },
    http: {},
  });
  const underWay = sendHttp(daemon.httpPort, { headers, body: formBody(numbered(1)) });
  await daemon.waitForLine(({ msg }) => msg === 'deciding');
  const ended = daemon.stop();
  const { status, headers: answered } = await underWay;
  expect([status, answered.connection]).toEqual([200, 'close']);
  expect(await ended).toBe(0);
  const again = await startDaemonIn(daemon.folder);
  await expect.poll(() => numbersOf(sink).has('m1')).toBe(true);
  await again.stop();
});
