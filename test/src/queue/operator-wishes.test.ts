// What operators want of single messages (control-api 4.3), in virtual time.

import { describe, expect, test } from 'vitest';
import type { AttemptReport, PredeliveryOutcome } from '#hooks';
import type { OperatorWish } from '../../../src/queue/message-queue.js';
import { accepted, replied, type StartedQueue, startedQueue } from '../../support/started-queue.js';
import { settled, VirtualClock } from '../../support/virtual-clock.js';

const later = replied(451, 'later', [4, 3, 0]);

/** A queue whose attempts take 10 seconds each. */
async function slowQueue(report: AttemptReport): Promise<StartedQueue> {
  const clock = new VirtualClock();
  return startedQueue({
    clock,
    attempt: async () => {
      await clock.sleep(10);
      return report;
    },
  });
}

describe('a bounce or a deletion', () => {
  test.each([
    ['bounce', 'BOUNCE'],
    ['delete', 'DELETE'],
  ] as const)('by "%s" asks postdelivery, without context and attempt', async (kind, action) => {
    const { submit, clock, queue, attempts, endings } = await startedQueue();
    const [message] = await submit({ hold: true });
    await clock.advance(1);
    expect(await queue.wish(message!.id, { kind, reason: 'by order' })).toBe('done');
    expect(attempts).toHaveLength(0);
    expect(endings).toHaveLength(1);
    expect(endings[0]!.facts).toMatchObject({
      retry: 0,
      expired: false,
      action,
      dsn: { diagnosticCode: 'by order' },
    });
    expect(endings[0]!.facts.attempt).toBeUndefined();
    expect(endings[0]!.facts.policy).toBeUndefined();
    expect(endings[0]!.context).toBeUndefined();
  });

  test('of what waits takes it out of the spool', async () => {
    const { submit, clock, queue, spool } = await startedQueue();
    const messages = await submit({ hold: true }, { delaySeconds: 50 });
    await clock.advance(1);
    for (const { id } of messages) await queue.wish(id, { kind: 'delete', reason: 'x' });
    expect(spool.count).toBe(0);
    expect(queue.size).toBe(0);
  });

  test('leaves the message to a script that wants to keep it', async () => {
    const { submit, clock, queue } = await startedQueue({
      postdelivery: () => ({
        kind: 'Queue',
        options: { hold: false, incrementRetry: false, resetRetry: false, delaySeconds: 7 },
      }),
    });
    const [message] = await submit({ hold: true });
    await queue.wish(message!.id, { kind: 'delete', reason: 'x' });
    await clock.advance(1);
    expect(queue.find(message!.id)).toMatchObject({ state: 'DEFER', message: { retry: 0 } });
  });
});

describe('a message that is being tried', () => {
  test('is deleted when the attempt has ended without success (control-api 4.9, 10)', async () => {
    const { submit, clock, queue, spool, endings } = await slowQueue(later);
    const [message] = await submit();
    await clock.advance(1);
    expect(await queue.wish(message!.id, { kind: 'delete', reason: 'by order' })).toBe('later');
    expect(queue.find(message!.id)).toMatchObject({ state: 'SENDING' });
    expect(spool.count).toBe(1);
    await clock.advance(10);
    expect(endings.map(({ facts }) => [facts.action, facts.attempt !== undefined])).toEqual([
      ['QUEUE', true],
      ['DELETE', false],
    ]);
    expect(spool.count).toBe(0);
  });

  test.each(['bounce', 'delete'] as const)(
    'is simply gone when it was delivered meanwhile: a "%s" then does nothing (control-api 4.9, 10)',
    async (kind) => {
      const { submit, clock, queue, spool, endings } = await slowQueue(accepted);
      const [message] = await submit();
      await clock.advance(1);
      expect(await queue.wish(message!.id, { kind, reason: 'by order' })).toBe('later');
      await clock.advance(10);
      expect(endings.map(({ facts }) => facts.action)).toEqual([undefined]);
      expect(spool.count).toBe(0);
      expect(queue.size).toBe(0);
    },
  );

  test('gets all that is wanted of it, in order', async () => {
    const { submit, clock, queue } = await slowQueue(later);
    const [message] = await submit();
    await clock.advance(1);
    const wishes: readonly OperatorWish[] = [
      { kind: 'set', change: { metadata: { a: '1' }, retry: 7 } },
      { kind: 'hold', reason: 'looked at' },
    ];
    for (const wish of wishes) expect(await queue.wish(message!.id, wish)).toBe('later');
    await clock.advance(10);
    expect(queue.find(message!.id)).toMatchObject({
      state: 'HOLD',
      message: { metadata: { a: '1' }, retry: 7, reason: 'looked at' },
    });
  });

  test('need not be told to go now', async () => {
    const { submit, clock, queue, attempts } = await slowQueue(later);
    const [message] = await submit();
    await clock.advance(1);
    expect(await queue.wish(message!.id, { kind: 'retry' })).toBe('done');
    await clock.advance(20);
    expect(attempts).toHaveLength(1);
  });
});

test('a message whose end is being decided goes at once when it was told to go now', async () => {
  let answer: () => void = () => {};
  const { submit, clock, queue, attempts } = await startedQueue({
    attempt: () => Promise.resolve(later),
    postdelivery: () => new Promise((resolve) => (answer = () => resolve({ kind: 'Default' }))),
  });
  const [message] = await submit();
  await clock.advance(1);
  expect(queue.find(message!.id)).toMatchObject({ state: 'UNKNOWN' });
  expect(await queue.wish(message!.id, { kind: 'retry' })).toBe('later');
  answer();
  await clock.advance(1);
  expect(attempts).toHaveLength(2);
});

test('a message in predelivery is changed before it may be picked up', async () => {
  let answer: (outcome: PredeliveryOutcome) => void = () => {};
  const { submit, clock, queue, attempts } = await startedQueue({
    predelivery: () => new Promise((resolve) => (answer = resolve)),
  });
  const [message] = await submit();
  await clock.advance(1);
  expect(await queue.wish(message!.id, { kind: 'hold' })).toBe('later');
  answer({ kind: 'Try', options: {}, context: null });
  await settled();
  expect(attempts).toHaveLength(0);
  expect(queue.find(message!.id)).toMatchObject({ state: 'HOLD' });
});

describe('a change', () => {
  test('of the recipient has predelivery and the look-up run again', async () => {
    const seen: string[] = [];
    const { submit, clock, queue, attempts } = await startedQueue({
      policies: { policies: [{ fields: ['remotemx'], default: { concurrency: 1 } }] },
      attempt: () => new Promise(() => {}),
      predelivery: ({ recipient }) => {
        seen.push(recipient.domain);
        return { kind: 'Try', options: {}, context: null };
      },
    });
    const [, active] = await submit({}, {});
    await clock.advance(1);
    expect(queue.find(active!.id)).toMatchObject({ state: 'ACTIVE' });
    const recipient = { localPart: 'b', domain: 'else.test' };
    expect(await queue.wish(active!.id, { kind: 'set', change: { recipient } })).toBe('done');
    await clock.advance(1);
    expect(seen).toEqual(['to.test', 'to.test', 'else.test']);
    expect(attempts[1]!.attempt).toMatchObject({ recipient, destination: { remoteMx: 'mx.else.test' } });
  });

  test('is kept over a restart, all of it', async () => {
    const { submit, clock, queue, files } = await startedQueue();
    const [message] = await submit({ hold: true, jobId: 'old', tenantId: 'gone' });
    const change = {
      transportId: 'other',
      jobId: 'new',
      tenantId: '',
      priority: 1 as const,
      retry: 5,
      metadata: { a: '1' },
      quotas: ['q'],
      sender: { localPart: 'x', domain: 'y.test' },
      recipient: { localPart: 'z', domain: 'w.test', params: { NOTIFY: 'NEVER' } },
    };
    await queue.wish(message!.id, { kind: 'set', change });
    const { tenantId: _, ...visible } = change;
    expect(queue.find(message!.id)).toMatchObject({ state: 'HOLD', message: visible });
    expect(queue.find(message!.id)!.message.tenantId).toBeUndefined();
    const second = await startedQueue({ clock, files: files.copy() });
    expect(second.queue.find(message!.id)).toEqual(queue.find(message!.id));
  });

  test('leaves a deferred message where it is', async () => {
    const { submit, clock, queue } = await startedQueue();
    const [message] = await submit({ delaySeconds: 50 });
    await clock.advance(1);
    await queue.wish(message!.id, { kind: 'set', change: { jobId: 'j' } });
    expect(queue.find(message!.id)).toMatchObject({ state: 'DEFER', message: { nextTry: 1_000_050 } });
  });
});

test('a wish for another time takes a message off hold until then', async () => {
  const { submit, clock, queue, attempts } = await startedQueue();
  const [message] = await submit({ hold: true });
  expect(await queue.wish(message!.id, { kind: 'defer', until: 1_000_020 })).toBe('done');
  expect(queue.find(message!.id)).toMatchObject({ state: 'DEFER' });
  await clock.advance(30);
  expect(attempts.map(({ at }) => at)).toEqual([20]);
});

test('a bounce of what is on hold that the script turns into a wait is no longer on hold after a restart', async () => {
  const { submit, clock, queue, files } = await startedQueue({
    postdelivery: () => ({
      kind: 'Queue',
      options: { hold: false, delaySeconds: 50, incrementRetry: false, resetRetry: false },
    }),
  });
  const messages = await submit({ hold: true }, { delaySeconds: 20 });
  for (const { id } of messages) await queue.wish(id, { kind: 'bounce', reason: 'by order' });
  await clock.advance(0);
  const second = await startedQueue({ clock, files: files.copy() });
  for (const { id } of messages) {
    expect(queue.find(id)).toMatchObject({ state: 'DEFER', message: { nextTry: 1_000_050 } });
    expect(second.queue.find(id)).toEqual(queue.find(id));
  }
});
