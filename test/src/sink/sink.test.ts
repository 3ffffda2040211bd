// The sink as a client sees it: nodemailer, which we did not write, and our own client.

import { readdir, readFile } from 'node:fs/promises';
import { createTransport } from 'nodemailer';
import { describe, expect, type TestContext, test } from 'vitest';
import { judge } from '../../../src/delivery/failure.js';
import { SmtpDeliverer } from '../../../src/delivery/smtp-deliverer.js';
import { runSink, type SinkHandle, type SinkMessage, type SinkOptions } from '../../../src/sink/sink.js';
import { type AttemptChanges, makeAttempt } from '../../support/delivery-attempt.js';

const raw = 'Subject: hello\r\n\r\n.dots\r\n..\r\nend\r\n';

async function startSink(t: TestContext, options: SinkOptions = {}) {
  const messages: SinkMessage[] = [];
  const sink = await runSink({ port: 0, onMessage: (message) => messages.push(message), ...options });
  t.onTestFinished(() => sink.close());
  return { sink, messages };
}

function sendByNodemailer({ address }: SinkHandle) {
  const transport = createTransport({ ...address, ignoreTLS: true, connectionTimeout: 5000 });
  return transport.sendMail({ envelope: { from: 'a@a.test', to: ['b@b.test', 'c@c.test'] }, raw });
}

async function deliver(sink: SinkHandle, times = 1, changes: AttemptChanges = {}) {
  const deliverer = new SmtpDeliverer({ hostname: 'client.test' });
  const reports = [];
  for (let time = 0; time < times; time++) {
    reports.push(
      await deliverer.attempt(
        makeAttempt(sink.address.port, {
          message: raw,
          ...changes,
          transport: {
            pooling: { enabled: true, transactions: undefined, idleSeconds: 60 },
            ...changes.transport,
          },
        }),
        new AbortController().signal,
      ),
    );
  }
  await deliverer.close();
  return reports;
}

describe('a sink without rules', () => {
  test('takes mail from nodemailer', async (t) => {
    const { sink, messages } = await startSink(t);
    const sent = await sendByNodemailer(sink);
    expect(sent.response).toBe('250 2.0.0 taken');
    expect(messages).toEqual([
      { sender: 'a@a.test', recipients: ['b@b.test', 'c@c.test'], bytes: Buffer.from(raw) },
    ]);
    expect(sink.counts).toEqual({
      connections: 1,
      transactions: 1,
      recipients: 2,
      messages: 1,
      bytes: raw.length,
      refused: {},
      dropped: {},
    });
  });

  test('greets at once', async (t) => {
    const { sink } = await startSink(t);
    // The package alone waits 100 ms each time; on a busy machine the best of some tells.
    let shortestSeconds = 1;
    for (let time = 0; time < 5; time++) {
      const [report] = await deliver(sink);
      shortestSeconds = Math.min(shortestSeconds, report?.durationSeconds ?? 1);
    }
    expect(shortestSeconds).toBeLessThan(0.09);
  });

  test('takes many messages on one connection', async (t) => {
    const { sink } = await startSink(t);
    expect((await deliver(sink, 20)).map(judge)).toEqual(Array(20).fill('delivered'));
    expect(sink.counts).toMatchObject({ connections: 1, messages: 20 });
  });

  test('speaks LMTP when told so', async (t) => {
    const { sink } = await startSink(t, { lmtp: true });
    const [report] = await deliver(sink, 1, { options: { protocol: 'lmtp' } });
    expect(report && judge(report)).toBe('delivered');
  });

  test('knows a null sender', async (t) => {
    const { sink, messages } = await startSink(t);
    await deliver(sink, 1, { sender: { localPart: '', domain: '' } });
    expect(messages[0]?.sender).toBe('');
  });

  test('refuses what is larger than it announced', async (t) => {
    const { sink } = await startSink(t, { maxSizeBytes: 10 });
    const [report] = await deliver(sink);
    expect(report?.error?.message).toMatch(/^5\.3\.4/);
    await expect(sendByNodemailer(sink)).rejects.toThrow(/size/i);
    expect(sink.counts.messages).toBe(0);
  });

  test('tells why it cannot listen', async (t) => {
    const { sink } = await startSink(t);
    await expect(runSink({ port: sink.address.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('writes a maildir, byte for byte, before it says 250', async (t) => {
    const folder = await makeFolder(t);
    const { sink, messages } = await startSink(t, { maildir: folder });
    await deliver(sink, 2);
    const files = await readdir(`${folder}/new`);
    expect(files).toHaveLength(2);
    expect(await readdir(`${folder}/tmp`)).toEqual([]);
    expect(await readFile(messages[0]?.file ?? '', 'latin1')).toBe(raw);
  });
});

describe('a rule', () => {
  test.each(['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'EOD'] as const)('refuses in %s', async (state) => {
    const sink = await runSink({ port: 0, replies: [{ state, code: 451, text: '4.3.0 try later' }] });
    const [report] = await deliver(sink);
    expect(report?.result).toEqual({
      code: 451,
      enhanced: [4, 3, 0],
      reason: ['try later'],
      state: state === 'CONNECT' ? 'BANNER' : state,
    });
    expect(sink.counts.refused).toEqual({ [state]: 1 });
    // nodemailer says HELO after any refusal of EHLO.
    if (state !== 'EHLO') await expect(sendByNodemailer(sink)).rejects.toThrow(/4\.3\.0 try later/);
    expect(sink.counts.messages).toBe(0);
    await sink.close();
  });

  test.each(['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'EOD'] as const)('drops in %s', async (state) => {
    const sink = await runSink({ port: 0, drops: [state] });
    const [report] = await deliver(sink);
    expect(report?.error).toMatchObject({ type: 'network', temporary: true });
    expect(sink.counts.dropped).toEqual({ [state]: 1 });
    expect(sink.counts.messages).toBe(0);
    await sink.close();
  });

  test('delays the reply to the message', async (t) => {
    const { sink } = await startSink(t, { delays: [{ state: 'EOD', milliseconds: 60 }] });
    const [report] = await deliver(sink);
    expect(report && judge(report)).toBe('delivered');
    expect(report?.durationSeconds).toBeGreaterThan(0.055);
  });

  test('hits the share of transactions it was given, the same ones for the same seed', async (t) => {
    const run = async () => {
      const { sink } = await startSink(t, {
        replies: [{ state: 'RCPT', code: 550, text: '5.1.1 no' }],
        rate: 0.3,
        seed: 42,
      });
      return { verdicts: (await deliver(sink, 60)).map(judge), counts: sink.counts };
    };
    const first = await run();
    const failed = first.verdicts.filter((verdict) => verdict === 'failed').length;
    expect(failed).toBeGreaterThan(5);
    expect(failed).toBeLessThan(35);
    expect(first.counts).toMatchObject({
      transactions: 60,
      messages: 60 - failed,
      refused: { RCPT: failed },
    });
    expect((await run()).verdicts).toEqual(first.verdicts);
  });
});

async function makeFolder(t: TestContext): Promise<string> {
  const { mkdtemp, rm } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const folder = await mkdtemp(`${tmpdir()}/argonite-sink-`);
  t.onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}
