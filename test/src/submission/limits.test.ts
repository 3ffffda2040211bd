import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { SpoolError } from '../../../src/spool/spool.js';
import {
  boundary,
  form,
  formBody,
  formType,
  optionsPart,
  SubmissionFixture,
  testKey,
} from '../../support/submission-fixture.js';

// What hostile, slow and greedy clients get, and what is left of it: nothing.

const head = (fields: string) =>
  `POST /v1/submission HTTP/1.1\r\nHost: x\r\nX-API-Key: ${testKey}\r\nContent-Type: ${formType}\r\n${fields}\r\n\r\n`;
const messageHead = `--${boundary}\r\nContent-Disposition: form-data; name="rfc822"\r\n\r\nSubject: x\r\n\r\n`;
const chunkOf = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
const body = formBody(form());

describe('a message that is too large', () => {
  test('is refused 413 by its Content-Length, before a byte of it is read', async () => {
    const mta = await SubmissionFixture.start({ limits: { messageBytes: 1000, optionsBytes: 1000 } });
    const raw = await mta.dial();
    raw.write(head('Content-Length: 10000000'));
    await raw.until(/^HTTP\/1\.1 413 [\s\S]*"the request is larger than 67536 bytes"/);
    expect(mta.spool.writtenBytes).toBe(0);
  });

  test('is refused 413 as soon as it is, and the connection goes on', async () => {
    const mta = await SubmissionFixture.start({ limits: { messageBytes: 1000 } });
    const { status, json } = await mta.submit(form({}, `Subject: x\r\n\r\n${'x'.repeat(2000)}`));
    expect([status, json.error]).toEqual([413, 'the message is larger than 1000 bytes']);
    expect(mta.spool.underWay).toBe(0);
    expect((await mta.submit()).status).toBe(200);
  });

  test('counts as it will be stored, line ends made whole', async () => {
    const mta = await SubmissionFixture.start({ limits: { messageBytes: 1000 } });
    expect((await mta.submit(form({}, '\n'.repeat(500)))).status).toBe(200);
    expect((await mta.submit(form({}, '\n'.repeat(501)))).status).toBe(413);
  });

  test('is refused although few bytes came: a gzip bomb is unpacked no further than the limit', async () => {
    const mta = await SubmissionFixture.start({ limits: { messageBytes: 1024 * 1024 } });
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024), { level: 9 });
    const before = process.memoryUsage().rss;
    const { status } = await mta.submit([optionsPart(), { name: 'rfc822.gzip', content: bomb }]);
    expect(status).toBe(413);
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
    expect(mta.spool.writtenBytes).toBeLessThan(2 * 1024 * 1024);
    expect(mta.spool.underWay).toBe(0);
    const options = await mta.submit([{ name: 'options.gzip', content: bomb }]);
    expect(options.status).toBe(413);
  });

  test('that never ends is refused, and its connection closed in the end', async () => {
    const mta = await SubmissionFixture.start({
      limits: { messageBytes: 10_000 },
      timeouts: { lingerSeconds: 0.2 },
    });
    const raw = await mta.dial();
    raw.write(head('Transfer-Encoding: chunked') + chunkOf(messageHead));
    const chunk = chunkOf('x'.repeat(5000));
    raw.write(chunk + chunk + chunk);
    await raw.until(/HTTP\/1\.1 413 /);
    raw.write(chunk);
    await raw.untilClosed();
    expect(mta.spool.underWay).toBe(0);
  });
});

describe('a form', () => {
  test('of ten thousand parts is refused at the third', async () => {
    const mta = await SubmissionFixture.start();
    const many = Array.from({ length: 10_000 }, (_, index) => ({ name: `part${index}`, content: 'x' }));
    const { status } = await mta.submit(many);
    expect(status).toBe(400);
    const hidden = await mta.submit([
      ...Array.from({ length: 10_000 }, () => ({
        name: '',
        content: 'x',
        headers: ['Content-Disposition: x'],
      })),
      ...form(),
    ]);
    expect(hidden.status).toBe(400);
    expect(mta.queued).toEqual([]);
  });

  test('whose part has an endless header is refused', async () => {
    const mta = await SubmissionFixture.start();
    const { status } = await mta.submit([
      { name: 'options', content: '{}', headers: [`X: ${'y'.repeat(100_000)}`] },
      ...form(),
    ]);
    expect(status).toBe(400);
  });

  test('with a NUL in the name of a part is refused', async () => {
    const mta = await SubmissionFixture.start();
    const { status, json } = await mta.submit([{ name: 'options\0', content: '{}' }]);
    expect([status, json.error]).toEqual([400, expect.stringContaining('unknown part "options\\u0000"')]);
  });
});

describe('a client', () => {
  test('with huge header fields is answered 431', async () => {
    const mta = await SubmissionFixture.start();
    const raw = await mta.dial();
    raw.write(head(`X: ${'y'.repeat(20_000)}`));
    await raw.until(/^HTTP\/1\.1 431 [\s\S]*"the header is larger than 16384 bytes"/);
    await raw.untilClosed();
  });

  test('that does not speak HTTP is answered 400', async () => {
    const mta = await SubmissionFixture.start();
    for (const bytes of [
      'EHLO x\r\n',
      '\x16\x03\x01\x02\0\x01\0',
      `POST /v1/submission HTTP/1.1\r\nHost: x\r\nX-API-Key: a\0b\r\n\r\n`,
    ]) {
      const raw = await mta.dial();
      raw.write(bytes);
      expect(await raw.untilClosed()).toMatch(/^HTTP\/1\.1 400 [\s\S]*"this is no HTTP request"/);
    }
  });

  test('with a bad URL is answered 400', async () => {
    const mta = await SubmissionFixture.start();
    const { status } = await mta.submit(form(), { path: '/%zz' });
    expect([400, 404]).toContain(status);
    expect((await mta.submit()).status).toBe(200);
  });

  test('that falls silent within a request is answered 408, and the connection closed', async () => {
    const mta = await SubmissionFixture.start();
    const raw = await mta.dial();
    raw.write(head('Content-Length: 5000') + messageHead);
    await expect.poll(() => mta.spool.underWay).toBe(1);
    mta.pass(299);
    expect(raw.received).toBe('');
    mta.pass(2);
    await raw.until(/^HTTP\/1\.1 408 [\s\S]*"nothing came for 300 seconds"/);
    await raw.untilClosed();
    expect(mta.spool.underWay).toBe(0);
  });

  test('that sends a byte now and then has a time for the whole request', async () => {
    const mta = await SubmissionFixture.start({ timeouts: { requestSeconds: 0.5 } });
    const raw = await mta.dial();
    raw.write(head('Content-Length: 5000') + messageHead);
    await raw.until(/^HTTP\/1\.1 408 /);
    await raw.untilClosed();
    await expect.poll(() => mta.spool.underWay).toBe(0);
  });

  test('that says nothing at all is disconnected', async () => {
    const mta = await SubmissionFixture.start({ timeouts: { idleSeconds: 0.3 } });
    const raw = await mta.dial();
    await raw.untilClosed();
  });

  test('that goes away in the middle leaves nothing behind', async () => {
    const mta = await SubmissionFixture.start();
    const raw = await mta.dial();
    raw.write(head('Content-Length: 5000') + messageHead);
    await expect.poll(() => mta.spool.underWay).toBe(1);
    raw.close();
    await expect.poll(() => mta.spool.underWay).toBe(0);
    await expect
      .poll(() => mta.log.lines.map(({ fields }) => fields['error']))
      .toContain('the client has gone');
  });

  test('that goes away while its script runs ends the script, and nothing is queued', async () => {
    const mta = await SubmissionFixture.start({ eod: () => new Promise(() => {}) });
    const lost = mta.submit().catch(() => 'gone');
    await expect.poll(() => mta.eodRuns).toBe(1);
    mta.hangUp();
    expect(await lost).toBe('gone');
    await expect.poll(() => mta.cancelled).toEqual(['the client has gone']);
    expect(mta.queued).toEqual([]);
  });

  test('that expects 100 is asked for the body only when it may send it', async () => {
    const mta = await SubmissionFixture.start();
    const good = await mta.dial();
    good.write(head(`Content-Length: ${body.length}\r\nExpect: 100-continue`));
    await good.until(/^HTTP\/1\.1 100 /);
    good.write(body);
    await good.until(/HTTP\/1\.1 200 /);
    const bad = await mta.dial();
    bad.write(
      `POST /v1/submission HTTP/1.1\r\nHost: x\r\nX-API-Key: wrong\r\nContent-Type: ${formType}\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
    );
    await bad.until(/^HTTP\/1\.1 401 /);
  });

  test('may send many requests on one connection, even without waiting for answers', async () => {
    const mta = await SubmissionFixture.start();
    const raw = await mta.dial();
    const one = head(`Content-Length: ${body.length}`) + body.toString('latin1');
    raw.write(one.repeat(20));
    await raw.until(/(?:HTTP\/1\.1 200 [\s\S]*){20}/);
    expect(mta.queued).toHaveLength(20);
  });
});

describe('how much there may be at once', () => {
  test('connections in all, and from one address: the next is answered 503', async () => {
    const mta = await SubmissionFixture.start({ limits: { connections: 3, connectionsPerIp: 2 } });
    const held = [await mta.dial(), await mta.dial()];
    await expect.poll(() => mta.server.connections.size).toBe(2);
    const third = await mta.dial();
    expect(await third.untilClosed()).toMatch(
      /^HTTP\/1\.1 503 [\s\S]*"too many connections; come again later"/,
    );
    held[0]!.close();
    await expect.poll(() => mta.server.connections.size).toBe(1);
    expect((await mta.submit()).status).toBe(200);
  });

  test('submissions in all, and of one key: the next is answered 503 with Retry-After', async () => {
    const answers: (() => void)[] = [];
    const otherKey = { id: 'other', sha256: createHash('sha256').update('other').digest() };
    const mta = await SubmissionFixture.start({
      limits: { requests: 3, requestsPerKey: 2 },
      apiKeys: [{ id: 'tester', sha256: createHash('sha256').update(testKey).digest() }, otherKey],
      eod: () => new Promise((resolve) => answers.push(() => resolve({ kind: 'Accept', queued: [] }))),
    });
    const running = [mta.submit(), mta.submit()];
    await expect.poll(() => mta.eodRuns).toBe(2);
    const third = await mta.submit();
    expect([third.status, third.headers['retry-after']]).toEqual([503, '1']);
    running.push(mta.submit(form(), { headers: { 'x-api-key': 'other' } }));
    await expect.poll(() => mta.eodRuns).toBe(3);
    expect((await mta.submit(form(), { headers: { 'x-api-key': 'other' } })).status).toBe(503);
    for (const answer of answers) answer();
    for (const { status } of await Promise.all(running)) expect(status).toBe(200);
    running.push(mta.submit());
    await expect.poll(() => mta.eodRuns).toBe(4);
    answers.at(-1)!();
    expect((await running.at(-1)!).status).toBe(200);
  });
});

describe('a spool in trouble', () => {
  const noSpace = new SpoolError('disk full', true);
  const broken = new SpoolError('disk broken', false);

  test.each([
    ['takes no message', 'failOnReceive', noSpace, 452],
    ['cannot write', 'failOnWrite', broken, 451],
    ['cannot commit', 'failOnCommit', noSpace, 452],
  ] as const)(
    'that %s: 503, nothing is queued, nothing is told of the disk',
    async (_name, where, error, code) => {
      const mta = await SubmissionFixture.start();
      mta.spool[where] = error;
      const { status, json, text } = await mta.submit();
      expect([status, json.result?.code]).toEqual([503, code]);
      expect(text).not.toContain('disk');
      expect(mta.queued).toEqual([]);
      expect(mta.spool.underWay).toBe(0);
      mta.spool[where] = undefined;
      expect((await mta.submit()).status).toBe(200);
    },
  );

  test('that is slow makes the client wait, and memory stays small', async () => {
    const mta = await SubmissionFixture.start();
    let goOn: () => void = () => {};
    mta.spool.slowWrite = new Promise((resolve) => {
      goOn = resolve;
    });
    const raw = await mta.dial();
    raw.write(head('Transfer-Encoding: chunked') + chunkOf(messageHead));
    const chunk = chunkOf('x'.repeat(60_000));
    let isFull = false;
    for (let count = 0; count < 400 && !isFull; count++) isFull = !raw.socket.write(chunk);
    await expect.poll(() => raw.socket.writableLength).toBeGreaterThan(0);
    const taken = mta.spool.writtenBytes;
    expect(taken).toBeLessThan(1_000_000);
    goOn();
    mta.spool.slowWrite = undefined;
    await expect.poll(() => raw.socket.writableLength).toBe(0);
  });
});
