// Quotas (queue-and-config 6): counted while a message is in the queue.

import { describe, expect, test } from 'vitest';
import { Quotas } from '../../../../src/queue/table/quotas.js';
import { replied, startedQueue } from '../../../support/started-queue.js';

const later = replied(451, 'later', [4, 3, 0]);

describe('quotas', () => {
  test('count messages and bytes by name, and forget names that nobody has', () => {
    const quotas = new Quotas();
    quotas.add(['a', 'b'], 100);
    quotas.add(['a', 'a'], 50);
    quotas.add([], 7);
    expect(quotas.of('a')).toEqual({ count: 2, bytes: 150 });
    expect([...quotas.list()]).toEqual([
      { name: 'a', count: 2, bytes: 150 },
      { name: 'b', count: 1, bytes: 100 },
    ]);
    quotas.remove(['a', 'b'], 100);
    expect(quotas.of('b')).toEqual({ count: 0, bytes: 0 });
    expect(quotas.size).toBe(1);
    quotas.remove(['a', 'a'], 50);
    expect(quotas.size).toBe(0);
  });
});

describe('the queue', () => {
  test('counts what is queued, until it is delivered (6, 1)', async () => {
    const { queue, submit, clock } = await startedQueue();
    const messages = await submit(...[1, 2, 3].map(() => ({ quotas: ['c1', 'total'], delaySeconds: 10 })));
    const bytes = messages.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(queue.quotas.of('c1')).toEqual({ count: 3, bytes });
    expect(queue.quotas.of('total')).toEqual({ count: 3, bytes });
    expect(queue.quotas.of('other')).toEqual({ count: 0, bytes: 0 });
    await clock.advance(11);
    expect(queue.quotas.of('c1')).toEqual({ count: 0, bytes: 0 });
    expect(queue.quotas.size).toBe(0);
  });

  test('keeps the count over a restart (6, 3)', async () => {
    const first = await startedQueue({ attempt: () => Promise.resolve(later) });
    await first.submit({ quotas: ['c1'] }, { quotas: ['c1'] }, {});
    await first.clock.advance(1);
    const second = await startedQueue({ clock: first.clock, files: first.files.copy() });
    expect(second.queue.quotas.of('c1')).toEqual(first.queue.quotas.of('c1'));
    expect(second.queue.quotas.of('c1').count).toBe(2);
  });

  test('counts down when an operator bounces a message (6, 4)', async () => {
    const { queue, submit, clock } = await startedQueue();
    const [message] = await submit({ quotas: ['c1'], hold: true });
    expect(queue.quotas.of('c1').count).toBe(1);
    await queue.wish(message!.id, { kind: 'bounce', reason: 'x' });
    await clock.advance(1);
    expect(queue.quotas.of('c1').count).toBe(0);
  });

  test('follows a script that gives a message other quotas', async () => {
    const { queue, submit, clock } = await startedQueue({
      predelivery: () => ({
        kind: 'Queue',
        options: {
          hold: true,
          incrementRetry: false,
          resetRetry: false,
          quotas: ['new'],
        },
      }),
    });
    await submit({ quotas: ['old'] });
    await clock.advance(1);
    expect([...queue.quotas.list()].map(({ name, count }) => [name, count])).toEqual([['new', 1]]);
  });
});
