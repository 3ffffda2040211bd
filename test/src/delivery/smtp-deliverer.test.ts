// The client against peers that refuse, vanish, fall silent or talk nonsense in every state.

import { connect as netConnect, type Socket } from 'node:net';
import { describe, expect, type TestContext, test } from 'vitest';
import type { AttemptReport } from '#hooks';
import { noTls, type TlsTrust } from '../../../src/delivery/client/tls.js';
import type { Attempt } from '../../../src/delivery/deliverer.js';
import { judge } from '../../../src/delivery/failure.js';
import { SmtpDeliverer, type SmtpDelivererOptions } from '../../../src/delivery/smtp-deliverer.js';
import { type AttemptChanges, makeAttempt, memoryReader } from '../../support/delivery-attempt.js';
import { ManualClock } from '../../support/manual-clock.js';
import { type PeerAnswer, type PeerScript, type PeerState, startPeer } from '../../support/scripted-peer.js';
import { TestLog } from '../../support/test-log.js';

const plainEhlo = '250 peer.test\n8BITMIME';
const patience = {
  BANNER: 5,
  EHLO: 5,
  HELO: 5,
  LHLO: 5,
  MAIL: 5,
  RCPT: 5,
  DATA: 5,
  EOD: 5,
  RSET: 5,
  QUIT: 5,
};

function startDeliverer(t: TestContext, options: Partial<SmtpDelivererOptions> = {}): SmtpDeliverer {
  const deliverer = new SmtpDeliverer({ hostname: 'host.test', ...options });
  t.onTestFinished(() => deliverer.close());
  return deliverer;
}

const tryOnce = (deliverer: SmtpDeliverer, attempt: Attempt): Promise<AttemptReport> =>
  deliverer.attempt(attempt, new AbortController().signal);

async function deliverTo(
  t: TestContext,
  script: PeerScript,
  changes: AttemptChanges = {},
  options: Partial<SmtpDelivererOptions> = {},
) {
  const peer = await startPeer(t, script);
  const deliverer = startDeliverer(t, options);
  const report = await tryOnce(
    deliverer,
    makeAttempt(peer.port, { ...changes, transport: { timeouts: patience, ...changes.transport } }),
  );
  return { peer, deliverer, report };
}

/** A connect whose sockets misbehave before anything is said. */
const failingConnect =
  (code: string) =>
  (target: { host: string; port: number }): Socket => {
    const socket = netConnect({ ...target, port: 1, lookup: () => {} });
    socket.destroy(Object.assign(new Error(code), { code }));
    return socket;
  };

describe('a delivery', () => {
  test('with PIPELINING sends MAIL, RCPT and DATA in one write', async (t) => {
    const { peer, report } = await deliverTo(t, {});
    expect(report).toMatchObject({
      result: { code: 250, enhanced: [2, 0, 0], reason: ['taken'], state: 'EOD' },
      connection: {
        transactions: 1,
        localIp: '127.0.0.1',
        helo: 'client.test',
        remoteIp: '127.0.0.1',
        remoteMx: '127.0.0.1',
        remoteGreet: ['peer.test ESMTP'],
      },
    });
    expect(report.error).toBeUndefined();
    expect(judge(report)).toBe('delivered');
    expect(peer.reads.slice(0, 3)).toEqual([
      'EHLO client.test\r\n',
      'MAIL FROM:<a@a.test> SIZE=25\r\nRCPT TO:<b@b.test>\r\nDATA\r\n',
      'Subject: hello\r\n\r\nhello\r\n.\r\n',
    ]);
    await peer.until(({ commands }) => commands.includes('QUIT'));
  });

  test('without PIPELINING waits for each reply', async (t) => {
    const { peer, report } = await deliverTo(t, { EHLO: plainEhlo });
    expect(judge(report)).toBe('delivered');
    expect(peer.reads.slice(0, 5)).toEqual([
      'EHLO client.test\r\n',
      'MAIL FROM:<a@a.test>\r\n',
      'RCPT TO:<b@b.test>\r\n',
      'DATA\r\n',
      'Subject: hello\r\n\r\nhello\r\n.\r\n',
    ]);
  });

  test('greets with HELO where EHLO is not known', async (t) => {
    const { peer, report } = await deliverTo(t, { EHLO: '502 5.5.1 what?' });
    expect(judge(report)).toBe('delivered');
    expect(peer.commands.slice(0, 3)).toEqual([
      'EHLO client.test',
      'HELO client.test',
      'MAIL FROM:<a@a.test>',
    ]);
  });

  test('does not say HELO after a 4xx to EHLO', async (t) => {
    const { peer, report } = await deliverTo(t, { EHLO: '450 4.7.0 later' });
    expect(report.result).toMatchObject({ code: 450, state: 'EHLO' });
    expect(peer.commands).not.toContain('HELO client.test');
  });

  test('by LMTP says LHLO and takes the one reply after the dot', async (t) => {
    const { peer, report } = await deliverTo(t, {}, { transport: { protocol: 'lmtp' } });
    expect(judge(report)).toBe('delivered');
    expect(peer.commands[0]).toBe('LHLO client.test');
  });

  test('has no older greeting in LMTP', async (t) => {
    const { peer, report } = await deliverTo(t, { LHLO: '500 what?' }, { options: { protocol: 'lmtp' } });
    expect(report.result).toMatchObject({ code: 500, state: 'LHLO' });
    expect(peer.commands).not.toContain('HELO client.test');
  });

  test('takes every 2xx to the message as success', async (t) => {
    const { report } = await deliverTo(t, { EOD: '259 whatever' });
    expect(judge(report)).toBe('delivered');
  });

  test('uses what Try says for this attempt', async (t) => {
    const { peer } = await deliverTo(
      t,
      {},
      {
        options: {
          helo: 'try.test',
          sender: { localPart: '', domain: '', params: { AUTH: '<>' } },
          recipient: { localPart: 'odd "one"', domain: 'c.test', params: { XFOO: '' } },
        },
      },
    );
    expect(peer.commands.slice(0, 3)).toEqual([
      'EHLO try.test',
      'MAIL FROM:<> SIZE=25 AUTH=<>',
      'RCPT TO:<"odd \\"one\\""@c.test> XFOO',
    ]);
  });

  test('says the host name where nobody gave a helo name', async (t) => {
    const { peer } = await deliverTo(t, {}, { transport: { helo: undefined } });
    expect(peer.commands[0]).toBe('EHLO host.test');
  });

  test.each([undefined, 1, 7, 1000])(
    'of a large message in chunks of %s bytes arrives whole',
    async (chunkBytes) => {
      // vitest gives each-tests no context; the peer is closed by hand.
      const finished: (() => Promise<void>)[] = [];
      const peer = await startPeer({ onTestFinished: (run) => finished.push(run) });
      const deliverer = new SmtpDeliverer({ hostname: 'host.test' });
      const lines = chunkBytes === 1 || chunkBytes === 7 ? 300 : 20_000;
      const message = Buffer.from(`Subject: large\r\n\r\n${'.line\r\nline\r\n..\r\n'.repeat(lines)}`);
      const report = await tryOnce(
        deliverer,
        makeAttempt(peer.port, { message: memoryReader(message, chunkBytes) }),
      );
      expect(judge(report)).toBe('delivered');
      expect(peer.messages[0]?.equals(message)).toBe(true);
      await deliverer.close();
      for (const run of finished) await run();
    },
  );
});

describe('in every state', () => {
  const misdeeds: [string, PeerAnswer, Partial<NonNullable<AttemptReport['error']>>][] = [
    ['a reset', 'reset', { type: 'network' }],
    ['a close', 'close', { type: 'network' }],
    ['silence', 'silence', { type: 'network' }],
    ['half a reply and a close', { raw: '250-half', next: 'close' }, { type: 'network' }],
    ['half a reply and silence', { raw: '250 half', next: 'silence' }, { type: 'network' }],
    ['garbage', { raw: '\x00\xff\xfe garbage\r\n' }, { type: 'protocol' }],
    ['a multi-line reply of two codes', { raw: '250-one\r\n550 two\r\n' }, { type: 'protocol' }],
    ['an endless reply', { raw: `250-${'x'.repeat(80)}\r\n`.repeat(12_500) }, { type: 'protocol' }],
    ['an endless line', { raw: 'x'.repeat(1024 * 1024) }, { type: 'protocol' }],
    ['300 what', '300 what', { type: 'protocol' }],
  ];
  const states: PeerState[] = ['BANNER', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'EOD'];
  for (const [pipelining, EHLO] of [
    ['with', undefined],
    ['without', plainEhlo],
  ] as const) {
    for (const state of states) {
      for (const [name, answer, error] of misdeeds) {
        test(`${name} in ${state} ${pipelining} PIPELINING is temporary and told as what it is`, async (t) => {
          const { report, deliverer } = await deliverTo(
            t,
            { ...(EHLO === undefined ? {} : { EHLO }), [state]: answer },
            // Only who falls silent is not waited for: a busy machine may be slow to say much.
            { transport: { timeouts: name.includes('silence') ? { ...patience, [state]: 0.05 } : patience } },
          );
          expect(report.result).toBeUndefined();
          expect(report.error).toMatchObject({ temporary: true, ...error });
          // A reset at once may come before we know that we are connected.
          if (state !== 'BANNER' || answer !== 'reset') expect(report.error?.state).toBe(state);
          expect(report.error?.message.includes('may arrive twice')).toBe(state === 'EOD');
          expect(judge(report)).toBe('deferred');
          await deliverer.close();
          expect(deliverer.counters.pool.size).toBe(0);
        });
      }
      for (const code of [421, 451, 554]) {
        test(`${code} in ${state} ${pipelining} PIPELINING is the result`, async (t) => {
          const refusal = `${code} ${code < 500 ? 4 : 5}.3.0 first line\nsecond line`;
          const { report, peer } = await deliverTo(t, {
            ...(EHLO === undefined ? {} : { EHLO }),
            [state]: refusal,
            ...(state === 'EHLO' ? { HELO: refusal } : {}),
          });
          expect(report.error).toBeUndefined();
          expect(report.result).toEqual({
            code,
            enhanced: [code < 500 ? 4 : 5, 3, 0],
            reason: ['first line', 'second line'],
            state: state === 'EHLO' && code === 554 ? 'HELO' : state,
          });
          expect(judge(report)).toBe(code < 500 ? 'deferred' : 'failed');
          expect(peer.messages.filter((message) => message.length > 0)).toHaveLength(state === 'EOD' ? 1 : 0);
        });
      }
    }
  }

  test.for(['BANNER', 'EHLO', 'MAIL', 'RCPT', 'EOD'] as const)(
    'an endless reply in %s is whole for scripts and short in logs',
    async (state, t) => {
      const log = new TestLog();
      const lines = Array.from(
        { length: 400 },
        (_, index) => `451${index === 399 ? ' ' : '-'}${'x'.repeat(140)}`,
      );
      const raw = lines.map((line) => `${line}\r\n`).join('');
      const { report } = await deliverTo(t, { [state]: { raw } }, {}, { log });
      expect(report.result?.reason).toHaveLength(400);
      expect(log.lines.length).toBeGreaterThan(0);
      for (const line of log.lines) expect(JSON.stringify(line).length).toBeLessThan(2500);
    },
  );

  test('a reply that drips in byte by byte is waited for only as long as a whole one', async (t) => {
    const clock = new ManualClock();
    const peer = await startPeer(t, { MAIL: { raw: '2', next: 'silence' } });
    const deliverer = startDeliverer(t, { clock });
    const pending = tryOnce(deliverer, makeAttempt(peer.port));
    await peer.until(({ commands }) => commands.includes('DATA'));
    clock.advance(299_000);
    await peer.say('5');
    await peer.say('0');
    clock.advance(1_000);
    const report = await pending;
    expect(report.error).toMatchObject({ state: 'MAIL', message: 'no answer in state MAIL within 300 s' });
    expect(report.durationSeconds).toBe(300);
  });
});

describe('pipelined replies in every combination', () => {
  const no = '550 5.1.1 no';
  const table: [string, PeerScript, { state: string; code: number }, number | 'dropped'][] = [
    // [name, script, what decides, messages the peer got (empty ones included)]
    ['RCPT and DATA refused', { RCPT: no, DATA: '503 5.5.1 no recipients' }, { state: 'RCPT', code: 550 }, 0],
    ['RCPT refused, DATA accepted', { RCPT: no }, { state: 'RCPT', code: 550 }, 1],
    [
      'RCPT refused, DATA accepted, dot refused',
      { RCPT: no, EOD: '554 5.5.1 no valid recipients' },
      { state: 'RCPT', code: 550 },
      1,
    ],
    ['only DATA refused', { DATA: '452 4.3.1 full' }, { state: 'DATA', code: 452 }, 0],
    [
      'MAIL, RCPT and DATA refused',
      { MAIL: no, RCPT: '503 x', DATA: '503 x' },
      { state: 'MAIL', code: 550 },
      0,
    ],
    ['MAIL and RCPT refused, DATA accepted', { MAIL: no, RCPT: '503 x' }, { state: 'MAIL', code: 550 }, 1],
    ['MAIL refused, RCPT and DATA accepted', { MAIL: no }, { state: 'MAIL', code: 550 }, 'dropped'],
    ['MAIL and DATA refused, RCPT accepted', { MAIL: no, DATA: '503 x' }, { state: 'MAIL', code: 550 }, 0],
    [
      'RCPT refused, DATA answered 250',
      { RCPT: no, DATA: '250 ok' },
      { state: 'RCPT', code: 550 },
      'dropped',
    ],
  ];
  test.each(table)('%s', async (_name, script, decisive, messages) => {
    const finished: (() => Promise<void>)[] = [];
    const peer = await startPeer({ onTestFinished: (run) => finished.push(run) }, script);
    const deliverer = new SmtpDeliverer({ hostname: 'host.test' });
    const attempt = makeAttempt(peer.port, {
      transport: { pooling: { enabled: true, transactions: undefined, idleSeconds: 60 } },
    });
    const report = await tryOnce(deliverer, attempt);
    expect(report.result).toMatchObject(decisive);
    expect(peer.messages.map((message) => message.length)).toEqual(messages === 1 ? [0] : []);
    // A connection in step is kept, one that cannot be brought back into step is not.
    expect(deliverer.counters.pool.size).toBe(messages === 'dropped' ? 0 : 1);
    await deliverer.close();
    for (const run of finished) await run();
  });

  test('in LMTP a data phase without recipients is left without waiting for a reply to the dot', async (t) => {
    const { report, peer } = await deliverTo(t, { RCPT: no }, { transport: { protocol: 'lmtp' } });
    expect(report.result).toMatchObject({ state: 'RCPT', code: 550 });
    expect(peer.messages).toEqual([]);
  });

  test('silence after the decisive refusal does not change it', async (t) => {
    const { report } = await deliverTo(
      t,
      { RCPT: no, DATA: 'silence' },
      { transport: { timeouts: { ...patience, RSET: 0.05 } } },
    );
    expect(report.result).toMatchObject({ state: 'RCPT', code: 550 });
  });
});

describe('while the message is being sent', () => {
  const large = Buffer.alloc(8 * 1024 * 1024, 'Some text of a long message.\r\n');

  test('an early refusal is the answer to the message', async (t) => {
    const { report } = await deliverTo(
      t,
      { BODY: '552 5.3.4 too much already' },
      { message: memoryReader(large, 65536) },
    );
    expect(report.result).toMatchObject({ code: 552, state: 'EOD' });
    expect(judge(report)).toBe('failed');
  });

  test('an early acceptance is no acceptance', async (t) => {
    const { report } = await deliverTo(t, { BODY: '250 thanks' }, { message: memoryReader(large, 65536) });
    expect(report.error).toMatchObject({ type: 'protocol', state: 'DATA', temporary: true });
  });

  test('a reply that comes with the go-ahead is none to the message, of which nothing was sent', async (t) => {
    const { report } = await deliverTo(t, { DATA: { raw: '354 go ahead\r\n250 2.0.0 taken\r\n' } });
    expect(report.error).toMatchObject({ type: 'protocol', state: 'DATA', temporary: true });
    expect(report.error?.message).not.toMatch(/twice/);
  });

  test('a close is temporary, and nothing was sent whole', async (t) => {
    const { report } = await deliverTo(t, { BODY: 'close' }, { message: memoryReader(large, 65536) });
    expect(report.error).toMatchObject({ type: 'network', state: 'DATA', temporary: true });
    expect(report.error?.message).not.toMatch(/twice/);
  });

  test('a spool that cannot be read ends the connection without an end of data', async (t) => {
    const broken = {
      ...memoryReader(large, 65536),
      async *chunks() {
        yield large.subarray(0, 1000);
        throw new Error('input/output error');
      },
    };
    const { report, peer } = await deliverTo(t, {}, { message: broken });
    expect(report.error).toMatchObject({
      type: 'config',
      temporary: true,
      message: 'the message could not be read: input/output error',
    });
    await peer.until(({ open }) => open === 0);
    expect(peer.messages).toEqual([]);
  });

  test('a message shorter than its record says is not sent as if it were whole', async (t) => {
    const short = { ...memoryReader(large.subarray(0, 1000), 100), sizeBytes: 2000 };
    const { report, peer } = await deliverTo(t, {}, { message: short });
    expect(report.error).toMatchObject({
      type: 'config',
      message: expect.stringMatching(/1000 of 2000 bytes/),
    });
    await peer.until(({ open }) => open === 0);
    expect(peer.messages).toEqual([]);
  });
});

describe('what the peer cannot take', () => {
  test('a message above the announced limit fails before it is sent', async (t) => {
    const { report, peer } = await deliverTo(t, { EHLO: '250 peer.test\nSIZE 10' });
    expect(report.error).toEqual({
      temporary: false,
      type: 'smtp',
      state: 'MAIL',
      message: '5.3.4 the message has 25 bytes, the peer takes at most 10',
    });
    expect(judge(report)).toBe('failed');
    expect(peer.commands.some((line) => line.startsWith('MAIL'))).toBe(false);
  });

  test('SIZE without a limit, or with one that is no number, limits nothing', async (t) => {
    expect(judge((await deliverTo(t, { EHLO: '250 peer.test\nSIZE' })).report)).toBe('delivered');
    expect(judge((await deliverTo(t, { EHLO: '250 peer.test\nSIZE lots' })).report)).toBe('delivered');
  });

  test('8-bit content is declared where 8BITMIME is offered, and sent as it is where not', async (t) => {
    const message = 'Subject: x\r\n\r\n\xe5\r\n';
    const offered = await deliverTo(t, {}, { message });
    expect(offered.peer.commands).toContain('MAIL FROM:<a@a.test> SIZE=17 BODY=8BITMIME');
    const not = await deliverTo(t, { EHLO: '250 peer.test\nPIPELINING' }, { message });
    expect(not.peer.commands).toContain('MAIL FROM:<a@a.test>');
    expect(not.peer.messages[0]?.toString('latin1')).toBe(message);
  });

  const utf8 = (text: string) => Buffer.from(text).toString('latin1');

  test('an address in UTF-8 needs SMTPUTF8', async (t) => {
    const recipient = { localPart: utf8('åsa'), domain: 'b.test' };
    const lacking = await deliverTo(t, {}, { recipient });
    expect(lacking.report.error).toMatchObject({
      temporary: false,
      type: 'smtp',
      message: '5.6.7 the message needs SMTPUTF8, which the peer does not offer',
    });
    const offering = await deliverTo(t, { EHLO: '250 peer.test\nSMTPUTF8' }, { recipient });
    expect(offering.peer.commands.slice(1, 3)).toEqual([
      'MAIL FROM:<a@a.test> SMTPUTF8',
      `RCPT TO:<${utf8('åsa')}@b.test>`,
    ]);
  });

  test('a domain in UTF-8 is written in A-labels for a peer without SMTPUTF8', async (t) => {
    const { peer } = await deliverTo(t, {}, { recipient: { localPart: 'b', domain: utf8('bücher.test') } });
    expect(peer.commands).toContain('RCPT TO:<b@xn--bcher-kva.test>');
  });

  test('headers in UTF-8 need SMTPUTF8 only where the message came with it', async (t) => {
    const message = `Subject: ${utf8('å')}\r\n\r\n`;
    expect(judge((await deliverTo(t, {}, { message })).report)).toBe('delivered');
    const declared = await deliverTo(
      t,
      {},
      {
        message,
        sender: { localPart: 'a', domain: 'a.test', params: { SMTPUTF8: '' } },
      },
    );
    expect(declared.report.error?.message).toMatch(/^5\.6\.7/);
  });

  test.each([
    [
      'a line break in a local part',
      { recipient: { localPart: 'a\r\nDATA', domain: 'b.test' } },
      /^5\.1\.3.*control/,
    ],
    ['a bracket in a domain', { recipient: { localPart: 'a', domain: 'b>x' } }, /^5\.1\.3.*domain/],
    ['an 8-bit address that is not UTF-8', { sender: { localPart: '\xe5', domain: 'a.test' } }, /^5\.1\.7/],
  ])('%s is never sent', async (_name, changes, message) => {
    const deliverer = new SmtpDeliverer({ hostname: 'host.test', connect: failingConnect('EUNUSED') });
    const report = await tryOnce(deliverer, makeAttempt(25, changes));
    expect(report.error).toMatchObject({ temporary: false, message: expect.stringMatching(message) });
    await deliverer.close();
  });

  test.each([
    { helo: 'two words' },
    { helo: 'a\r\nMAIL' },
    { sender: { localPart: 'a', domain: 'a.test', params: { AUTH: 'a b' } } },
    { recipient: { localPart: 'a', domain: 'a.test', params: { 'X=': '' } } },
  ])('what a script asks for that SMTP cannot say is a configuration error: %o', async (options) => {
    const deliverer = new SmtpDeliverer({ hostname: 'host.test', connect: failingConnect('EUNUSED') });
    const report = await tryOnce(deliverer, makeAttempt(25, { options }));
    expect(report.error).toMatchObject({ temporary: true, type: 'config' });
    await deliverer.close();
  });

  test('DSN parameters go to a peer that offers DSN, and to no other', async (t) => {
    const options = {
      dsn: { ret: 'HDRS', envid: 'a+b', notify: 'FAILURE', orcpt: 'rfc822;x=y@b.test' },
    } as const;
    const offering = await deliverTo(t, { EHLO: '250 peer.test\nDSN' }, { options });
    expect(offering.peer.commands.slice(1, 3)).toEqual([
      'MAIL FROM:<a@a.test> RET=HDRS ENVID=a+2Bb',
      'RCPT TO:<b@b.test> NOTIFY=FAILURE ORCPT=rfc822;x+3Dy@b.test',
    ]);
    const lacking = await deliverTo(t, {}, { options });
    expect(lacking.peer.commands).toContain('RCPT TO:<b@b.test>');
  });

  test.for([
    ['b@b.test', 'rfc822;b@b.test'],
    // No peer has to take what is no text (RFC 3461 §4.2): it is left out.
    ['rfc822\r\nRCPT TO:<evil@b.test>\r\nX;b@b.test', /^RCPT TO:<b@b\.test>$/],
    ['two words;b@b.test', 'rfc822;two+20words;b@b.test'],
    [';b@b.test', 'rfc822;;b@b.test'],
  ] as const)('an original recipient says nothing but itself: %j', async ([orcpt, expected], t) => {
    const { peer, report } = await deliverTo(
      t,
      { EHLO: '250 peer.test\nDSN' },
      { options: { dsn: { orcpt } } },
    );
    expect(judge(report)).toBe('delivered');
    const named = peer.commands.filter((line) => line.startsWith('RCPT'));
    expect(named).toHaveLength(1);
    expect(named[0]?.replace('RCPT TO:<b@b.test> ORCPT=', '')).toMatch(expected);
  });
});

describe('several addresses', () => {
  test('are tried in order until one greets us', async (t) => {
    const bad = await startPeer(t, { BANNER: '554 5.7.1 not you' });
    const worse = await startPeer(t, { EHLO: 'close' });
    const good = await startPeer(t);
    const log = new TestLog();
    const deliverer = startDeliverer(t, { log });
    const hosts = [bad, worse, good].map(({ port }, at) => ({
      ip: '127.0.0.1',
      port,
      remoteMx: `mx${at}.test`,
    }));
    const report = await tryOnce(deliverer, makeAttempt(0, { addresses: hosts }));
    expect(judge(report)).toBe('delivered');
    expect(
      log.lines.filter(({ message }) => message === 'attempt').map(({ fields }) => fields['remotemx']),
    ).toEqual(['mx2.test']);
    expect(good.messages).toHaveLength(1);
    expect(deliverer.counters).toMatchObject({ opened: 3, refused: 2, transactions: 1 });
  });

  test('are told with their connections while they are tried, pooled ones too', async (t) => {
    const refusing = await startPeer(t, { BANNER: '421 4.3.2 later' });
    const good = await startPeer(t);
    const deliverer = startDeliverer(t);
    const told: { readonly id: string; readonly remotePort: number }[] = [];
    const attempt = {
      ...makeAttempt(0, {
        addresses: [refusing, good].map(({ port }) => ({ ip: '127.0.0.1', port })),
        transport: { pooling: { enabled: true, transactions: undefined, idleSeconds: 60 } },
      }),
      onConnection: (connection: { readonly id: string; readonly remotePort: number }) =>
        told.push(connection),
    };
    await tryOnce(deliverer, attempt);
    expect(told.map(({ remotePort }) => remotePort)).toEqual([refusing.port, good.port]);
    await tryOnce(deliverer, attempt);
    expect(told).toHaveLength(4);
    expect(told[3]!.id).toBe(told[1]!.id);
  });

  test('are not tried after a refusal of the message', async (t) => {
    const first = await startPeer(t, { RCPT: '550 5.1.1 no' });
    const second = await startPeer(t);
    const report = await tryOnce(
      startDeliverer(t),
      makeAttempt(0, { addresses: [first, second].map(({ port }) => ({ ip: '127.0.0.1', port })) }),
    );
    expect(report.result).toMatchObject({ code: 550, state: 'RCPT' });
    expect(second.connections).toBe(0);
  });

  test('that all fail report the one that leaves hope', async (t) => {
    const later = await startPeer(t, { BANNER: '421 4.3.2 later' });
    const never = await startPeer(t, { BANNER: '554 5.7.1 never' });
    const report = await tryOnce(
      startDeliverer(t),
      makeAttempt(0, { addresses: [later, never].map(({ port }) => ({ ip: '127.0.0.1', port })) }),
    );
    expect(report.result).toMatchObject({ code: 421, state: 'BANNER' });
    expect(report.connection?.remoteGreet).toBeUndefined();
  });
});

describe('connecting', () => {
  test('a refused connection is temporary, of type network, and has no connection to show', async (t) => {
    const peer = await startPeer(t);
    await peer.close();
    const report = await tryOnce(startDeliverer(t), makeAttempt(peer.port));
    expect(report.error).toEqual({
      temporary: true,
      type: 'network',
      message: `no connection to 127.0.0.1 port ${peer.port} (ECONNREFUSED)`,
    });
    expect(report.connection).toBeUndefined();
  });

  test('a lack of file descriptors is temporary', async (t) => {
    const deliverer = startDeliverer(t, { connect: failingConnect('EMFILE') });
    const report = await tryOnce(deliverer, makeAttempt(25));
    expect(report.error).toMatchObject({
      temporary: true,
      type: 'network',
      message: expect.stringMatching(/EMFILE/),
    });
    await deliverer.close();
    await expect.poll(() => deliverer.counters.open).toBe(0);
  });

  test('has its own timeout', async (t) => {
    const neverConnects = (target: { host: string; port: number }) =>
      netConnect({ ...target, host: 'nowhere.test', lookup: () => {} });
    const deliverer = startDeliverer(t, { connect: neverConnects });
    const report = await tryOnce(deliverer, makeAttempt(25, { options: { connectTimeoutSeconds: 0.05 } }));
    expect(report.error?.message).toBe('no connection to 127.0.0.1 port 25 in 0.05 s');
    expect(report.durationSeconds).toBeGreaterThan(0.04);
  });

  test('a mistake of ours in the middle of a dialogue leaves no connection behind', async (t) => {
    const trust: TlsTrust = {
      key: () => {
        throw new Error('no keys');
      },
      authorities: () => [],
    };
    const tls = { ...noTls, mode: 'optional', clientCertificate: 'a' } as const;
    const { report, peer, deliverer } = await deliverTo(
      t,
      { EHLO: '250 peer.test\nSTARTTLS' },
      { transport: { tls } },
      { trust },
    );
    expect(report.error).toMatchObject({
      temporary: true,
      type: 'config',
      message: expect.stringMatching(/no keys/),
    });
    await peer.until(({ open }) => open === 0);
    expect(deliverer.counters.open).toBe(0);
  });

  test('a mistake of ours becomes a temporary report', async (t) => {
    const deliverer = startDeliverer(t, {
      connect: () => {
        throw new Error('oops');
      },
    });
    const report = await tryOnce(deliverer, makeAttempt(25));
    expect(report.error).toMatchObject({ temporary: true, message: 'internal error: oops' });
  });
});

describe('giving up', () => {
  test.each(['BANNER', 'EHLO', 'RCPT', 'EOD'] as const)('in %s ends the attempt at once', async (state) => {
    const finished: (() => Promise<void>)[] = [];
    const peer = await startPeer({ onTestFinished: (run) => finished.push(run) }, { [state]: 'silence' });
    const deliverer = new SmtpDeliverer({ hostname: 'host.test' });
    const abort = new AbortController();
    const pending = deliverer.attempt(makeAttempt(peer.port), abort.signal);
    await peer.until(({ commands, messages, connections }) =>
      state === 'BANNER'
        ? connections === 1
        : state === 'EOD'
          ? messages.length === 1
          : commands.some((line) => line.startsWith(state)),
    );
    abort.abort();
    const report = await pending;
    expect(report.error).toMatchObject({ temporary: true, type: 'network' });
    expect(report.error?.message).toMatch(/given up/);
    expect(report.error?.message.includes('twice')).toBe(state === 'EOD');
    await peer.until(({ open }) => open === 0);
    await deliverer.close();
    for (const run of finished) await run();
  });

  test('before the start tries nothing', async (t) => {
    const peer = await startPeer(t);
    const report = await startDeliverer(t).attempt(makeAttempt(peer.port), AbortSignal.abort());
    expect(report.error).toMatchObject({ temporary: true, message: expect.stringMatching(/given up/) });
    expect(peer.connections).toBe(0);
  });
});

describe('TLS of the transport', () => {
  const starttls = '250 peer.test\nSTARTTLS';
  const wish = (mode: 'optional' | 'require') => ({ transport: { tls: { ...noTls, mode } } });

  test('that is optional and fails is given up for this connection only', async (t) => {
    const { peer, report } = await deliverTo(t, { EHLO: starttls, HANDSHAKE: 'close' }, wish('optional'));
    expect(judge(report)).toBe('delivered');
    expect(peer.connections).toBe(2);
    expect(peer.commands.filter((line) => line === 'STARTTLS')).toHaveLength(1);
  });

  test('that is required and fails is a temporary failure of type tls', async (t) => {
    const { peer, report } = await deliverTo(t, { EHLO: starttls, HANDSHAKE: 'close' }, wish('require'));
    expect(judge(report)).toBe('deferred');
    expect(report.error).toMatchObject({ temporary: true, type: 'tls', state: 'STARTTLS' });
    expect(peer.connections).toBe(1);
  });

  test('a log-in that is refused for good does not return the message', async (t) => {
    const { report } = await deliverTo(
      t,
      { EHLO: '250 peer.test\nAUTH PLAIN', AUTH: '535 5.7.8 no' },
      { transport: { credentials: { userName: 'u', password: 'p', allowsUnverified: false } } },
    );
    expect(report.result).toMatchObject({ code: 535, state: 'AUTH' });
    expect(judge(report)).toBe('deferred');
  });
});
