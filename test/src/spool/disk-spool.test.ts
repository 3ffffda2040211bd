import { expect, test } from 'vitest';
import { openSpool } from '../../../src/spool/disk-spool.js';
import { type QueuedMessage, SpoolError } from '../../../src/spool/spool.js';
import { FrozenFiles } from '../../support/frozen-files.js';
import { commitMessage, keptLog, queueRequest, readMessage, uuid } from '../../support/mail-samples.js';
import { idsOf, openedSpool } from '../../support/opened-spool.js';
import { scratchFolder } from '../../support/scratch-folder.js';

const body = Buffer.from('Subject: x\r\n\r\nHello\r\n');

test('a committed message is read back byte for byte', async () => {
  const { spool } = await openedSpool();
  const [message] = await commitMessage(spool, uuid(1), body);
  expect(await readMessage(spool, message!.id)).toEqual(body);
  expect(await spool.open(message!.id).whole()).toEqual(body);
});

test('everything that is known of a message survives a restart', async () => {
  const { spool, files } = await openedSpool();
  const requests = [
    queueRequest(1, {
      sender: { localPart: 'bounce', domain: 'from.test', params: { SIZE: '100', BODY: '8BITMIME' } },
      recipient: { localPart: 'ü\u00ff', domain: 'to.test' },
      metadata: { a: '1', ü: '\u0080\ud800' },
      jobId: 'job',
      tenantId: 'tenant',
      priority: 1,
      quotas: ['q'],
      dsn: { envid: 'e', notify: 'NEVER' },
      delaySeconds: 60,
    }),
    queueRequest(2, { hold: true }),
    queueRequest(3),
  ];
  const before = await commitMessage(spool, uuid(1), body, requests, {
    saslUsername: 'me',
    stageKey: 'stage',
  });
  expect(before[0]).toMatchObject({
    nextTry: 1060,
    priority: 1,
    saslUsername: 'me',
    stageKey: 'stage',
    sizeBytes: body.length,
  });
  expect(before[1]).toMatchObject({ hold: true, nextTry: 0, retry: 0 });
  await spool.update(before[2]!.id, { retry: 3, nextTry: 5000.5, reason: '451 later', metadata: { b: '2' } });
  await spool.close();
  const after = await openedSpool(files);
  expect(after.found).toEqual([
    before[0],
    before[1],
    { ...before[2], retry: 3, nextTry: 5000.5, reason: '451 later', metadata: { b: '2' } },
  ]);
});

test('an empty message is a message', async () => {
  const { spool } = await openedSpool();
  const [message] = await commitMessage(spool, uuid(1), Buffer.alloc(0));
  expect(await readMessage(spool, message!.id)).toEqual(Buffer.alloc(0));
});

test('recipients of one transaction share the body, each with its own edits', async () => {
  const { spool, files } = await openedSpool();
  const edited = [
    { kind: 'bytes', bytes: Buffer.from('X-First: 1\r\n') },
    { kind: 'range', start: 0, end: 12 },
    { kind: 'bytes', bytes: Buffer.from('X-Last: 2\r\n') },
    { kind: 'range', start: 12, end: body.length },
  ] as const;
  const messages = await commitMessage(spool, uuid(1), body, [
    queueRequest(1),
    queueRequest(2, { pieces: edited }),
    queueRequest(3, { pieces: edited }),
  ]);
  const expected = Buffer.from('X-First: 1\r\nSubject: x\r\nX-Last: 2\r\n\r\nHello\r\n');
  expect(messages.map((message) => message.sizeBytes)).toEqual([
    body.length,
    expected.length,
    expected.length,
  ]);
  expect(await readMessage(spool, messages[0]!.id)).toEqual(body);
  expect(await readMessage(spool, messages[1]!.id)).toEqual(expected);
  expect(await spool.open(messages[2]!.id).whole()).toEqual(expected);
  const log = files.bytesOf('body-');
  expect(log.indexOf('Hello')).toBe(log.lastIndexOf('Hello'));
  expect(log.indexOf('X-First')).toBe(log.lastIndexOf('X-First'));
  await spool.remove(messages[0]!.id);
  await spool.remove(messages[1]!.id);
  await spool.close();
  const after = await openedSpool(files);
  expect(idsOf(after.found)).toEqual([`${uuid(1)}:3`]);
  expect(await readMessage(after.spool, messages[2]!.id)).toEqual(expected);
});

test('a removed message is gone, and gone after a restart', async () => {
  const { spool, files } = await openedSpool();
  const [one, two] = await commitMessage(spool, uuid(1), body, [queueRequest(1), queueRequest(2)]);
  await spool.remove(one!.id);
  expect(() => spool.open(one!.id)).toThrow(`message ${uuid(1)}:1 is not in the spool`);
  await spool.remove(one!.id);
  await expect(spool.update(one!.id, { hold: true })).rejects.toThrow(SpoolError);
  await spool.close();
  expect((await openedSpool(files)).found).toEqual([two]);
});

test('a body segment without life is deleted when it is closed', async () => {
  const { spool, files } = await openedSpool(new FrozenFiles(), { sizes: { bodySegmentBytes: 2000 } });
  const first = await commitMessage(spool, uuid(1), Buffer.alloc(3000, 'a'));
  await commitMessage(spool, uuid(2), Buffer.alloc(3000, 'b'));
  expect([...files.names.keys()].filter((name) => name.includes('body-'))).toHaveLength(2);
  await spool.remove(first[0]!.id);
  // The removal is made durable first.
  await expect.poll(() => [...files.names.keys()].filter((name) => name.includes('body-'))).toHaveLength(1);
});

test('a transaction without a request leaves nothing', async () => {
  const { spool, files } = await openedSpool();
  expect(await commitMessage(spool, uuid(1), body, [])).toEqual([]);
  expect([...files.names.keys()].some((name) => name.includes('body-'))).toBe(false);
});

test('an id that is in the spool already is refused', async () => {
  const { spool } = await openedSpool();
  await commitMessage(spool, uuid(1), body);
  await expect(commitMessage(spool, uuid(1), body)).rejects.toThrow('is in the spool already');
  await expect(commitMessage(spool, 'T', body)).rejects.toThrow('no message id');
  expect(spool.count).toBe(1);
});

test('a message may be received and committed only by an open spool', async () => {
  const files = new FrozenFiles();
  const spool = await openSpool({ folder: '/spool', files, log: keptLog() });
  expect(() => spool.receive()).toThrow('not recovered yet');
  await spool.recover(() => {});
  await spool.close();
  expect(() => spool.receive()).toThrow('is closed');
});

test('many commits at once share a few flushes', async () => {
  const { spool, files } = await openedSpool();
  await Promise.all(Array.from({ length: 100 }, (_, n) => commitMessage(spool, uuid(n), body)));
  expect(spool.count).toBe(100);
  expect(files.diary.filter((entry) => entry.kind === 'sync').length).toBeLessThan(12);
});

test('with fsync off nothing is flushed', async () => {
  const { spool, files } = await openedSpool(new FrozenFiles(), { fsync: false });
  await commitMessage(spool, uuid(1), body);
  expect(files.diary.some((entry) => entry.kind === 'sync' || entry.kind === 'syncFolder')).toBe(false);
});

test('too little room is refused before a byte is taken', async () => {
  const files = new FrozenFiles();
  files.free = { bytes: 10_000, inodes: 5 };
  let now = 1000;
  const options = { minimumFree: { bytes: 9_000, inodes: 5 }, now: () => now };
  const { spool } = await openedSpool(files, options);
  await commitMessage(spool, uuid(1), body);
  expect([1000, 1001].map((size) => spool.hasRoomFor(size))).toEqual([true, false]);
  files.free = { bytes: 8_999, inodes: 5 };
  now += 1;
  spool.receive().discard();
  await Promise.resolve();
  await Promise.resolve();
  expect(() => spool.receive()).toThrow(
    expect.objectContaining({
      noSpace: true,
      message: expect.stringContaining('spool.minfree.bytes asks for 9000'),
    }),
  );
  files.free = { bytes: 9_000, inodes: 5 };
  now += 1;
  expect(() => spool.receive()).toThrow(SpoolError);
  await Promise.resolve();
  await Promise.resolve();
  spool.receive().discard();
});

test('too few inodes are refused as well, and room is found again', async () => {
  const files = new FrozenFiles();
  files.free = { bytes: 10_000, inodes: 4 };
  let now = 1000;
  const { spool, log } = await openedSpool(files, {
    minimumFree: { bytes: 0, inodes: 5 },
    now: () => now,
  });
  expect(spool.hasRoomFor(0)).toBe(false);
  for (let i = 0; i < 50; i++) expect(() => spool.receive()).toThrow('spool.minfree.inodes asks for 5');
  expect([...files.names.keys()].some((name) => name.includes('body-'))).toBe(false);
  expect(log.lines.map(({ level }) => level)).toEqual(['error']);
  files.free = { bytes: 10_000, inodes: 5 };
  now += 1;
  spool.hasRoomFor(0);
  await Promise.resolve();
  await Promise.resolve();
  await commitMessage(spool, uuid(1), body);
  expect(log.lines.map(({ level }) => level)).toEqual(['error', 'info']);
});

test('a queue of deferred messages survives a kill with ids, retry counts and times (queue-and-config 1.6, 10)', async () => {
  const { spool, files } = await openedSpool();
  const expected = await Promise.all(
    Array.from({ length: 500 }, async (_, n) => {
      const [message] = await commitMessage(spool, uuid(n), body);
      const change = { retry: 1 + (n % 7), nextTry: 5000 + n / 8, reason: `451 4.3.0 try ${n}` };
      await spool.update(message!.id, change);
      return { ...message, ...change };
    }),
  );
  const { found } = await openedSpool(files.copy());
  const byId = (list: readonly QueuedMessage[]) =>
    new Map(list.map((message) => [message.id.transaction, message]));
  expect(byId(found)).toEqual(byId(expected as QueuedMessage[]));
  expect(found).toHaveLength(500);
});

test('two spools on one folder: the second is refused until the first is closed', async () => {
  const folder = scratchFolder();
  const first = await openSpool({ folder, log: keptLog() });
  await expect(openSpool({ folder, log: keptLog() })).rejects.toThrow(`in use by process ${process.pid}`);
  await first.close();
  const second = await openSpool({ folder, log: keptLog() });
  await second.close();
});

test('on a real disk it does what it does in memory', async () => {
  const folder = scratchFolder();
  const first = await openSpool({ folder, log: keptLog(), sizes: { bodySegmentBytes: 100_000 } });
  await first.recover(() => {});
  const bodies = Array.from({ length: 60 }, (_, n) => Buffer.alloc(n * 1000, `message ${n} `));
  const messages = (await Promise.all(bodies.map((bytes, n) => commitMessage(first, uuid(n), bytes)))).flat();
  for (const message of messages.slice(0, 50)) await first.remove(message.id);
  await first.compacted();
  await first.close();
  const second = await openSpool({ folder, log: keptLog() });
  const found: QueuedMessage[] = [];
  await second.recover((messages) => found.push(...messages));
  expect(idsOf(found)).toEqual(idsOf(messages.slice(50)));
  for (const message of messages.slice(50)) {
    const n = Number.parseInt(message.id.transaction.slice(-4), 16);
    expect((await readMessage(second, message.id)).equals(bodies[n]!)).toBe(true);
  }
  await second.close();
});
