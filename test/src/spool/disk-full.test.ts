import { expect, onTestFinished, test } from 'vitest';
import { type DiskSpool, openSpool, type SpoolSizes } from '../../../src/spool/disk-spool.js';
import { type QueuedMessage, SpoolError } from '../../../src/spool/spool.js';
import { FrozenFiles, type Operation } from '../../support/frozen-files.js';
import { commitMessage, keptLog, readMessage, seededRandom, uuid } from '../../support/mail-samples.js';
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

async function opened(files: FrozenFiles, more: Partial<SpoolSizes> = {}) {
  const log = keptLog();
  const spool = await openSpool({ folder: '/spool', files, log, sizes: { ...sizes, ...more } });
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

/** Files as large as on a real disk. */
const usualSizes: Partial<SpoolSizes> = {
  bodySegmentBytes: 64 * 1024 * 1024,
  metaSegmentBytes: 16 * 1024 * 1024,
  snapshotBytes: 32 * 1024 * 1024,
};

test('on a small disk files are small, so that what has left gives its room back', async () => {
  const { files, used } = smallDisk(8_000_000);
  const { spool } = await opened(files, usualSizes);
  const messages = await filled(spool);
  expect(used()).toBeGreaterThan(7_500_000);
  const bodies = [...files.names.keys()].filter((name) => name.includes('/body-'));
  expect(bodies.length).toBeGreaterThan(10);
  // Every tenth stays.
  const left = messages.filter((_, i) => i % 10 !== 0);
  for (const { id } of left) await spool.remove(id);
  await expect.poll(() => spool.takesMail && spool.hasRoomFor(0)).toBe(true);
  await expect.poll(used).toBeLessThan(2_000_000);
  await commitMessage(spool, uuid(1_000_000), body(1));
  const after = await opened(files.copy());
  expect(after.found).toHaveLength(messages.length - left.length + 1);
  for (const { id } of after.found) await readMessage(after.spool, id);
});

test('a file that grew while there was room is left when there is none, and gives its room back', async () => {
  // What stays must find room in half of what is kept back; if more does, it is waited for.
  for (const stay of [0, 1, 3]) {
    const { files, used, resize } = smallDisk(100_000_000);
    const { spool } = await opened(files, usualSizes);
    const messages: QueuedMessage[] = [];
    for (let n = 1; n <= 300; n++) messages.push(...(await commitMessage(spool, uuid(n), body(n))));
    expect([...files.names.keys()].filter((name) => name.includes('/body-'))).toHaveLength(1);
    // 300 messages of 10 KB in one file; then others take the rest of the disk.
    resize(used() + 5000);
    await expect(commitMessage(spool, uuid(1000), body(1))).rejects.toMatchObject({ noSpace: true });
    // All at once: if room for one mail comes back halfway, the rest is left for the next time that it is short.
    await Promise.all(messages.slice(stay).map(({ id }) => spool.remove(id)));
    await expect.poll(used).toBeLessThan(500_000);
    await expect.poll(() => spool.takesMail && spool.hasRoomFor(0)).toBe(true);
    await commitMessage(spool, uuid(1001), body(1001));
    const after = await opened(files.copy());
    expect(idsOf(after.found)).toEqual([...idsOf(messages.slice(0, stay)), `${uuid(1001)}:1`].sort());
    for (const { id } of after.found) await readMessage(after.spool, id);
  }
});

test('what is noted of a few messages again and again does not fill a small disk for good', async () => {
  const { files, used } = smallDisk(2_000_000);
  const { spool } = await opened(files, usualSizes);
  const messages: QueuedMessage[] = [];
  for (let n = 1; n <= 20; n++) messages.push(...(await commitMessage(spool, uuid(n), body(n))));
  for (let round = 1; round <= 1000; round++) {
    for (const { id } of messages)
      await spool.update(id, { retry: round, reason: `451 4.3.0 later, ${round}`.padEnd(150) });
  }
  await spool.compacted();
  // Four megabytes were written.
  expect(used()).toBeLessThan(900_000);
  expect(spool.isWritable()).toBe(true);
  const after = await opened(files.copy());
  expect(after.found.map(({ retry }) => retry)).toEqual(Array(20).fill(1000));
});

test('a metadata log that grew while there was room gives way to a snapshot when there is none', async () => {
  const { files, used, resize } = smallDisk(1_000_000_000);
  const { spool } = await opened(files, usualSizes);
  const [message] = await commitMessage(spool, uuid(1), body(1));
  for (let round = 1; round <= 4000; round++)
    await spool.update(message!.id, { retry: round, reason: `451 4.3.0 later, ${round}`.padEnd(200) });
  expect(used()).toBeGreaterThan(1_000_000);
  resize(used() + 1000);
  await expect(commitMessage(spool, uuid(2), body(2))).rejects.toMatchObject({ noSpace: true });
  await expect.poll(used).toBeLessThan(200_000);
  await expect.poll(() => spool.takesMail && spool.hasRoomFor(0)).toBe(true);
  await commitMessage(spool, uuid(3), body(3));
  const after = await opened(files.copy());
  expect(after.found.map(({ retry }) => retry)).toEqual([4000, 0]);
});

test('what is kept back is measured anew when others have filled the disk, and again at a start with room', async () => {
  const { files, used, resize } = smallDisk(100_000_000);
  const { spool, log } = await opened(files, { ...usualSizes, reserveBytes: 4_000_000 });
  const reserve = () => files.bytesOf('/reserve').length;
  expect(reserve()).toBe(4_000_000);
  const messages: QueuedMessage[] = [];
  for (let n = 1; n <= 300; n++) messages.push(...(await commitMessage(spool, uuid(n), body(n))));
  resize(used() + 20);
  for (const { id } of messages) await spool.remove(id);
  await expect.poll(() => spool.takesMail && spool.hasRoomFor(0)).toBe(true);
  expect(reserve()).toBeLessThan(500_000);
  await commitMessage(spool, uuid(1000), body(1));
  expect(log.lines.at(-1)).toMatchObject({ message: 'the disk of the spool has room for new mail again' });
  await spool.close();
  resize(100_000_000);
  await opened(files, { ...usualSizes, reserveBytes: 4_000_000 });
  expect(reserve()).toBe(4_000_000);
});

test('room below spool.minfree comes back as well, though mail is refused before it reaches the spool', async () => {
  const { files, resize, used } = smallDisk(100_000_000);
  const log = keptLog();
  const spool = await openSpool({
    folder: '/spool',
    files,
    log,
    minimumFree: { bytes: 1_000_000, inodes: 0 },
    sizes: { ...sizes, ...usualSizes },
  });
  onTestFinished(() => spool.close());
  await spool.recover(() => {});
  const messages: QueuedMessage[] = [];
  for (let n = 1; n <= 300; n++) messages.push(...(await commitMessage(spool, uuid(n), body(n))));
  resize(used() + 500_000);
  // The file system is asked once a second.
  await expect.poll(() => spool.hasRoomFor(10_000)).toBe(false);
  for (const { id } of messages.slice(1)) await spool.remove(id);
  await expect.poll(() => spool.hasRoomFor(10_000)).toBe(true);
  await commitMessage(spool, uuid(1000), body(1));
});

test('whatever comes, changes and leaves on a small disk: it takes mail again when most has left, and nothing is lost', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = seededRandom(seed);
    const { files, used } = smallDisk(2_000_000 + Math.floor(random() * 4_000_000));
    const { spool } = await opened(files, usualSizes);
    const living = new Map<string, { id: QueuedMessage['id']; size: number; retry: number }>();
    const bytes = (n: number, size: number) => Buffer.alloc(size, `<${n}>`);
    let n = 0;
    let refused = 0;
    const act = async () => {
      const size = Math.floor(random() * (random() < 0.1 ? 200_000 : 20_000));
      const number = ++n;
      const one = [...living.values()][Math.floor(random() * living.size)];
      const chance = random();
      if (one === undefined || chance < 0.6) {
        const committed = await commitMessage(spool, uuid(number), bytes(number, size)).catch(() => []);
        if (committed.length === 0) refused++;
        for (const { id } of committed) living.set(id.transaction, { id, size, retry: 0 });
      } else if (chance < 0.9) {
        await spool.update(one.id, { retry: number, reason: 'x'.repeat(Math.floor(random() * 300)) }).then(
          () => {
            one.retry = number;
          },
          () => {},
        );
      } else {
        living.delete(one.id.transaction);
        await spool.remove(one.id).catch(() => living.set(one.id.transaction, one));
      }
    };
    for (let round = 0; round < 3; round++) {
      while (refused < 20) await Promise.all([act(), act(), act()]);
      refused = 0;
      for (const one of living.values()) {
        if (random() < 0.15) continue;
        await spool.remove(one.id);
        living.delete(one.id.transaction);
      }
      const free = () => spool.takesMail && spool.hasRoomFor(0);
      await expect.poll(() => [seed, round, free()]).toEqual([seed, round, true]);
      // Not only a little: what lives is a sixth of it.
      let taken = 0;
      for (; taken < 20; taken++) {
        const number = ++n;
        const [message] = await commitMessage(spool, uuid(number), bytes(number, 20_000)).catch(() => []);
        if (message === undefined) break;
        living.set(message.id.transaction, { id: message.id, size: 20_000, retry: 0 });
      }
      expect([seed, round, taken, used()]).toEqual([seed, round, 20, used()]);
    }
    const after = await opened(files.copy());
    expect([seed, ...idsOf(after.found)]).toEqual([
      seed,
      ...[...living.keys()].map((id) => `${id}:1`).sort(),
    ]);
    for (const { id, retry } of after.found) {
      const known = living.get(id.transaction)!;
      expect(retry).toBe(known.retry);
      const number = Number.parseInt(id.transaction.slice(-12), 16);
      expect((await readMessage(after.spool, id)).equals(bytes(number, known.size))).toBe(true);
    }
    await after.spool.close();
    await spool.close();
  }
}, 60_000);

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
