import { describe, expect, test } from 'vitest';
import type { AttemptReport, QueueOptions } from '#hooks';
import { uuid } from '../../support/mail-samples.js';
import { accepted, replied, startedQueue } from '../../support/started-queue.js';
import { settled, VirtualClock } from '../../support/virtual-clock.js';

const later = replied(451, 'later', [4, 3, 0]);
const unknownUser = replied(550, 'no such user', [5, 1, 1]);

const queueOptions: QueueOptions = { hold: false, incrementRetry: true, resetRetry: false };

function interval(...seconds: number[]) {
  return seconds.map((value) => ({ seconds: value, notify: false }));
}

describe('a message that is taken', () => {
  test('is delivered once, postdelivery hears of it, and the spool is empty (queue-and-config 1.6, 1)', async () => {
    const { spool, queue, submit, clock, attempts, endings } = await startedQueue();
    await submit();
    await clock.advance(1);
    expect(attempts).toHaveLength(1);
    expect(endings).toHaveLength(1);
    expect(endings[0]!.facts.action).toBeUndefined();
    expect(endings[0]!.facts).toMatchObject({ retry: 0, expired: false, attempt: { result: { code: 250 } } });
    expect(spool.count).toBe(0);
    expect(queue.size).toBe(0);
  });

  test('carries what predelivery left from one hook to the other, and the options to the attempt', async () => {
    const context = { any: 'thing' };
    const recipient = { localPart: 'other', domain: 'else.test' };
    const { submit, clock, attempts, endings } = await startedQueue({
      predelivery: () => ({ kind: 'Try', options: { recipient, helo: 'me.test' }, context }),
    });
    await submit();
    await clock.advance(1);
    expect(attempts[0]!.attempt).toMatchObject({ recipient, options: { helo: 'me.test' } });
    expect(attempts[0]!.mx).toBe('mx.else.test');
    expect(endings[0]!.context).toBe(context);
  });

  test('is not sent again when the spool cannot forget it at once', async () => {
    const { files, spool, submit, clock, attempts, log } = await startedQueue();
    await submit();
    files.fail = ({ kind }) => (kind === 'write' ? { code: 'ENOSPC' } : undefined);
    await clock.advance(20);
    const errors = log.lines.filter(({ level }) => level === 'error');
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('nothing is sent')]);
    expect(spool.count).toBe(1);
    files.fail = () => undefined;
    await clock.advance(20);
    expect(spool.count).toBe(0);
    expect(attempts).toHaveLength(1);
  });

  test('is done even if the script says otherwise', async () => {
    const { submit, clock, spool } = await startedQueue({
      postdelivery: () => ({ kind: 'Queue', options: queueOptions }),
    });
    await submit();
    await clock.advance(1);
    expect(spool.count).toBe(0);
  });
});

describe('a message that is put off', () => {
  test('is tried by the retry table, then expires, and its sender is told (1.6, 2)', async () => {
    const { submit, clock, attempts, endings, told, spool } = await startedQueue({
      transport: { retryCount: 2, retryIntervals: interval(1, 2) },
      attempt: () => Promise.resolve(later),
    });
    await submit();
    await clock.advance(100);
    expect(attempts.map(({ at }) => at)).toEqual([0, 1, 3]);
    expect(endings.map(({ facts }) => [facts.retry, facts.expired, facts.action])).toEqual([
      [0, false, 'QUEUE'],
      [1, false, 'QUEUE'],
      [2, true, 'BOUNCE'],
    ]);
    expect(told.map(({ at }) => at)).toEqual([3]);
    expect(told[0]!.text).toContain('\r\nAction: failed\r\nStatus: 4.3.0\r\n');
    expect(spool.count).toBe(0);
  });

  test('uses the last interval again and again', async () => {
    const { submit, clock, attempts } = await startedQueue({
      transport: { retryIntervals: interval(1, 5) },
      attempt: () => Promise.resolve(later),
    });
    await submit();
    await clock.advance(17);
    expect(attempts.map(({ at }) => at)).toEqual([0, 1, 6, 11, 16]);
  });

  test('expires by age as well', async () => {
    const { submit, clock, attempts, endings } = await startedQueue({
      transport: { retryIntervals: interval(10), retryDuringSeconds: 15 },
      attempt: () => Promise.resolve(later),
    });
    await submit();
    await clock.advance(100);
    expect(attempts.map(({ at }) => at)).toEqual([0, 10, 20]);
    expect(endings.at(-1)!.facts.expired).toBe(true);
  });

  test('keeps the beginning of an endless reason, whoever gave it; its sender and the script get more', async () => {
    const { submit, clock, queue, endings } = await startedQueue({
      attempt: () => Promise.resolve(replied(451, 'x'.repeat(60_000))),
      predelivery: (message) =>
        message.retry === 1
          ? { kind: 'Queue', options: { ...queueOptions, reason: 'y'.repeat(1 << 20) } }
          : { kind: 'Try', options: {}, context: null },
    });
    const [message] = await submit();
    await clock.advance(1);
    expect(queue.find(message!.id)!.message.reason).toBe(`451 ${'x'.repeat(496)}...`);
    expect(endings[0]!.facts.dsn!.diagnosticCode).toHaveLength(60_004);
    await clock.advance(60);
    expect(queue.find(message!.id)!.message.reason).toBe(`${'y'.repeat(500)}...`);
  });

  test('waits for its delay before the first attempt', async () => {
    const { submit, clock, attempts, queue } = await startedQueue();
    await submit({ delaySeconds: 30 });
    await clock.advance(29);
    expect(queue.counts()).toMatchObject({ DEFER: 1 });
    expect(attempts).toHaveLength(0);
    await clock.advance(1);
    expect(attempts.map(({ at }) => at)).toEqual([30]);
  });

  test('three recipients are three messages with retry counters of their own (1.6, 7)', async () => {
    const { submit, clock, queue, attempts } = await startedQueue({
      transport: { retryIntervals: interval(10) },
      attempt: ({ recipient }) => Promise.resolve(recipient.localPart === 'r2' ? accepted : later),
      postdelivery: (message) =>
        message.id.number === 3
          ? { kind: 'Queue', options: { ...queueOptions, incrementRetry: false } }
          : { kind: 'Default' },
    });
    const messages = await submit({}, {}, {});
    expect(messages.map(({ id }) => `${id.transaction}:${id.number}`)).toEqual(
      [1, 2, 3].map((number) => `${uuid(1)}:${number}`),
    );
    await clock.advance(15);
    expect(attempts.map(({ id }) => id.slice(-1)).sort()).toEqual(['1', '1', '2', '3', '3']);
    expect([...queue.list()].map(({ message }) => [message.id.number, message.retry])).toEqual([
      [1, 2],
      [3, 0],
    ]);
  });

  test('survives a restart with id, count, time, metadata and reason (1.6, 10)', async () => {
    const clock = new VirtualClock();
    const first = await startedQueue({
      clock,
      transport: { retryIntervals: interval(100, 200) },
      attempt: () => Promise.resolve(later),
      predelivery: (message) => ({
        kind: 'Try',
        options: {},
        context: null,
        metadata: { seen: `${message.retry}` },
      }),
    });
    for (let i = 0; i < 250; i++) await first.submit({ priority: 1, quotas: ['q'] }, { jobId: 'job' });
    await clock.advance(130);
    const before = [...first.queue.list()];
    expect(before).toHaveLength(500);
    expect(before[0]!.message).toMatchObject({
      retry: 2,
      metadata: { seen: '1' },
      reason: '451 4.3.0 later',
    });
    // Killed: nothing is closed, the disk is as it is.
    const second = await startedQueue({ clock, files: first.files.copy() });
    const after = [...second.queue.list()];
    expect(after.map(({ state }) => state)).toEqual(before.map(() => 'DEFER'));
    expect(after.map(({ message }) => message)).toEqual(before.map(({ message }) => message));
    await clock.advance(300);
    expect(second.attempts).toHaveLength(500);
    expect(second.spool.count).toBe(0);
  });
});

describe('a message that is refused for good', () => {
  test('is told of to its sender and gone', async () => {
    const { submit, clock, spool, endings, told } = await startedQueue({
      attempt: () => Promise.resolve(unknownUser),
    });
    await submit();
    await clock.advance(1);
    expect(endings[0]!.facts).toMatchObject({
      action: 'BOUNCE',
      expired: false,
      dsn: {
        action: 'failed',
        diagnosticType: 'smtp',
        diagnosticCode: '550 5.1.1 no such user',
        status: [5, 1, 1],
      },
    });
    expect(told).toHaveLength(1);
    expect(told[0]!.attempt).toMatchObject({
      id: endings[0]!.facts.dsn!.id,
      sender: { localPart: '', domain: '' },
      recipient: { localPart: 'sender', domain: 'from.test' },
    });
    expect(spool.count).toBe(0);
  });

  test('is deleted, with a warning, when its transport has no way to tell the sender', async () => {
    const { submit, clock, spool, endings, log, told } = await startedQueue({
      transport: { dsnTransportId: undefined },
      attempt: () => Promise.resolve(unknownUser),
    });
    await submit();
    await clock.advance(1);
    expect(endings[0]!.facts.action).toBe('DELETE');
    expect(endings[0]!.facts.dsn).not.toHaveProperty('action');
    expect(told).toHaveLength(0);
    expect(spool.count).toBe(0);
    expect(log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      'message deleted and its sender not told: the transport has no dsn.transport',
    ]);
  });

  test.each([
    ['has the null sender', { sender: { localPart: '', domain: '' } }],
    ['asked for NOTIFY=NEVER', { dsn: { notify: 'NEVER' } }],
    ['did not ask for FAILURE', { dsn: { notify: 'SUCCESS,DELAY' } }],
  ])('is deleted when it %s', async (_, request) => {
    const { submit, clock, spool, endings, log, told } = await startedQueue({
      attempt: () => Promise.resolve(unknownUser),
    });
    await submit(request);
    await clock.advance(1);
    expect(endings[0]!.facts.action).toBe('DELETE');
    expect(told).toHaveLength(0);
    expect(spool.count).toBe(0);
    expect(
      log.lines.some(({ level, message }) => level === 'warn' && message.startsWith('message deleted: ')),
    ).toBe(true);
  });

  test('is told of when FAILURE is among what it asked for', async () => {
    const { submit, clock, told } = await startedQueue({ attempt: () => Promise.resolve(unknownUser) });
    await submit({ dsn: { notify: 'delay, failure' } });
    await clock.advance(1);
    expect(told).toHaveLength(1);
  });

  test('is deleted when the script says so', async () => {
    const { submit, clock, spool } = await startedQueue({
      attempt: () => Promise.resolve(unknownUser),
      postdelivery: () => ({ kind: 'Delete' }),
    });
    await submit();
    await clock.advance(1);
    expect(spool.count).toBe(0);
  });

  test('is tried again when the script says so, beyond the retry count and on another transport', async () => {
    const { submit, clock, queue } = await startedQueue({
      transport: { retryCount: 0 },
      attempt: () => Promise.resolve(later),
      postdelivery: () => ({
        kind: 'Queue',
        options: {
          ...queueOptions,
          delaySeconds: 7,
          reason: 'as I want',
          transportId: 'elsewhere',
          quotas: ['z'],
        },
        metadata: { mark: '1' },
      }),
    });
    const [message] = await submit();
    await clock.advance(1);
    expect(queue.find(message!.id)).toMatchObject({
      state: 'DEFER',
      message: {
        retry: 1,
        reason: 'as I want',
        transportId: 'elsewhere',
        quotas: ['z'],
        metadata: { mark: '1' },
      },
    });
    expect(queue.find(message!.id)!.message.nextTry).toBeCloseTo(1_000_007);
  });
});

describe('predelivery', () => {
  test('may hold a message, which then goes on only when it is released (1.6, 4)', async () => {
    let runs = 0;
    const { submit, clock, queue, attempts, spool } = await startedQueue({
      predelivery: () =>
        runs++ === 0
          ? { kind: 'Queue', options: { ...queueOptions, hold: true, reason: 'quarantine' } }
          : { kind: 'Try', options: {}, context: null },
    });
    const [message] = await submit();
    await clock.advance(5);
    expect(attempts).toHaveLength(0);
    expect(queue.find(message!.id)).toMatchObject({ state: 'HOLD', message: { reason: 'quarantine' } });
    expect(await queue.wish(message!.id, { kind: 'release' })).toBe('done');
    await clock.advance(0);
    expect(attempts).toHaveLength(1);
    expect(spool.count).toBe(0);
  });

  test('that throws puts the message off for 300 seconds, uncounted (1.6, 5)', async () => {
    const { submit, clock, queue, attempts } = await startedQueue({
      predelivery: () => {
        throw new Error('broken');
      },
    });
    const [message] = await submit();
    await clock.advance(5);
    expect(queue.find(message!.id)).toMatchObject({ state: 'DEFER', message: { retry: 0 } });
    expect(queue.find(message!.id)!.message.nextTry).toBeCloseTo(1_000_300);
    await clock.advance(1000);
    expect(attempts).toHaveLength(0);
  });

  test('may delay by the retry table, counted or not, or from the start', async () => {
    const wishes = [{}, { incrementRetry: false }, { resetRetry: true }, { delaySeconds: 1 }];
    const { submit, clock, queue } = await startedQueue({
      transport: { retryIntervals: interval(10, 20, 30) },
      predelivery: () => ({ kind: 'Queue', options: { ...queueOptions, ...wishes.shift() } }),
    });
    const [message] = await submit();
    const seen: unknown[] = [];
    for (let i = 0; i < 4; i++) {
      await settled();
      const { retry, nextTry } = queue.find(message!.id)!.message;
      seen.push([retry, nextTry - clock.now()]);
      await clock.advance(nextTry - clock.now());
    }
    expect(seen).toEqual([
      [1, 10],
      [1, 20],
      [0, 20],
      [1, 1],
    ]);
  });

  test.each([
    ['Bounce', 'BOUNCE', 1],
    ['Delete', 'DELETE', 0],
  ] as const)(
    'may end a message with %s: postdelivery is told and no attempt is made',
    async (kind, action, count) => {
      const { submit, clock, queue, attempts, endings, told } = await startedQueue({
        predelivery: () => ({ kind, reason: 'not wanted' }),
      });
      const [message] = await submit();
      await clock.advance(1);
      expect(attempts).toHaveLength(0);
      expect(endings[0]!.facts).toMatchObject({
        retry: 0,
        expired: false,
        action,
        dsn: { diagnosticType: 'x-error', diagnosticCode: 'not wanted', status: [5, 0, 0] },
      });
      expect(queue.find(message!.id)).toBeUndefined();
      expect(told).toHaveLength(count);
    },
  );

  test('runs again after each wait, with the retry count', async () => {
    const retries: number[] = [];
    const { submit, clock } = await startedQueue({
      predelivery: (message) => {
        retries.push(message.retry);
        return { kind: 'Try', options: {}, context: null };
      },
      attempt: () => Promise.resolve(later),
      transport: { retryIntervals: interval(1), retryCount: 2 },
    });
    await submit();
    await clock.advance(10);
    expect(retries).toEqual([0, 1, 2]);
  });
});

test('postdelivery that throws leaves the default', async () => {
  const { submit, clock, queue } = await startedQueue({
    attempt: () => Promise.resolve(later),
    postdelivery: () => Promise.reject(new Error('broken')),
  });
  const [message] = await submit();
  await clock.advance(1);
  expect(queue.find(message!.id)).toMatchObject({ state: 'DEFER', message: { retry: 1 } });
});

test('a next hop that cannot be found goes to postdelivery without a policy, and is retried when that is temporary', async () => {
  const errors = [
    { temporary: true, message: 'no answer', type: 'dns' as const },
    { temporary: false, message: 'null MX', type: 'dns' as const, dns: 'nullmx' as const },
  ];
  const { submit, clock, attempts, endings, told, spool } = await startedQueue({
    resolve: (domain) =>
      Promise.resolve(
        domain === 'to.test'
          ? { error: errors.shift()!, durationSeconds: 0 }
          : {
              remoteMx: `mx.${domain}`,
              addresses: [{ ip: '127.0.0.1', port: 25, remoteMx: `mx.${domain}` }],
            },
      ),
  });
  await submit();
  await clock.advance(61);
  expect(attempts).toHaveLength(0);
  expect(
    endings.map(({ facts }) => [facts.action, facts.attempt?.error?.message, facts.policy, facts.grouping]),
  ).toEqual([
    ['QUEUE', 'no answer', undefined, undefined],
    ['BOUNCE', 'null MX', undefined, undefined],
  ]);
  expect(told[0]!.text).toContain('\r\nStatus: 5.1.10\r\n');
  expect(spool.count).toBe(0);
});

describe('a transport that the configuration no longer has', () => {
  const reason = 'the transport "gone" is not configured';

  test('is a failed attempt: tried again by the default table, and then on hold for an operator', async () => {
    const { submit, clock, queue, attempts, endings, told, spool } = await startedQueue();
    const [message] = await submit({ transportId: 'gone' });
    await clock.advance(1);
    expect(queue.find(message!.id)).toMatchObject({ state: 'DEFER', message: { retry: 1, reason } });
    expect(endings[0]!.facts).toMatchObject({
      action: 'QUEUE',
      expired: false,
      attempt: { error: { temporary: true, type: 'config', message: reason } },
    });
    expect(queue.find(message!.id)!.message.nextTry).toBeCloseTo(1_000_060);
    await clock.advance(10 * 86_400);
    expect(queue.find(message!.id)).toMatchObject({ state: 'HOLD', message: { retry: 30, reason } });
    expect(endings).toHaveLength(31);
    expect(endings[30]!.facts).toMatchObject({ action: 'QUEUE', expired: true });
    expect([attempts.length, told.length, spool.count]).toEqual([0, 0, 1]);
  });

  test('can be mended by postdelivery', async () => {
    const { submit, clock, attempts, queue } = await startedQueue({
      postdelivery: (message) =>
        message.transportId === 'gone'
          ? { kind: 'Queue', options: { ...queueOptions, transportId: 'out', delaySeconds: 0 } }
          : { kind: 'Default' },
    });
    await submit({ transportId: 'gone' });
    await clock.advance(1);
    expect(attempts).toHaveLength(1);
    expect(queue.size).toBe(0);
  });

  test('keeps a notification, too', async () => {
    const { submit, clock, queue } = await startedQueue({
      predelivery: (message) =>
        message.sender.domain === '' ? { kind: 'Try', options: {}, context: null } : { kind: 'Bounce' },
    });
    const [message] = await submit({ transportId: 'gone' });
    await clock.advance(10 * 86_400);
    expect(queue.find(message!.id)).toBeUndefined();
    expect([...queue.list()]).toMatchObject([
      { state: 'HOLD', message: { sender: { localPart: '', domain: '' }, transportId: 'gone', reason } },
    ]);
  });
});

test('a deliverer that breaks its word is a temporary failure', async () => {
  const { submit, clock, queue } = await startedQueue({ attempt: () => Promise.reject(new Error('bug')) });
  const [message] = await submit();
  await clock.advance(1);
  expect(queue.find(message!.id)).toMatchObject({ state: 'DEFER', message: { retry: 1, reason: 'bug' } });
});

describe('an operator', () => {
  test('sees every message with its state', async () => {
    const { submit, clock, queue } = await startedQueue({
      attempt: () => new Promise(() => {}),
      policies: { policies: [{ fields: ['remotemx'], default: { concurrency: 1 } }] },
    });
    await submit({}, {}, { hold: true }, { delaySeconds: 50 });
    await clock.advance(1);
    expect([...queue.list()].map(({ state }) => state)).toEqual(['SENDING', 'ACTIVE', 'HOLD', 'DEFER']);
    expect(queue.counts()).toEqual({ ACTIVE: 1, DEFER: 1, SENDING: 1, UNKNOWN: 0, HOLD: 1, UPDATE: 0 });
  });

  test('may hold what waits, and let it go on', async () => {
    const { submit, clock, queue, attempts, spool, files } = await startedQueue({
      attempt: () => new Promise(() => {}),
      policies: { policies: [{ fields: ['remotemx'], default: { concurrency: 1 } }] },
    });
    const [sending, active, deferred] = await submit({}, {}, { delaySeconds: 50 });
    await clock.advance(1);
    const holding = queue.wish(active!.id, { kind: 'hold', reason: 'because' });
    expect(queue.find(active!.id)!.state).toBe('UPDATE');
    expect(await holding).toBe('done');
    expect(await queue.wish(active!.id, { kind: 'hold' })).toBe('done');
    expect(await queue.wish(deferred!.id, { kind: 'hold', reason: 'too' })).toBe('done');
    expect(await queue.wish(sending!.id, { kind: 'release' })).toBe('done');
    expect(await queue.wish({ transaction: uuid(99), number: 1 }, { kind: 'hold' })).toBe('unknown');
    await clock.advance(100);
    expect(attempts).toHaveLength(1);
    const after = await startedQueue({ files: files.copy(), clock });
    expect(after.found.map(({ hold, reason }) => [hold, reason])).toEqual([
      [false, undefined],
      [true, 'because'],
      [true, 'too'],
    ]);
    expect(spool.count).toBe(3);
    expect(await after.queue.wish(deferred!.id, { kind: 'release' })).toBe('done');
    await clock.advance(1);
    expect(after.attempts.map(({ id }) => id.slice(-1))).toEqual(['1', '3']);
  });

  test('may have a deferred message tried now', async () => {
    const { submit, clock, queue, attempts } = await startedQueue();
    const [message] = await submit({ delaySeconds: 5000 });
    await clock.advance(1);
    expect(await queue.wish(message!.id, { kind: 'retry' })).toBe('done');
    await clock.advance(0);
    expect(attempts.map(({ at }) => at)).toEqual([1]);
  });

  test('is told when the spool refuses the change, and the message is where it was', async () => {
    const { submit, clock, queue, files } = await startedQueue();
    const [message] = await submit({ delaySeconds: 5000 });
    await clock.advance(1);
    files.fail = ({ kind }) => (kind === 'write' ? { code: 'ENOSPC' } : undefined);
    await expect(queue.wish(message!.id, { kind: 'hold' })).rejects.toThrow('ENOSPC');
    expect(queue.find(message!.id)).toMatchObject({ state: 'DEFER', message: { hold: false } });
  });
});

describe('a stop', () => {
  test('lets attempts end and begins none', async () => {
    const clock = new VirtualClock();
    const { submit, queue, attempts, spool } = await startedQueue({
      clock,
      attempt: async () => {
        await clock.sleep(3);
        return accepted;
      },
      policies: { policies: [{ fields: ['remotemx'], default: { concurrency: 1 } }] },
    });
    await submit({}, {});
    await clock.advance(1);
    let isStopped = false;
    const stopping = queue.stop(10).then(() => {
      isStopped = true;
    });
    await clock.advance(1);
    expect(isStopped).toBe(false);
    await clock.advance(1);
    expect(isStopped).toBe(true);
    await stopping;
    expect(attempts).toHaveLength(1);
    expect(spool.count).toBe(1);
  });

  test('does not wait for look-ups', async () => {
    const clock = new VirtualClock();
    const { queue, submit, attempts, endings, spool } = await startedQueue({
      clock,
      resolve: () => clock.sleep(20).then(() => replied(451, 'nobody knows')),
    });
    await submit();
    await clock.advance(1);
    let isStopped = false;
    void queue.stop(10).then(() => {
      isStopped = true;
    });
    await clock.advance(0);
    expect(isStopped).toBe(true);
    await clock.advance(30);
    expect([attempts.length, endings.length, spool.count]).toEqual([0, 0, 1]);
  });

  test('gives up what takes too long, uncounted', async () => {
    const clock = new VirtualClock();
    const { submit, queue, files, endings } = await startedQueue({
      clock,
      attempt: (_, signal) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(replied(421, 'given up')))),
    });
    await submit();
    await clock.advance(1);
    const stopping = queue.stop(10);
    await clock.advance(10);
    await stopping;
    expect(endings).toHaveLength(0);
    const after = await startedQueue({ files: files.copy(), clock });
    expect(after.found).toMatchObject([{ retry: 0, nextTry: 0 }]);
  });

  test('keeps what is delivered long after it was given up from coming back', async () => {
    const clock = new VirtualClock();
    const { queue, submit, spool, log } = await startedQueue({
      clock,
      attempt: () => clock.sleep(60).then(() => accepted),
    });
    await submit();
    await clock.advance(1);
    const stopped = queue.stop(10);
    await clock.advance(20);
    await stopped;
    expect(spool.count).toBe(1);
    await clock.advance(60);
    expect(spool.count).toBe(0);
    expect(log.lines.filter(({ message }) => message.includes('may come twice'))).toEqual([]);
  });

  test('keeps what was delivered from coming back, even if postdelivery hangs', async () => {
    const { submit, queue, clock, spool } = await startedQueue({ postdelivery: () => new Promise(() => {}) });
    await submit();
    await clock.advance(1);
    expect(spool.count).toBe(1);
    const stopping = queue.stop(2);
    await clock.advance(20);
    await stopping;
    expect(spool.count).toBe(0);
  });
});

describe('the look-up of next hops', () => {
  const silence: AttemptReport = {
    error: { temporary: true, type: 'dns', dns: 'other', message: 'no answer' },
    durationSeconds: 6,
  };

  test('of silent domains does not keep others waiting', async () => {
    const clock = new VirtualClock();
    const { submit, attempts, endings } = await startedQueue({
      clock,
      resolve: async (domain) => {
        if (domain !== 'alive.test') await clock.sleep(6);
        const remoteMx = `mx.${domain}`;
        return domain === 'alive.test'
          ? { remoteMx, addresses: [{ ip: '127.0.0.1', port: 25, remoteMx }] }
          : silence;
      },
    });
    const recipientIn = (domain: string) => ({ recipient: { localPart: 'r', domain } });
    await submit(...Array.from({ length: 2000 }, (_, n) => recipientIn(`dead${n}.test`)));
    await submit(recipientIn('alive.test'));
    await clock.advance(1);
    expect(attempts.map(({ mx, at }) => [mx, at])).toEqual([['mx.alive.test', 0]]);
    await clock.advance(6);
    expect(endings).toHaveLength(2001);
  });

  test('takes no more messages than it has places, and the hook no more than it has', async () => {
    const clock = new VirtualClock();
    const most = { hook: 0, lookUp: 0 };
    const now = { hook: 0, lookUp: 0 };
    const stay = async (where: 'hook' | 'lookUp') => {
      most[where] = Math.max(most[where], ++now[where]);
      await clock.sleep(1);
      now[where]--;
    };
    const { submit, attempts } = await startedQueue({
      clock,
      options: { preparing: 5, resolving: 20 },
      predelivery: async () => {
        await stay('hook');
        return { kind: 'Try', options: {}, context: null };
      },
      resolve: async (domain) => {
        await stay('lookUp');
        return { remoteMx: domain, addresses: [{ ip: '127.0.0.1', port: 25, remoteMx: domain }] };
      },
    });
    await submit(...Array.from({ length: 100 }, () => ({})));
    await clock.advance(60);
    expect(attempts).toHaveLength(100);
    expect(most.hook).toBe(5);
    // Whoever is in the hook when the last place is taken still goes on.
    expect(most.lookUp).toBeLessThanOrEqual(25);
  });
});

test('a hundred thousand messages that fall due at once are taken in slices', async () => {
  const clock = new VirtualClock();
  let most = 0;
  let sinceTurn = 0;
  let lastTurn = 0;
  const { queue, attempts } = await startedQueue({
    clock,
    predelivery: () => {
      if (clock.turns !== lastTurn) sinceTurn = 0;
      lastTurn = clock.turns;
      most = Math.max(most, ++sinceTurn);
      return { kind: 'Try', options: {}, context: null };
    },
    attempt: () => Promise.resolve(later),
    options: {
      concurrency: 100,
      // The spool is not what is tested here: it would keep a hundred thousand bodies in memory.
      spool: {
        isWritable: () => true,
        isPartlyWritable: () => false,
        update: () => Promise.resolve(),
        remove: () => Promise.resolve(),
        open: () => ({ sizeBytes: 0, chunks: () => (async function* () {})(), whole: () => undefined }),
      },
    },
  });
  queue.accept(
    Array.from({ length: 100_000 }, (_, n) => ({
      id: { transaction: uuid(n), number: 1 },
      ts: 1,
      serverId: 'in',
      senderIp: '192.0.2.1',
      senderHelo: 'x',
      sender: { localPart: 's', domain: 'from.test' },
      recipient: { localPart: `r${n}`, domain: `d${n % 1000}.test` },
      transportId: 'out',
      metadata: {},
      priority: 0 as const,
      quotas: [],
      dsn: {},
      sizeBytes: 0,
      hold: false,
      retry: 0,
      nextTry: 1_000_010,
    })),
  );
  expect(queue.counts().DEFER).toBe(100_000);
  await clock.advance(10);
  for (let i = 0; i < 400 && attempts.length < 100_000; i++) await settled(50);
  expect(attempts).toHaveLength(100_000);
  expect(most).toBeLessThanOrEqual(400);
  expect(queue.counts().DEFER).toBe(100_000);
}, 60_000);
