import { expect, test } from 'vitest';
import { FrozenFiles } from '../../support/frozen-files.js';
import { commitMessage, queueRequest, readMessage, uuid } from '../../support/mail-samples.js';
import { idsOf, openedSpool } from '../../support/opened-spool.js';

// What `queue unload` and `queue import` need (control-api 4.1): a message leaves, and comes back with its id and its history.

const body = (n: number) => Buffer.from(`Subject: ${n}\r\n\r\nbody ${n}\r\n`);
const sizes = { metaSegmentBytes: 800, snapshotBytes: 1000, bodySegmentBytes: 1000, recentBytes: 0 };
const history = { retry: 3, nextTry: 5000.5, reason: '451 4.3.0 später' };

test('an imported message has its id and its retry data, also after a restart', async () => {
  const { spool, files } = await openedSpool();
  const request = queueRequest(7, { hold: true });
  const [message] = await commitMessage(spool, uuid(1), body(1), [request], { imported: history });
  expect(message).toMatchObject({ id: { transaction: uuid(1), number: 7 }, hold: true, ...history });
  await spool.close();
  expect((await openedSpool(files)).found).toEqual([message]);
});

test('an import of an id that is in the spool is refused', async () => {
  const { spool } = await openedSpool();
  await commitMessage(spool, uuid(1), body(1), [queueRequest(1), queueRequest(2)]);
  const again = commitMessage(spool, uuid(1), body(2), [queueRequest(2)], { imported: history });
  await expect(again).rejects.toThrow(`message ${uuid(1)}:2 is in the spool already`);
  await commitMessage(spool, uuid(1), body(3), [queueRequest(3)], { imported: history });
  expect(spool.count).toBe(3);
});

test('one recipient of a transaction may leave and come back, changed, while the others stay; compaction tells them apart', async () => {
  const { spool, files, log } = await openedSpool(new FrozenFiles(), { sizes });
  const requests = [queueRequest(1), queueRequest(2), queueRequest(3)];
  const [one, two, three] = await commitMessage(spool, uuid(1), body(1), requests);
  await spool.remove(two!.id);
  const changed = queueRequest(2, { recipient: { localPart: 'other', domain: 'to.test' }, priority: 1 });
  const [back] = await commitMessage(spool, uuid(1), body(2), [changed], { imported: history });
  const check = async (found: readonly { id: { number: number } }[], from: typeof spool) => {
    expect([...found].sort((a, b) => a.id.number - b.id.number)).toEqual([one, back, three]);
    expect(await readMessage(from, one!.id)).toEqual(body(1));
    expect(await readMessage(from, back!.id)).toEqual(body(2));
  };
  const killed = await openedSpool(files.copy(), { sizes });
  await check(killed.found, killed.spool);
  // Enough comes and goes for a snapshot of both records.
  for (let n = 10; n < 60; n++) {
    const [passing] = await commitMessage(spool, uuid(n), body(n));
    await spool.remove(passing!.id);
  }
  await spool.compacted();
  expect([...files.names.keys()].some((name) => name.includes('snapshot'))).toBe(true);
  await spool.close();
  const after = await openedSpool(files, { sizes });
  await check(after.found, after.spool);
  expect(log.lines).toEqual([]);
});

test('an import may leave and come back again and again', async () => {
  const { spool, files } = await openedSpool(new FrozenFiles(), { sizes });
  for (let n = 1; n <= 30; n++) {
    const imported = { retry: n, nextTry: 0 };
    const [message] = await commitMessage(spool, uuid(1), body(n), [queueRequest(1)], { imported });
    const { found, spool: other } = await openedSpool(files.copy(), { sizes });
    expect(found).toEqual([message]);
    expect(await readMessage(other, message!.id)).toEqual(body(n));
    await other.close();
    await spool.remove(message!.id);
  }
  expect(idsOf((await openedSpool(files.copy(), { sizes })).found)).toEqual([]);
});

test('every field that an operator may change survives a restart and a snapshot', async () => {
  const { spool, files } = await openedSpool(new FrozenFiles(), { sizes });
  const [message] = await commitMessage(spool, uuid(1), body(1), [
    queueRequest(1, { jobId: 'job', tenantId: 'tenant', metadata: { a: '1' }, quotas: ['q'] }),
  ]);
  const change = {
    hold: true,
    retry: 2,
    nextTry: 7000,
    reason: 'held by an operator',
    transportId: 'other',
    metadata: { b: '\ud800 ü' },
    quotas: ['p', 'r'],
    jobId: 'job 2',
    tenantId: 'tenant 2',
    priority: 1,
    sender: { localPart: 'new', domain: 'from.test', params: { SIZE: '1' } },
    recipient: { localPart: 'r', domain: 'else.test' },
  } as const;
  await spool.update(message!.id, change);
  const expected = { ...message, ...change };
  expect((await openedSpool(files.copy(), { sizes })).found).toEqual([expected]);
  await spool.close();
  const second = await openedSpool(files, { sizes });
  await second.spool.snapshot();
  await second.spool.update(message!.id, { jobId: '', tenantId: '', reason: '', priority: 0 });
  await second.spool.close();
  const { jobId: _, tenantId: __, reason: ___, ...rest } = expected;
  expect((await openedSpool(files, { sizes })).found).toEqual([{ ...rest, priority: 0 }]);
});
