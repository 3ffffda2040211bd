import { expect, test } from 'vitest';
import { controlledQueue, itemsOf } from '../../support/controlled-queue.js';
import { commitMessage, queueRequest, uuid } from '../../support/mail-samples.js';
import { longestTurn } from '../../support/turns.js';

test('an item shows all that is known of a message, and nothing else', async () => {
  const { ask, submit, clock } = await controlledQueue({ attempt: () => new Promise(() => {}) });
  await submit({ metadata: { a: 'caf\xc3\xa9' }, jobId: 'j', sender: { localPart: '', domain: '' } });
  await clock.advance(3);
  expect(itemsOf(await ask('F'))).toEqual([
    {
      id: { transaction: uuid(1), queue: 1 },
      state: 'SENDING',
      ts: '1970-01-12T13:46:40.000Z',
      sender: { localpart: '', domain: '' },
      recipient: { localpart: 'r1', domain: 'to.test' },
      transportid: 'out',
      jobid: 'j',
      serverid: 'in',
      senderip: '192.0.2.1',
      senderhelo: 'client.test',
      size: 21,
      priority: 0,
      retrycount: 0,
      remoteip: '127.0.0.1',
      remotemx: 'mx.to.test',
      metadata: { a: 'café' },
      duration: 3,
    },
  ]);
});

test('a message that is being sent shows the connection that it goes by', async () => {
  const { ask, submit, clock } = await controlledQueue({
    attempt: ({ onConnection }) => {
      const there = { transportId: 'out', remotePort: 25, remoteMx: 'mx2.to.test', helo: 'host.test' };
      onConnection?.({ ...there, id: 'c-1', localIp: '192.0.2.7', remoteIp: '192.0.2.99' });
      return new Promise(() => {});
    },
  });
  await submit();
  await clock.advance(1);
  const answer = await ask('F', { fields: ['state', 'remoteip', 'localips', 'connectionid'] });
  expect(itemsOf(answer)).toEqual([
    { state: 'SENDING', remoteip: '192.0.2.99', localips: ['192.0.2.7'], connectionid: 'c-1' },
  ]);
  const byAddress = { conditions: { remoteips: [{ remoteip: '192.0.2.99' }] }, groupby: ['connectionid'] };
  expect(await ask('D', byAddress)).toMatchObject({ groups: [{ values: { connectionid: 'c-1' } }] });
});

test('seconds have no more digits than a clock gives them', async () => {
  const { ask, submit, clock } = await controlledQueue({ attempt: () => new Promise(() => {}) });
  await submit({ delaySeconds: 100 });
  await submit();
  await clock.advance(0.3);
  const items = itemsOf(await ask('F', { fields: ['retrydelay', 'duration'] }));
  expect(items).toEqual([{ retrydelay: 99.7 }, { duration: 0.3 }]);
});

test('lists are cut, sorted and counted as they are asked for', async () => {
  const { ask, submit } = await controlledQueue();
  for (const size of [3, 1, 2, 5, 4])
    await submit({ hold: true, jobId: `job${size}`, metadata: { n: String(size % 2) } });
  const jobs = async (request: object) => {
    const answer = await ask('F', { fields: ['jobid'], ...request });
    return { jobs: itemsOf(answer).map(({ jobid }) => jobid), total: answer['total'] };
  };
  expect(await jobs({ sort: [{ field: 'jobid' }], limit: 2, offset: 1, total: true })).toEqual({
    jobs: ['job2', 'job3'],
    total: 5,
  });
  expect((await jobs({ sort: [{ field: 'jobid', order: 'DESC' }], limit: 2 })).jobs).toEqual([
    'job5',
    'job4',
  ]);
  expect((await jobs({ limit: 2, offset: 3 })).jobs).toEqual(['job5', 'job4']);
  expect(await jobs({ limit: 0, total: true })).toEqual({ jobs: [], total: 5 });
  const numbered = { fields: ['metadata.n'], sort: [{ field: 'metadata.n' }, { field: 'size' }] };
  expect(itemsOf(await ask('F', { ...numbered, limit: 3 }))).toEqual([
    { metadata: { n: '0' } },
    { metadata: { n: '0' } },
    { metadata: { n: '1' } },
  ]);
  await expect(jobs({ sort: [{ field: 'metadata' }] })).rejects.toThrow('cannot be sorted by metadata');
  await expect(jobs({ fields: ['jobb'] })).rejects.toThrow('fields: found "jobb"; expected one of id, state');
  await expect(jobs({ limit: 10_001 })).rejects.toThrow('at most 10000');
});

test('a list of very many messages leaves the event loop its turns', async () => {
  const { ask, spool, queue } = await controlledQueue();
  const count = 40_000;
  for (let at = 0; at < count; at += 10_000) {
    const requests = Array.from({ length: 10_000 }, (_, i) => queueRequest(i + 1, { hold: true }));
    queue.accept(await commitMessage(spool, uuid(at + 1), Buffer.from('x\r\n'), requests));
  }
  // The best of some: a machine that does other work at the same time is no failure.
  const stalls: number[] = [];
  for (let round = 0; round < 5; round++) {
    const watch = longestTurn();
    const answer = await ask('F', {
      conditions: { recipients: [{ recipient: '7@', regex: true }] },
      sort: [{ field: 'recipient', order: 'DESC' }],
      limit: 1000,
      total: true,
    });
    stalls.push(watch());
    expect(answer['total']).toBe(count / 10);
    expect(itemsOf(answer)).toHaveLength(1000);
  }
  expect(Math.min(...stalls)).toBeLessThan(50);
});
