import { expect, test } from 'vitest';
import { controlledQueue, itemsOf } from '../../support/controlled-queue.js';
import { uuid } from '../../support/mail-samples.js';
import { accepted, replied } from '../../support/started-queue.js';

test('ten deferred messages, of which three are tried now', async () => {
  const { ask, submit, attempts, clock } = await controlledQueue();
  for (let i = 0; i < 10; i++) await submit({ delaySeconds: 1000 });
  await clock.advance(0);
  const answer = await ask('G', { conditions: { queues: [{ queue: 'DEFER' }] }, active: true, limit: 3 });
  await clock.advance(0);
  expect(answer).toEqual({ affected: 3 });
  expect(attempts).toHaveLength(3);
});

test('a message on hold that is bounced sees postdelivery with BOUNCE and no attempt', async () => {
  const { ask, submit, endings, clock, queue } = await controlledQueue();
  await submit({ hold: true });
  expect(await ask('G', { bounce: { reason: 'too old' } })).toEqual({ affected: 1 });
  await clock.advance(0);
  expect(endings).toHaveLength(1);
  expect(endings[0]!.facts).toMatchObject({ action: 'BOUNCE' });
  expect(endings[0]!.facts.attempt).toBeUndefined();
  expect(endings[0]!.context).toBeUndefined();
  expect(queue.find({ transaction: uuid(1), number: 1 })).toBeUndefined();
});

test('metadata that was set is found, and what was removed is not', async () => {
  const { ask, submit } = await controlledQueue();
  await submit({ hold: true, metadata: { b: '2', c: '3' } });
  await ask('G', { set: { metadata: { set: { a: '1' }, remove: ['c'] } } });
  const found = await ask('F', { conditions: { metadatas: [{ key: 'a', value: '1' }] } });
  expect(itemsOf(found)[0]!['metadata']).toEqual({ a: '1', b: '2' });
});

test('transport, job, tenant, priority, addresses and retries can be set', async () => {
  const { ask, submit } = await controlledQueue();
  await submit({ hold: true, jobId: 'old' });
  await ask('G', {
    set: {
      transportid: 'other',
      jobid: '',
      tenantid: 't',
      priority: 1,
      sender: { localpart: '', domain: '' },
      recipient: { localpart: 'b', domain: 'x.test' },
      retrycount: 5,
    },
  });
  const [item] = itemsOf(await ask('F'));
  expect(item).toMatchObject({
    state: 'HOLD',
    transportid: 'other',
    tenantid: 't',
    priority: 1,
    sender: { localpart: '', domain: '' },
    recipient: { localpart: 'b', domain: 'x.test' },
    retrycount: 5,
  });
  expect(item).not.toHaveProperty('jobid');
});

test('a message that is being sent counts, and is changed after its attempt', async () => {
  let end: (report: typeof accepted) => void = () => {};
  const { ask, submit, clock, queue } = await controlledQueue({
    attempt: () =>
      new Promise((resolve) => {
        end = resolve;
      }),
  });
  await submit();
  await clock.advance(0);
  expect(await ask('G', { conditions: { queues: [{ queue: 'SENDING' }] }, delete: {} })).toEqual({
    affected: 1,
  });
  expect(queue.size).toBe(1);
  end(replied(451, 'later'));
  await clock.advance(0);
  expect(queue.size).toBe(0);
});

test('a message that was delivered meanwhile is simply gone', async () => {
  let end: (report: typeof accepted) => void = () => {};
  const { ask, submit, clock, queue, endings } = await controlledQueue({
    attempt: () =>
      new Promise((resolve) => {
        end = resolve;
      }),
  });
  await submit();
  await clock.advance(0);
  await ask('G', { bounce: { reason: 'no' } });
  end(accepted);
  await clock.advance(0);
  expect(queue.size).toBe(0);
  expect(endings).toHaveLength(1);
  expect(endings[0]!.facts.action).toBeUndefined();
});

test('a copy is a message of its own, and copying ends', async () => {
  const { ask, submit } = await controlledQueue();
  await submit({ hold: true, metadata: { a: '1' } }, { hold: true });
  expect(await ask('G', { duplicate: true })).toEqual({ affected: 2 });
  const items = itemsOf(await ask('F', { sort: [{ field: 'id' }] }));
  expect(items.map(({ recipient }) => (recipient as { localpart: string }).localpart)).toEqual([
    'r1',
    'r2',
    'r1',
    'r2',
  ]);
  expect(items[2]).toMatchObject({ state: 'HOLD', metadata: { a: '1' }, size: 21 });
});

test('what cannot be meant is refused with its reason', async () => {
  const { ask } = await controlledQueue();
  const refused = async (request: object) =>
    ask('G', request).then(
      () => 'nothing',
      (error: Error) => error.message,
    );
  expect(await refused({})).toContain('there is nothing to do');
  expect(await refused({ hold: true, active: true })).toContain('found hold and active');
  expect(await refused({ set: { transportid: 'none' } })).toBe(
    'set.transportid: there is no transport "none"',
  );
  expect(await refused({ set: { priority: 2 } })).toContain('expected 0 or 1');
  expect(await refused({ set: { recipient: {} } })).toContain('set.recipient.localpart');
  expect(await refused({ defer: {} })).toContain('defer: expected one of');
  expect(await refused({ set: { jobid: 'x' }, bounce: {} })).toContain('set and bounce');
});

test('a mistake of ours with one message fails the request, and nothing else', async () => {
  const { ask, submit, queue } = await controlledQueue();
  for (let i = 0; i < 3; i++) await submit({ hold: true });
  const wish = queue.wish.bind(queue);
  let wishes = 0;
  queue.wish = async (...args) => {
    if (++wishes === 2) throw new TypeError('as the test wants it');
    return wish(...args);
  };
  await expect(ask('G', { delete: {} })).rejects.toThrow('as the test wants it');
  expect([wishes, queue.size]).toEqual([3, 1]);
});
