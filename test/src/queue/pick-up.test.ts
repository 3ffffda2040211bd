import { describe, expect, test } from 'vitest';
import { PickupPolicy } from '../../../src/policy/pickup-policy.js';
import type { PolicyConfig } from '../../../src/policy/policy-config.js';
import { accepted, startedQueue } from '../../support/started-queue.js';
import { VirtualClock } from '../../support/virtual-clock.js';

function perMx(concurrency: number): PolicyConfig {
  return { policies: [{ fields: ['remotemx'], default: { concurrency } }] };
}

const to = (domain: string) => ({ recipient: { localPart: 'r', domain } });

/** A queue whose peers take a second for each message. */
async function slowQueue(policies: PolicyConfig, options: { concurrency?: number } = {}) {
  const clock = new VirtualClock();
  const ends: number[] = [];
  const began = clock.now();
  const started = await startedQueue({
    clock,
    policies,
    options,
    attempt: async () => {
      await clock.sleep(1);
      ends.push(clock.now() - began);
      return accepted;
    },
  });
  return { ...started, ends };
}

describe('concurrency for each next hop', () => {
  test('4 and 20 messages that take a second: never more than 4 at once, done after 5 s (3.6, 1)', async () => {
    const { submit, clock, open, ends, spool } = await slowQueue(perMx(4));
    await submit(...Array.from({ length: 20 }, () => to('a.test')));
    await clock.advance(10);
    expect(open.get('mx.a.test')).toEqual({ now: 0, most: 4 });
    expect(ends).toHaveLength(20);
    expect(ends.at(-1)).toBe(5);
    expect(spool.count).toBe(0);
  });

  test('two next hops have four each (3.6, 2)', async () => {
    const { submit, clock, open, ends } = await slowQueue(perMx(4));
    await submit(...Array.from({ length: 20 }, (_, n) => to(n % 2 === 0 ? 'a.test' : 'b.test')));
    await clock.advance(10);
    expect(open.get('mx.a.test')!.most).toBe(4);
    expect(open.get('mx.b.test')!.most).toBe(4);
    expect(open.get('')!.most).toBe(8);
    expect(ends.at(-1)).toBe(3);
  });

  test('names that differ in case or by a trailing dot are one next hop', async () => {
    const { submit, clock, open } = await slowQueue(perMx(1));
    await submit(to('a.test'), to('A.TEST.'), to('a.Test'));
    await clock.advance(10);
    expect(open.get('')!.most).toBe(1);
  });

  test('a full next hop does not hold up others behind it', async () => {
    const { submit, clock, attempts } = await slowQueue(perMx(1));
    await submit(...Array.from({ length: 50 }, () => to('a.test')), to('b.test'));
    await clock.advance(0);
    expect(attempts.map(({ mx }) => mx)).toEqual(['mx.a.test', 'mx.b.test']);
  });

  test('without a limit all go at once', async () => {
    const { submit, clock, open } = await slowQueue({ policies: [] });
    await submit(...Array.from({ length: 100 }, () => to('a.test')));
    await clock.advance(0);
    expect(open.get('mx.a.test')!.now).toBe(100);
  });

  test('the limit over all next hops holds as well', async () => {
    const { submit, clock, open, ends } = await slowQueue(perMx(4), { concurrency: 6 });
    await submit(...Array.from({ length: 24 }, (_, n) => to(`d${n % 3}.test`)));
    await clock.advance(10);
    expect(open.get('')!.most).toBe(6);
    expect(ends).toHaveLength(24);
  });
});

test('high priority goes first within a sub-queue and between them (1.6, 8)', async () => {
  const { submit, clock, attempts } = await slowQueue(perMx(1), { concurrency: 1 });
  await submit(to('a.test'));
  await clock.advance(0.5);
  await submit(
    to('a.test'),
    { ...to('b.test') },
    { ...to('a.test'), priority: 1 },
    { ...to('b.test'), priority: 1 },
  );
  await clock.advance(10);
  expect(attempts.slice(1).map(({ id }) => id.slice(-1))).toEqual(['3', '4', '1', '2']);
});

test('what is blocked is not looked at again until there is room', async () => {
  let asked = 0;
  class CountingPolicy extends PickupPolicy {
    override take(group: Parameters<PickupPolicy['take']>[0]) {
      asked++;
      return super.take(group);
    }
  }
  const clock = new VirtualClock();
  const { submit } = await startedQueue({
    clock,
    options: { policy: new CountingPolicy(perMx(1)) },
    attempt: async ({ recipient }) => {
      await clock.sleep(recipient.domain === 'slow0.test' ? 1 : 1000);
      return accepted;
    },
  });
  for (let n = 0; n < 100; n++) await submit(...Array.from({ length: 5 }, () => to(`slow${n}.test`)));
  await clock.advance(0.5);
  // Each sub-queue was asked once with a result and once without.
  expect(asked).toBe(200);
  await submit(to('other.test'));
  await clock.advance(0.1);
  expect(asked).toBe(201);
  await clock.advance(1);
  // One slot became free: its sub-queue took it, and found it was the only one.
  expect(asked).toBe(203);
});

test('a new policy counts from what is in flight, and wakes what it lets through', async () => {
  const { submit, clock, open, queue } = await slowQueue(perMx(1));
  await submit(...Array.from({ length: 10 }, () => to('a.test')));
  await clock.advance(0.5);
  expect(open.get('mx.a.test')!.now).toBe(1);
  queue.reconfigure(perMx(3));
  await clock.advance(0);
  expect(open.get('mx.a.test')!.now).toBe(3);
  queue.reconfigure({ policies: [{ fields: ['transportid'], default: { concurrency: 5 } }] });
  await clock.advance(0);
  expect(open.get('mx.a.test')!.now).toBe(8);
  queue.reconfigure(perMx(2));
  await clock.advance(1);
  expect(open.get('mx.a.test')!.now).toBe(2);
  await clock.advance(10);
  expect(open.get('mx.a.test')!.now).toBe(0);
  expect(queue.size).toBe(0);
});

test('a held message gives the room it was woken for to the next', async () => {
  const policies: PolicyConfig = {
    policies: [
      { fields: ['transportid'], default: { concurrency: 1 } },
      { fields: ['remotemx'], default: { concurrency: 1 } },
    ],
  };
  const { submit, clock, attempts, queue } = await slowQueue(policies);
  const messages = await submit(to('a.test'), to('b.test'), to('c.test'), to('d.test'));
  await clock.advance(0.5);
  await queue.wish(messages[1]!.id, { kind: 'hold' });
  await clock.advance(10);
  expect(attempts.map(({ mx }) => mx)).toEqual(['mx.a.test', 'mx.c.test', 'mx.d.test']);
});

test('policies over several fields never let more through than each allows, and in the end everything goes', async () => {
  const policies: PolicyConfig = {
    policies: [
      { fields: ['remotemx'], default: { concurrency: 3 } },
      { fields: ['jobid', 'remotemx'], default: { concurrency: 2 } },
      { fields: ['jobid'], default: { concurrency: 5 } },
      { fields: [], default: { concurrency: 9 } },
    ],
  };
  const clock = new VirtualClock();
  const open = new Map<string, number>();
  let seed = 1;
  const { submit, attempts, queue } = await startedQueue({
    clock,
    policies,
    predelivery: (message) => ({
      kind: 'Try',
      options: { jobId: `job${message.id.number % 4}` },
      context: null,
    }),
    attempt: async ({ options, destination }) => {
      const names: [string, number][] = [
        [destination.remoteMx, 3],
        [`${options.jobId} ${destination.remoteMx}`, 2],
        [options.jobId!, 5],
        ['all', 9],
      ];
      for (const [name, most] of names) {
        open.set(name, (open.get(name) ?? 0) + 1);
        expect(open.get(name)).toBeLessThanOrEqual(most);
      }
      seed = (seed * 16807) % 2147483647;
      await clock.sleep(0.1 + (seed % 100) / 50);
      for (const [name] of names) open.set(name, open.get(name)! - 1);
      return accepted;
    },
  });
  await submit(
    ...Array.from({ length: 300 }, (_, n) => ({
      ...to(`d${n % 7}.test`),
      priority: (n % 5 === 0 ? 1 : 0) as 0 | 1,
    })),
  );
  await clock.advance(200);
  expect(attempts).toHaveLength(300);
  expect(queue.size).toBe(0);
}, 30_000);
