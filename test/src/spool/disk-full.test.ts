import { expect, onTestFinished, test } from 'vitest';
import { type DiskSpool, openSpool } from '../../../src/spool/disk-spool.js';
import { type QueuedMessage, SpoolError } from '../../../src/spool/spool.js';
import { FrozenFiles, type Operation } from '../../support/frozen-files.js';
import { commitMessage, keptLog, readMessage, uuid } from '../../support/mail-samples.js';
import { idsOf } from '../../support/opened-spool.js';

// A disk of two megabytes that is really full: what fits of a write is written, then ENOSPC.

const RESERVE = 64 * 1024;
const sizes = {
  bodySegmentBytes: 40_000,
  metaSegmentBytes: 8000,
  snapshotBytes: 16_000,
  memoryBytes: 50_000,
  recentBytes: 0,
  reserveBytes: RESERVE,
  repairMs: 5,
};

function smallDisk(capacity: number) {
  const files = new FrozenFiles();
  // Open files that have lost their name still take room on a real disk; ours are closed soon, so names are what counts.
  const used = () => [...files.names.values()].reduce((sum, file) => sum + files.contents[file]!.length, 0);
  let size = capacity;
  Object.defineProperty(files, 'free', { get: () => ({ bytes: Math.max(0, size - used()), inodes: 1000 }) });
  files.fail = ({ kind, sizeBytes }: Operation) => {
    const left = size - used();
    return kind === 'write' && sizeBytes > left ? { code: 'ENOSPC', written: Math.max(0, left) } : undefined;
  };
  return {
    files,
    used,
    resize: (bytes: number) => {
      size = bytes;
    },
  };
}

async function opened(files: FrozenFiles) {
  const log = keptLog();
  const spool = await openSpool({ folder: '/spool', files, log, sizes });
  onTestFinished(() => spool.close());
  const found: QueuedMessage[] = [];
  await spool.recover((messages) => found.push(...messages));
  return { spool, found, log };
}

const body = (n: number) => Buffer.alloc(10_000, `<${n}>`);

/** Commits until the disk takes no more; then as often again, to no avail. */
async function filled(spool: DiskSpool): Promise<QueuedMessage[]> {
  const messages: QueuedMessage[] = [];
  let refused = 0;
  for (let n = 1; refused < 200; n++) {
    await commitMessage(spool, uuid(n), body(n)).then(
      (committed) => messages.push(...committed),
      (error: unknown) => {
        refused++;
        expect(error).toBeInstanceOf(SpoolError);
        expect(error).toMatchObject({ noSpace: true, isTold: true });
      },
    );
  }
  return messages;
}

test('a full disk refuses mail and says so once; the queue drains in the room that is kept back', async () => {
  const { files } = smallDisk(2_000_000);
  const { spool, log } = await opened(files);
  const messages = await filled(spool);
  expect(messages.length).toBeGreaterThan(50);
  expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  // What is noted now takes the reserve's room, until removals have emptied whole files.
  for (let round = 1; round <= 2; round++) {
    for (const { id } of messages) {
      await spool.update(id, {
        retry: round,
        nextTry: 2000 + round,
        reason: `451 4.3.0 later, round ${round}`,
      });
    }
  }
  for (const { id } of messages.slice(10)) await spool.remove(id);
  await spool.compacted();
  expect(spool.isWritable()).toBe(true);
  // There is room again, found without any traffic.
  await expect.poll(() => spool.hasRoomFor(0)).toBe(true);
  await expect.poll(() => spool.takesMail).toBe(true);
  await commitMessage(spool, uuid(1_000_000), body(1));
  expect(log.lines.length).toBeLessThan(8);
  const after = await opened(files.copy());
  expect(idsOf(after.found)).toEqual([...idsOf(messages.slice(0, 10)), `${uuid(1_000_000)}:1`].sort());
  expect(after.found.filter(({ retry }) => retry === 2)).toHaveLength(10);
});

test('while the room that is kept back is in use, new mail is refused before a byte is taken', async () => {
  const { files, resize, used } = smallDisk(2_000_000);
  const { spool } = await opened(files);
  const [message] = await commitMessage(spool, uuid(1), body(1));
  resize(used());
  await spool.update(message!.id, { retry: 1 });
  expect([...files.names.keys()]).not.toContain('/spool/reserve');
  expect(spool.hasRoomFor(0)).toBe(false);
  expect(() => spool.receive()).toThrow(SpoolError);
  resize(2_000_000);
  await expect.poll(() => spool.hasRoomFor(0)).toBe(true);
  expect([...files.names.keys()]).toContain('/spool/reserve');
});

test('a disk that is full at the start is told, and that it has room again', async () => {
  const { files, resize } = smallDisk(40_000);
  const { spool, log } = await opened(files);
  expect(spool.hasRoomFor(0)).toBe(false);
  expect(log.lines.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(
      /^the disk of the spool is full, or nearly: .* new mail is refused until there is room$/,
    ),
  );
  resize(2_000_000);
  await expect.poll(() => spool.hasRoomFor(0)).toBe(true);
  expect(log.lines.at(-1)).toMatchObject({ message: 'the disk of the spool has room for new mail again' });
});

test('a disk that stays full: what cannot be noted is refused, and goes on by itself when there is room', async () => {
  const { files, resize, used } = smallDisk(2_000_000);
  const { spool, log } = await opened(files);
  const [message] = await commitMessage(spool, uuid(1), body(1));
  resize(used() - RESERVE);
  for (let i = 0; i < 500; i++) {
    await expect(spool.update(message!.id, { retry: 1 })).rejects.toMatchObject({
      noSpace: true,
      isTold: true,
    });
  }
  expect(spool.isWritable()).toBe(false);
  expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  resize(2_000_000);
  await expect.poll(() => spool.isWritable()).toBe(true);
  await spool.remove(message!.id);
  expect((await opened(files.copy())).found).toEqual([]);
});

test('a start on a full disk uses the room that the last run has kept back', async () => {
  const { files, resize, used } = smallDisk(2_000_000);
  const first = await opened(files);
  const [message] = await commitMessage(first.spool, uuid(1), body(1));
  await first.spool.close();
  resize(used());
  const { spool, found } = await opened(files);
  expect(found).toHaveLength(1);
  expect(() => spool.receive()).toThrow('is full');
  await spool.remove(message!.id);
});

test('a first start on a full disk is refused, and says what to do', async () => {
  const { files } = smallDisk(10);
  await expect(opened(files)).rejects.toThrow('free some space on that disk');
});

const kinds = ['open', 'write', 'sync', 'truncate', 'rename', 'remove', 'syncFolder'] as const;

for (const kind of kinds) {
  test(`a disk that fails every ${kind}: nothing promised is lost, the log has it once, and it heals by itself`, async () => {
    const files = new FrozenFiles();
    const { spool, log } = await opened(files);
    const kept = new Map<string, { retry: number }>();
    for (let n = 1; n <= 20; n++) {
      await commitMessage(spool, uuid(n), body(n));
      kept.set(`${uuid(n)}:1`, { retry: 0 });
    }
    await spool.flushed();
    files.fail = (operation) => (operation.kind === kind ? { code: 'EIO' } : undefined);
    for (let n = 21; n <= 320; n++) {
      const size = n % 50 === 0 ? 60_000 : 3000;
      const ok = await commitMessage(spool, uuid(n), Buffer.alloc(size, `<${n}>`)).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ noSpace: false, isTold: true });
          return false;
        },
      );
      if (ok) kept.set(`${uuid(n)}:1`, { retry: 0 });
    }
    for (let n = 1; n <= 20; n++) {
      const id = { transaction: uuid(n), number: 1 };
      await (n % 2 === 0 ? spool.remove(id) : spool.update(id, { retry: 1 })).then(
        () => (n % 2 === 0 ? kept.delete(`${uuid(n)}:1`) : kept.set(`${uuid(n)}:1`, { retry: 1 })),
        (error: unknown) => expect(error).toBeInstanceOf(SpoolError),
      );
    }
    expect(log.lines.filter(({ level }) => level === 'error').length).toBeLessThanOrEqual(2);
    expect(log.lines.length).toBeLessThan(12);
    files.fail = () => undefined;
    await expect.poll(() => spool.isWritable() && spool.takesMail).toBe(true);
    await commitMessage(spool, uuid(1000), body(1000));
    kept.set(`${uuid(1000)}:1`, { retry: 0 });
    await spool.flushed();
    const after = await opened(files.copy());
    const found = new Map(after.found.map((message) => [idsOf([message])[0]!, message]));
    expect([...found.keys()].sort()).toEqual([...kept.keys()].sort());
    for (const [id, { retry }] of kept) expect(found.get(id)!.retry).toBe(retry);
    for (const { id } of after.found) await readMessage(after.spool, id);
    expect(after.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
}

test('a message that cannot be read for a fault of the disk stays, and is read when the disk is well', async () => {
  const files = new FrozenFiles();
  const { spool } = await opened(files);
  const [message] = await commitMessage(spool, uuid(1), body(1));
  for (const n of [2, 3]) await commitMessage(spool, uuid(n), body(n));
  files.fail = ({ kind }) => (kind === 'read' ? { code: 'EIO' } : undefined);
  await expect(readMessage(spool, message!.id)).rejects.toThrow('the disk reports a fault');
  files.fail = () => undefined;
  expect(await readMessage(spool, message!.id)).toEqual(body(1));
});
