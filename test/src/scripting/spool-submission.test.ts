// Messages that scripts make: durable before they have an id, refused with a reason, never half there.

import { expect, test } from 'vitest';
import type { QueueRequest } from '#hooks';
import { bytesToSource } from '#stdlib';
import { SpoolSubmission } from '../../../src/scripting/spool-submission.js';
import { type QueuedMessage, SpoolError } from '../../../src/spool/spool.js';
import { FrozenFiles } from '../../support/frozen-files.js';
import { idsOf, openedSpool } from '../../support/opened-spool.js';
import { RamSpool } from '../../support/ram-spool.js';
import { TestLog } from '../../support/test-log.js';

const bytes = Buffer.from('Subject: report\r\n\r\nall is well\r\n');

function request(changes: Partial<QueueRequest> = {}): QueueRequest {
  return {
    number: 1,
    sender: { localPart: '', domain: '' },
    recipient: { localPart: 'postmaster', domain: 'a.test' },
    transportId: 'out',
    pieces: [{ kind: 'range', start: 0, end: bytes.length }],
    metadata: {},
    hold: false,
    priority: 0,
    delaySeconds: 0,
    quotas: [],
    dsn: {},
    ...changes,
  };
}

function newSubmission(spool: Pick<RamSpool, 'receive' | 'commit'>) {
  const accepted: QueuedMessage[] = [];
  const log = new TestLog();
  let count = 0;
  const submission = new SpoolSubmission({
    spool,
    accept: (messages) => void accepted.push(...messages),
    knowsTransport: (id) => id === 'out',
    newId: () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`,
    now: () => 1000,
    log,
  });
  return { submission, accepted, log };
}

test('a message has an id when it is durable, and is in the queue then', async () => {
  const spool = new RamSpool();
  let release: () => void = () => {};
  spool.slowCommit = new Promise((resolve) => {
    release = resolve;
  });
  const { submission, accepted } = newSubmission(spool);
  const submitted = submission.submit(
    bytesToSource(bytes),
    request({
      metadata: { kind: 'report' },
      jobId: 'job',
      tenantId: 'tenant',
      priority: 1,
      delaySeconds: 60,
    }),
  );
  await Promise.race([submitted, new Promise((resolve) => setImmediate(resolve))]);
  expect(accepted).toEqual([]);
  release();
  expect(await submitted).toEqual({ transaction: '00000000-0000-4000-8000-000000000001', queue: 1 });
  expect(accepted).toHaveLength(1);
  expect(accepted[0]).toMatchObject({
    id: { transaction: '00000000-0000-4000-8000-000000000001', number: 1 },
    transportId: 'out',
    metadata: { kind: 'report' },
    jobId: 'job',
    tenantId: 'tenant',
    priority: 1,
    serverId: '',
  });
  expect(spool.underWay).toBe(0);
});

test('an edited message is stored as it was edited', async () => {
  const spool = new RamSpool();
  const { submission } = newSubmission(spool);
  await submission.submit(
    bytesToSource(bytes),
    request({
      pieces: [
        { kind: 'bytes', bytes: Buffer.from('X-A: 1\r\n') },
        { kind: 'range', start: 17, end: bytes.length },
      ],
    }),
  );
  expect(spool.committed[0]?.copies.map(String)).toEqual(['X-A: 1\r\n\r\nall is well\r\n']);
});

test('a transport that is not configured is a problem', async () => {
  const { submission } = newSubmission(new RamSpool());
  expect(await submission.submit(bytesToSource(bytes), request({ transportId: 'gone' }))).toEqual({
    problem: 'there is no transport "gone" in the configuration',
  });
});

test.each(['failOnReceive', 'failOnWrite', 'failOnCommit'] as const)(
  'a disk that says no (%s) is a problem, and nothing stays behind',
  async (where) => {
    const spool = new RamSpool();
    const { submission, accepted, log } = newSubmission(spool);
    spool[where] = new SpoolError('the disk is full at /secret/place', true);
    expect(await submission.submit(bytesToSource(bytes), request())).toEqual({
      problem: 'there is no space left for messages',
    });
    spool[where] = new SpoolError('EIO', false);
    expect(await submission.submit(bytesToSource(bytes), request())).toEqual({
      problem: 'the message could not be stored',
    });
    expect(accepted).toEqual([]);
    expect(spool.underWay).toBe(0);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
  },
);

test('a source that cannot be read leaves nothing behind', async () => {
  const spool = new RamSpool();
  const { submission } = newSubmission(spool);
  const source = {
    sizeBytes: 10_000,
    head: Buffer.alloc(10),
    isComplete: false,
    read: () => Promise.reject(new Error('gone')),
  };
  const answer = await submission.submit(
    source,
    request({ pieces: [{ kind: 'range', start: 0, end: 10_000 }] }),
  );
  expect(answer).toEqual({ problem: 'the message could not be stored' });
  expect(spool.underWay).toBe(0);
});

test('when it stops, what was begun is finished and the rest refused', async () => {
  const spool = new RamSpool();
  let release: () => void = () => {};
  spool.slowCommit = new Promise((resolve) => {
    release = resolve;
  });
  const { submission, accepted } = newSubmission(spool);
  const begun = submission.submit(bytesToSource(bytes), request());
  const stopped = submission.stop();
  expect(await submission.submit(bytesToSource(bytes), request())).toEqual({
    problem: 'the server is stopping',
  });
  release();
  await stopped;
  expect(accepted).toHaveLength(1);
  expect(await begun).toMatchObject({ queue: 1 });
});

test('what has an id is there after a kill at every later moment, and nothing is there by half', async () => {
  const files = new FrozenFiles();
  const { spool } = await openedSpool(files);
  const { submission } = newSubmission(spool);
  const large = Buffer.concat([bytes, Buffer.alloc(1_500_000, 'x')]);
  for (const message of [bytes, large, bytes]) {
    const answer = await submission.submit(
      bytesToSource(message),
      request({ pieces: [{ kind: 'range', start: 0, end: message.length }] }),
    );
    if ('transaction' in answer) files.mark(answer.transaction);
  }
  expect(files.diary.filter(({ kind }) => kind === 'mark')).toHaveLength(3);
  for (let moment = 0; moment <= files.diary.length; moment++) {
    const { spool: again, found } = await openedSpool(files.afterKill(moment));
    expect(idsOf(found)).toEqual(
      expect.arrayContaining(files.marksUntil(moment).map((transaction) => `${transaction}:1`)),
    );
    for (const { id, sizeBytes } of found) {
      let read = 0;
      for await (const chunk of again.open(id).chunks()) read += chunk.length;
      expect(read).toBe(sizeBytes);
    }
    await again.close();
  }
});
