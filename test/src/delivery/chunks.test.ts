// Messages in chunks (RFC 3030): when, and what a refusal in the middle leads to.

import { expect, type TestContext, test } from 'vitest';
import { judge } from '../../../src/delivery/failure.js';
import { SmtpDeliverer } from '../../../src/delivery/smtp-deliverer.js';
import { type AttemptChanges, makeAttempt, memoryReader } from '../../support/delivery-attempt.js';
import { type PeerScript, type ScriptedPeer, startPeer } from '../../support/scripted-peer.js';

const chunking = '250 peer.test\nPIPELINING\n8BITMIME\nCHUNKING\nBINARYMIME';
const KIB = 1024;
const large = (kibibytes: number): Buffer =>
  Buffer.from(`Subject: large\r\n\r\n${`.${'x'.repeat(61)}\r\n`.repeat(16 * kibibytes)}`);
const pooled: AttemptChanges['transport'] = {
  pooling: { enabled: true, transactions: undefined, idleSeconds: 60 },
};

function startDeliverer(t: TestContext): SmtpDeliverer {
  const deliverer = new SmtpDeliverer({ hostname: 'host.test' });
  t.onTestFinished(() => deliverer.close());
  return deliverer;
}

async function deliver(t: TestContext, script: PeerScript, changes: AttemptChanges, times = 1) {
  const peer = await startPeer(t, { EHLO: chunking, ...script });
  const deliverer = startDeliverer(t);
  const reports = [];
  for (let time = 0; time < times; time++)
    reports.push(await deliverer.attempt(makeAttempt(peer.port, changes), new AbortController().signal));
  return { peer, deliverer, reports };
}

const verbs = (peer: ScriptedPeer) => peer.commands.map((line) => line.split(' ')[0]);

test('a large message goes in chunks, and arrives as it is', async (t) => {
  const message = large(1200);
  const { peer, reports } = await deliver(t, {}, { message });
  expect(reports.map(judge)).toEqual(['delivered']);
  expect(peer.messages[0]?.equals(message)).toBe(true);
  expect(peer.chunks.map(({ length }) => length <= 512 * KIB)).toEqual([true, true, true]);
  expect(verbs(peer)).not.toContain('DATA');
  expect(peer.commands.filter((line) => line.endsWith(' LAST'))).toHaveLength(1);
});

test('one that comes from disk as well, cut anywhere', async (t) => {
  const message = large(700);
  const { peer, reports } = await deliver(t, {}, { message: memoryReader(message, 33_333) });
  expect(reports.map(judge)).toEqual(['delivered']);
  expect(peer.messages[0]?.equals(message)).toBe(true);
});

test('a small message goes by DATA, and so does a large one to a peer that does not offer CHUNKING', async (t) => {
  const small = await deliver(t, {}, {});
  expect(verbs(small.peer)).toContain('DATA');
  const old = await deliver(t, { EHLO: '250 peer.test\nPIPELINING' }, { message: large(300) });
  expect(verbs(old.peer)).toContain('DATA');
  expect(old.peer.messages[0]?.equals(large(300))).toBe(true);
});

test('no chunk is sent before the recipient was accepted', async (t) => {
  const { peer, reports } = await deliver(t, { RCPT: '550 5.1.1 no such user' }, { message: large(300) });
  expect(reports[0]?.result).toMatchObject({ code: 550, state: 'RCPT' });
  expect(verbs(peer)).not.toContain('BDAT');
  // MAIL and RCPT go out in one write all the same.
  expect(peer.reads[1]).toMatch(/^MAIL FROM:.*\r\nRCPT TO:.*\r\n$/);
});

test('without PIPELINING every chunk waits for its answer', async (t) => {
  const message = large(1200);
  const { peer, reports } = await deliver(t, { EHLO: '250 peer.test\nCHUNKING' }, { message });
  expect(reports.map(judge)).toEqual(['delivered']);
  expect(peer.messages[0]?.equals(message)).toBe(true);
});

test.each([
  ['450 4.7.1 later', 450, 'deferred'],
  ['554 5.7.1 spam', 554, 'failed'],
])(
  'a first chunk refused with %s is the answer to the message, and the connection is good',
  async (answer, code, verdict) => {
    const lifetime: { ends: (() => Promise<void>)[] } = { ends: [] };
    const context = { onTestFinished: (run: () => Promise<void>) => lifetime.ends.push(run) };
    const peer = await startPeer(context, { EHLO: chunking, BDAT: [answer, '250 more'] });
    const deliverer = new SmtpDeliverer({ hostname: 'host.test' });
    const attempt = makeAttempt(peer.port, { message: large(1200), transport: pooled ?? {} });
    const first = await deliverer.attempt(attempt, new AbortController().signal);
    expect(first.result).toMatchObject({ code, state: 'EOD' });
    expect(judge(first)).toBe(verdict);
    expect(peer.commands.some((line) => line.endsWith('LAST'))).toBe(false);
    const second = await deliverer.attempt(attempt, new AbortController().signal);
    expect(judge(second)).toBe('delivered');
    expect(second.connection).toMatchObject({ transactions: 2 });
    expect(peer.connections).toBe(1);
    expect(verbs(peer)).toContain('RSET');
    await deliverer.close();
    for (const end of lifetime.ends) await end();
  },
);

test('an answer to chunks behind the refused one decides nothing', async (t) => {
  const { reports, peer } = await deliver(
    t,
    { BDAT: ['250 more', '452 4.3.1 full', '250 2.0.0 what?'] },
    { message: large(2400), transport: pooled ?? {} },
  );
  expect(reports[0]?.result).toMatchObject({ code: 452, state: 'EOD' });
  expect(peer.messages).toHaveLength(0);
});

test.each(['close', 'reset', 'silence', { raw: '250-half' }, '421 4.3.2 going', '354 what?'] as const)(
  'a peer that answers a chunk with %o is temporary, and nothing was sent whole',
  async (misdeed) => {
    const ends: (() => Promise<void>)[] = [];
    const peer = await startPeer(
      { onTestFinished: (run) => ends.push(run) },
      { EHLO: chunking, BDAT: misdeed },
    );
    const deliverer = new SmtpDeliverer({ hostname: 'host.test' });
    const abort = new AbortController();
    const done = deliverer.attempt(makeAttempt(peer.port, { message: large(1200) }), abort.signal);
    await peer.until(({ chunks }) => chunks.length > 0);
    // Three minutes are not waited for here; that a chunk has a deadline is shown by the clock in network-faults.
    if (misdeed === 'silence' || (typeof misdeed === 'object' && !('next' in misdeed))) abort.abort();
    const report = await done;
    expect(judge(report)).toBe('deferred');
    expect(report.error?.message ?? '').not.toMatch(/arrive twice/);
    expect(peer.messages).toHaveLength(0);
    await deliverer.close();
    for (const end of ends) await end();
  },
);

test.for([300, 1200])(
  'a reply too many before the first of %i KiB: nothing is sent, so nothing can arrive twice',
  async (kib, t) => {
    const { reports, peer } = await deliver(
      t,
      { RCPT: { raw: '250 2.1.5 ok\r\n250 2.0.0 taken\r\n' } },
      { message: large(kib) },
    );
    expect(reports[0]?.error).toMatchObject({ temporary: true, type: 'protocol', state: 'DATA' });
    expect(reports[0]?.error?.message).not.toMatch(/twice/);
    expect(peer.chunks).toHaveLength(0);
  },
);

test('a connection lost after the last chunk may mean that the message arrives twice', async (t) => {
  const { reports } = await deliver(t, { EOD: 'close' }, { message: large(300) });
  expect(reports[0]?.error).toMatchObject({ temporary: true, type: 'network', state: 'EOD' });
  expect(reports[0]?.error?.message).toMatch(/may arrive twice/);
});

test('by LMTP the last chunk is answered for the recipient', async (t) => {
  const { reports, peer } = await deliver(
    t,
    { LHLO: chunking },
    { message: large(300), options: { protocol: 'lmtp' } },
  );
  expect(reports.map(judge)).toEqual(['delivered']);
  expect(peer.messages[0]?.equals(large(300))).toBe(true);
});

test('bare line ends are put right as for DATA, and a last line without one is ended', async (t) => {
  const stored = Buffer.concat([large(300), Buffer.from('one\ntwo\rthree')]);
  const { peer } = await deliver(t, {}, { message: stored });
  expect(peer.messages[0]?.subarray(-16).toString()).toBe('one\r\ntwo three\r\n');
});

const binary: AttemptChanges['options'] = {
  sender: { localPart: 'a', domain: 'a.test', params: { BODY: 'BINARYMIME' } },
};

test('a message that a script calls binary arrives byte for byte', async (t) => {
  const message = Buffer.from('Subject: b\r\n\r\n\0\n\r.\r\n.\r\nend', 'latin1');
  const { peer, reports } = await deliver(t, {}, { message, options: binary });
  expect(reports.map(judge)).toEqual(['delivered']);
  expect(peer.messages[0]?.equals(message)).toBe(true);
  expect(peer.commands[1]).toMatch(/BODY=BINARYMIME/);
});

test('and is not sent to a peer that takes none', async (t) => {
  const { reports, peer } = await deliver(t, { EHLO: '250 peer.test\nCHUNKING' }, { options: binary });
  expect(reports[0]?.error).toMatchObject({ temporary: false, message: expect.stringMatching(/^5\.6\.3 /) });
  expect(verbs(peer)).not.toContain('MAIL');
});
