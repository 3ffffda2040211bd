import { beforeEach, expect, test } from 'vitest';
import type { QueueRequest } from '#hooks';
import { type ControlledQueue, controlledQueue, itemsOf } from '../../support/controlled-queue.js';
import { uuid } from '../../support/mail-samples.js';

let started: ControlledQueue;

const messages: readonly Partial<QueueRequest>[] = [
  { jobId: 'spring', metadata: { score: '10', a: '1' }, sender: { localPart: 'joanna', domain: 'x' } },
  { jobId: 'summer', metadata: { score: '9' }, delaySeconds: 100 },
  { metadata: { score: 'none' }, hold: true, sender: { localPart: '', domain: '' } },
  {
    jobId: 'spring',
    hold: true,
    tenantId: 't1',
    recipient: { localPart: 'Ann', domain: 'Other.TEST' },
    quotas: ['q1', 'q2'],
    priority: 1,
  },
];

beforeEach(async () => {
  started = await controlledQueue({ attempt: () => new Promise(() => {}) });
  for (const message of messages) await started.submit(message);
  await started.clock.advance(0);
});

/** The numbers of the messages that fit. */
async function fitting(conditions: object): Promise<number[]> {
  const items = itemsOf(await started.ask('F', { conditions, sort: [{ field: 'id' }] }));
  return items.map(({ id }) => Number((id as { transaction: string }).transaction.slice(-1)));
}

test('several conditions of one kind are alternatives, several kinds must all fit', async () => {
  expect(await fitting({ jobids: [{ jobid: 'spring' }, { jobid: 'summer' }] })).toEqual([1, 2, 4]);
  expect(await fitting({ jobids: [{ jobid: 'spring' }], queues: [{ queue: 'HOLD' }] })).toEqual([4]);
  expect(await fitting({})).toEqual([1, 2, 3, 4]);
});

test('"not" fits messages that have no value too', async () => {
  expect(await fitting({ jobids: [{ jobid: 'spring', not: true }] })).toEqual([2, 3]);
});

test('two "not" of one kind, which would fit everything, are refused', async () => {
  await expect(
    fitting({
      jobids: [
        { jobid: 'a', not: true },
        { jobid: 'b', not: true },
      ],
    }),
  ).rejects.toThrow('fit every message');
});

test('a pattern matches anywhere, and a bad one is told', async () => {
  expect(await fitting({ jobids: [{ jobid: '^s.*r$', regex: true }] })).toEqual([2]);
  expect(await fitting({ jobids: [{ jobid: 'pri', regex: true }] })).toEqual([1, 4]);
  await expect(fitting({ jobids: [{ jobid: '(', regex: true }] })).rejects.toThrow('conditions.jobids[0]');
});

test('numbers are compared, in ranges too', async () => {
  const { queue, clock } = started;
  const id = (number: number) => ({ transaction: uuid(number), number: 1 });
  for (const [number, retry] of [
    [1, 0],
    [2, 1],
    [3, 3],
    [4, 4],
  ] as const)
    await queue.wish(id(number), { kind: 'set', change: { retry } });
  await clock.advance(0);
  expect(await fitting({ retrycounts: [{ from: 1, to: 3 }] })).toEqual([2, 3]);
  expect(await fitting({ retrycounts: [{ from: 3 }] })).toEqual([3, 4]);
  expect(await fitting({ retrycounts: [{ to: 0 }] })).toEqual([1]);
  expect(await fitting({ retrycounts: [{ op: 'GE', value: 1 }], ids: [{ transaction: uuid(2) }] })).toEqual([
    2,
  ]);
  await expect(fitting({ retrycounts: [{ from: 3, to: 1 }] })).rejects.toThrow('is empty');
});

test('the age of a message counts from when it came', async () => {
  expect(await fitting({ ages: [{ op: 'GT', value: 3600 }] })).toEqual([]);
  await started.clock.advance(3601);
  expect(await fitting({ ages: [{ op: 'GT', value: 3600 }] })).toEqual([1, 2, 3, 4]);
});

test('metadata is compared as text, or as a number where an operator asks for it', async () => {
  expect(await fitting({ metadatas: [{ key: 'score', op: 'GE', value: 9 }] })).toEqual([1, 2]);
  expect(await fitting({ metadatas: [{ key: 'score', op: 'GE', value: '10' }] })).toEqual([1]);
  expect(await fitting({ metadatas: [{ key: 'score', value: '9' }] })).toEqual([2]);
  expect(await fitting({ metadatas: [{ key: 'score' }] })).toEqual([1, 2, 3]);
  expect(await fitting({ metadatas: [{ key: 'a', value: '1' }] })).toEqual([1]);
  expect(await fitting({ metadatas: [{ key: 'score', from: 9.5 }] })).toEqual([1]);
  await expect(fitting({ metadatas: [{ key: 'score', op: 'GT', value: 'x' }] })).rejects.toThrow('a number');
});

test('addresses are compared by networks', async () => {
  expect(await fitting({ senderips: [{ senderip: '192.0.2.0/24' }] })).toEqual([1, 2, 3, 4]);
  expect(await fitting({ senderips: [{ senderip: '127.0.0.0/8' }] })).toEqual([]);
  expect(await fitting({ remoteips: [{ remoteip: '127.0.0.0/8' }] })).toEqual([1]);
  await expect(fitting({ senderips: [{ senderip: '300.1.1.1' }] })).rejects.toThrow('192.0.2.0/24');
});

test('addresses of mail are found by their parts, without case unless it is asked for', async () => {
  expect(await fitting({ senders: [{ localpart: 'ann', partial: true }] })).toEqual([1]);
  expect(await fitting({ senders: [{ sender: 'JOANNA@X' }] })).toEqual([1]);
  expect(await fitting({ senders: [{ sender: '' }] })).toEqual([3]);
  expect(await fitting({ recipients: [{ recipient: 'ann@other.test' }] })).toEqual([4]);
  expect(await fitting({ recipients: [{ recipient: 'ann@other.test', casesensitive: true }] })).toEqual([]);
  expect(await fitting({ recipientdomains: [{ recipientdomain: 'other.test' }] })).toEqual([4]);
  expect(await fitting({ recipients: [{ recipient: '^r1@', regex: true }] })).toEqual([1, 2, 3]);
});

test('states, ids, quotas, priorities, dates and next hops are conditions too', async () => {
  expect(await fitting({ queues: [{ queue: 'SENDING' }, { queue: 'DEFER' }] })).toEqual([1, 2]);
  expect(await fitting({ ids: [{ transaction: uuid(2), queue: 1 }, { transaction: uuid(3) }] })).toEqual([
    2, 3,
  ]);
  expect(await fitting({ ids: [{ transaction: uuid(2), queue: 2 }] })).toEqual([]);
  expect(await fitting({ quotas: [{ quota: 'q2' }] })).toEqual([4]);
  expect(await fitting({ prioritys: [{ value: 1 }] })).toEqual([4]);
  expect(await fitting({ tenantids: [{ tenantid: 't1' }] })).toEqual([4]);
  expect(await fitting({ remotemxs: [{ remotemx: 'MX.to.test.' }] })).toEqual([1]);
  expect(await fitting({ retrydelays: [{ from: 50, to: 100 }] })).toEqual([2]);
  // The test's clock begins at 1,000,000.
  expect(await fitting({ tss: [{ value: '1970-01-12' }] })).toEqual([1, 2, 3, 4]);
  expect(await fitting({ tss: [{ op: 'GT', value: '1970-01-12T13:46:40Z' }] })).toEqual([]);
  await expect(fitting({ tss: [{ value: 'yesterday' }] })).rejects.toThrow('ISO 8601');
});
