// Whatever operators want, in whatever instant: no message is lost, none is delivered and bounced, and the books are right.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AttemptReport } from '#hooks';
import type { OperatorWish } from '../../../src/queue/message-queue.js';
import { accepted, replied, startedQueue } from '../../support/started-queue.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const wishes: readonly OperatorWish[] = [
  { kind: 'hold', reason: 'h' },
  { kind: 'release' },
  { kind: 'retry' },
  { kind: 'defer', until: 1_000_030 },
  { kind: 'bounce', reason: 'b' },
  { kind: 'delete', reason: 'd' },
  { kind: 'set', change: { priority: 1, quotas: ['a', 'b'] } },
  { kind: 'set', change: { recipient: { localPart: 'x', domain: 'else.test' }, metadata: { a: '1' } } },
];

const reports: readonly AttemptReport[] = [
  accepted,
  replied(451, 'later', [4, 3, 0]),
  replied(451, 'later', [4, 3, 0]),
  replied(550, 'no', [5, 1, 1]),
];

const step = fc.record({
  message: fc.nat(9),
  wish: fc.nat(wishes.length - 1),
  seconds: fc.constantFrom(0, 0, 1, 3, 7),
});

test('wishes at any time lose nothing and double nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 40 }),
      fc.array(fc.nat(reports.length - 1), { minLength: 20, maxLength: 20 }),
      async (steps, outcomes) => {
        const clock = new VirtualClock();
        let attempt = 0;
        const { queue, spool, submit, endings, told } = await startedQueue({
          clock,
          transport: { retryCount: 3, retryIntervals: [{ seconds: 5, notify: false }] },
          policies: { policies: [{ fields: ['remotemx'], default: { concurrency: 2 } }] },
          attempt: async () => {
            const report = reports[outcomes[attempt++ % outcomes.length]!]!;
            await clock.sleep(2);
            return report;
          },
          predelivery: async () => {
            await clock.sleep(1);
            return { kind: 'Try', options: {}, context: null };
          },
          postdelivery: async () => {
            await clock.sleep(1);
            return { kind: 'Default' };
          },
        });
        const messages = await submit(
          ...Array.from({ length: 10 }, (_, n) => ({ quotas: n % 2 === 0 ? ['a'] : [], delaySeconds: n })),
        );
        for (const { message, wish, seconds } of steps) {
          void queue.wish(messages[message]!.id, wishes[wish]!);
          await clock.advance(seconds);
        }
        // What is on hold is let go, until everything has found its end.
        for (let round = 0; round < 20 && queue.size > 0; round++) {
          for (const { id } of messages) await queue.wish(id, { kind: 'release' });
          await clock.advance(30);
        }
        expect(queue.size).toBe(0);
        expect(spool.count).toBe(0);
        expect(Object.values(queue.counts()).every((count) => count === 0)).toBe(true);
        expect(queue.quotas.size).toBe(0);
        for (const { id } of messages) {
          const name = `${id.transaction}:${id.number}`;
          const own = endings.filter((ending) => ending.id === name);
          const delivered = own.filter(({ facts }) => facts.action === undefined);
          const ended = own.filter(({ facts }) => facts.action === 'BOUNCE' || facts.action === 'DELETE');
          // One end, of one kind.
          expect([delivered.length, ended.length].sort()).toEqual([0, 1]);
        }
        const bounces = endings.filter(({ facts }) => facts.action === 'BOUNCE').length;
        expect(told).toHaveLength(bounces);
      },
    ),
    { numRuns: 25, seed: 7 },
  );
}, 60_000);
