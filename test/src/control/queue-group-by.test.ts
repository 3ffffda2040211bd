import { beforeEach, expect, test } from 'vitest';
import { type ControlledQueue, controlledQueue } from '../../support/controlled-queue.js';
import { commitMessage, queueRequest, uuid } from '../../support/mail-samples.js';
import { longestTurn } from '../../support/turns.js';

let started: ControlledQueue;

beforeEach(async () => {
  started = await controlledQueue({ attempt: () => new Promise(() => {}) });
});

interface Answer {
  readonly groups: readonly Record<string, unknown>[];
  readonly total: number;
  readonly groupcount: number;
}

const grouped = async (request: object): Promise<Answer> =>
  (await started.ask('D', request)) as unknown as Answer;

/** The values of the groups with their counts: `a/b 3`. */
const counted = async (request: object): Promise<string[]> =>
  (await grouped(request)).groups.map(
    ({ values, count }) => `${Object.values(values as object).join('/')} ${String(count)}`,
  );

test('messages of one domain are spread over the intervals of their age', async () => {
  const { submit, clock } = started;
  const to = { hold: true, recipient: { localPart: 'a', domain: 'One.test' } };
  await submit(to);
  await submit(to);
  await clock.advance(25);
  for (let i = 0; i < 5; i++) await submit({ ...to, recipient: { localPart: 'b', domain: 'one.test' } });
  await clock.advance(5);
  expect(
    await grouped({ groupby: ['recipientdomain'], buckets: { field: 'age', intervals: [10, 60] } }),
  ).toEqual({
    groups: [
      {
        values: { recipientdomain: 'one.test' },
        count: 7,
        size: 7 * 21,
        oldest: '1970-01-12T13:46:40.000Z',
        buckets: [{ upto: 10, count: 5 }, { upto: 60, count: 2 }, { count: 0 }],
      },
    ],
    total: 7,
    groupcount: 1,
  });
});

test('several fields make groups of their combinations, the largest first, and the empty value is one', async () => {
  const { submit } = started;
  for (const [jobId, score] of [
    ['spring', '1'],
    ['spring', '1'],
    ['spring', '2'],
    [undefined, '1'],
    [undefined, undefined],
    [undefined, undefined],
    [undefined, undefined],
  ])
    await submit({
      hold: true,
      ...(jobId !== undefined && { jobId }),
      ...(score !== undefined && { metadata: { score } }),
    });
  expect(await counted({ groupby: ['jobid', 'metadata.score'] })).toEqual([
    '/ 3',
    'spring/1 2',
    '/1 1',
    'spring/2 1',
  ]);
  expect(await counted({ groupby: ['jobid'], conditions: { metadatas: [{ key: 'score' }] } })).toEqual([
    'spring 3',
    ' 1',
  ]);
  const cut = await grouped({ groupby: ['jobid', 'metadata.score'], limit: 1 });
  expect([cut.groups.length, cut.total, cut.groupcount]).toEqual([1, 7, 4]);
});

test('every field of lists can be grouped by, but metadata as a whole', async () => {
  const { submit, clock } = started;
  await submit({ quotas: ['q1', 'q2'], hold: true });
  await submit({ delaySeconds: 100, quotas: ['q1'] });
  await submit();
  await clock.advance(3);
  expect(await counted({ groupby: ['state'] })).toEqual(['DEFER 1', 'HOLD 1', 'SENDING 1']);
  expect(await counted({ groupby: ['quotas'] })).toEqual([' 1', 'q1 1', 'q1, q2 1']);
  expect(await counted({ groupby: ['retrydelay'] })).toEqual([' 2', '97 1']);
  expect(await counted({ groupby: ['remotemx'] })).toEqual([' 2', 'mx.to.test 1']);
  expect(await counted({ groupby: ['sender'] })).toEqual(['sender@from.test 3']);
  expect(await counted({ groupby: ['duration'] })).toEqual([' 2', '3 1']);
  expect(await counted({ groupby: ['grouping'] })).toEqual([' 3']);
  expect(await counted({ groupby: ['id'] })).toHaveLength(3);
  expect(await counted({ groupby: ['retryts'] })).toEqual([' 2', '1970-01-12T13:48:20.000Z 1']);
  await expect(grouped({ groupby: ['metadata'] })).rejects.toThrow(
    'groupby[0]: found "metadata"; expected one of id, state',
  );
});

test('who waits for no time is in no interval of the time to the next try', async () => {
  const { submit } = started;
  await submit({ hold: true });
  await submit({ delaySeconds: 50 });
  await submit({ delaySeconds: 500 });
  const buckets = { field: 'retrydelay', intervals: [60] };
  expect((await grouped({ groupby: ['transportid'], buckets })).groups).toMatchObject([
    { count: 3, buckets: [{ upto: 60, count: 1 }, { count: 1 }] },
  ]);
});

test('what cannot be grouped by is told by its place', async () => {
  const buckets = (field: string, ...intervals: number[]) => ({
    groupby: ['state'],
    buckets: { field, intervals },
  });
  await expect(grouped({})).rejects.toThrow('groupby: expected at least one field');
  await expect(grouped({ groupby: ['nothing'] })).rejects.toThrow('groupby[0]: found "nothing"');
  await expect(grouped({ groupby: ['metadata.'] })).rejects.toThrow('or metadata.KEY');
  await expect(grouped(buckets('size', 1))).rejects.toThrow('buckets.field: found "size"');
  await expect(grouped(buckets('age'))).rejects.toThrow('buckets.intervals: found 0; expected 1 to 100');
  await expect(grouped(buckets('age', 300, 60))).rejects.toThrow(
    'buckets.intervals[1]: found 60; expected more than the 300 before it',
  );
  await expect(grouped({ groupby: ['state'], limit: 10_001 })).rejects.toThrow('at most 10000');
});

test('very many groups leave the event loop its turns', async () => {
  const { spool, queue } = started;
  const count = 40_000;
  for (let at = 0; at < count; at += 10_000) {
    const requests = Array.from({ length: 10_000 }, (_, i) => queueRequest(i + 1, { hold: true }));
    queue.accept(await commitMessage(spool, uuid(at + 1), Buffer.from('x\r\n'), requests));
  }
  // The best of some: a machine that does other work at the same time is no failure.
  const stalls: number[] = [];
  for (let round = 0; round < 3; round++) {
    const watch = longestTurn();
    const answer = await grouped({ groupby: ['id', 'recipient'], limit: 1000 });
    stalls.push(watch());
    expect([answer.groupcount, answer.groups.length]).toEqual([count, 1000]);
  }
  expect(Math.min(...stalls)).toBeLessThan(50);
});
