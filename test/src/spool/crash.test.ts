import { expect, test } from 'vitest';
import type { DiskSpool, SpoolSizes } from '../../../src/spool/disk-spool.js';
import { FrozenFiles } from '../../support/frozen-files.js';
import { commitMessage, queueRequest, readMessage, seededRandom, uuid } from '../../support/mail-samples.js';
import { openedSpool } from '../../support/opened-spool.js';

// A spool at work, with small files so that segments, snapshots and moves happen all the time, and a diary of what reached the
// disk. The disk is then rebuilt as it was at each moment, recovered, and compared with what had been promised by then.

const sizes: Partial<SpoolSizes> = {
  metaSegmentBytes: 1200,
  bodySegmentBytes: 1000,
  snapshotBytes: 1500,
  memoryBytes: 400,
  batchBytes: 1000,
  liveShare: 0.6,
  recentBytes: 500,
};

function bodyOf(n: number): Buffer {
  return Buffer.alloc((n * 37) % 600, `<${n}>`);
}

/** Commits, changes and removes messages, several at a time; marks say what was begun and what was promised. */
async function work(spool: DiskSpool, files: FrozenFiles, seed: number, from: number, count: number) {
  const random = seededRandom(seed);
  const turns = async () => {
    for (let turn = Math.floor(random() * 6); turn > 0; turn--) await new Promise(setImmediate);
  };
  const line = Array.from({ length: count }, (_, i) => from + i).values();
  const worker = async () => {
    for (const n of line) {
      await turns();
      const requests = [queueRequest(1), queueRequest(2, { pieces: editOf(n) })];
      const messages = await commitMessage(spool, uuid(n), bodyOf(n), requests);
      files.mark(`in ${n}`);
      await turns();
      await spool.update(messages[0]!.id, { retry: 7, nextTry: n, reason: `later ${n}` });
      files.mark(`changed ${n}`);
      await turns();
      if (random() < 0.3) continue;
      for (const { id } of messages) {
        if (random() < 0.1) continue;
        files.mark(`going ${n}:${id.number}`);
        await spool.remove(id);
        files.mark(`gone ${n}:${id.number}`);
        await spool.flushed();
        files.mark(`flushed ${n}:${id.number}`);
      }
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}

function editOf(n: number) {
  return [
    { kind: 'bytes', bytes: Buffer.from(`X-Number: ${n}\r\n`) },
    { kind: 'range', start: 0, end: bodyOf(n).length },
  ] as const;
}

/**
 * What is in the image must be what was promised: all of it, once, whole. A removal is proof against a kill at once (`gone`),
 * against a power cut when it is flushed (`flushed`).
 */
async function checkImage(
  image: FrozenFiles,
  marks: readonly string[],
  what: string,
  removalIsSafe: 'gone' | 'flushed' = 'gone',
): Promise<void> {
  const marked = new Set(marks);
  const { spool, found, log } = await openedSpool(image, { sizes });
  const present = new Map(
    found.map((message) => [
      `${Number.parseInt(message.id.transaction.slice(-12), 16)}:${message.id.number}`,
      message,
    ]),
  );
  if (present.size !== found.length) throw new Error(`${what}: a message is there twice`);
  for (const mark of marks) {
    const [word, n] = mark.split(' ') as [string, string];
    if (word === 'in') {
      for (const number of [1, 2]) {
        const key = `${n}:${number}`;
        if (!present.has(key) && !marked.has(`going ${key}`)) throw new Error(`${what}: ${key} is lost`);
      }
    } else if (word === removalIsSafe && present.has(n)) {
      throw new Error(`${what}: ${n} is back`);
    } else if (word === 'changed') {
      const message = present.get(`${n}:1`);
      if (message !== undefined && message.nextTry !== Number(n))
        throw new Error(`${what}: ${n} has lost its change`);
    }
  }
  for (const [key, message] of present) {
    const n = Number(key.split(':')[0]);
    const expected =
      message.id.number === 1 ? bodyOf(n) : Buffer.concat([Buffer.from(`X-Number: ${n}\r\n`), bodyOf(n)]);
    if (!(await readMessage(spool, message.id)).equals(expected))
      throw new Error(`${what}: ${key} has other bytes`);
    if (message.retry !== 0) expect(message).toMatchObject({ retry: 7, nextTry: n, reason: `later ${n}` });
  }
  const errors = log.lines.filter(({ level }) => level === 'error');
  if (errors.length > 0) throw new Error(`${what}: ${JSON.stringify(errors[0])}`);
  await spool.close();
}

/** One spool's life with a restart in the middle, as a diary. */
async function diary(seed: number, count: number): Promise<FrozenFiles> {
  const files = new FrozenFiles();
  const first = await openedSpool(files, { sizes });
  await work(first.spool, files, seed, 0, count);
  await first.spool.compacted();
  await first.spool.close();
  const second = await openedSpool(files, { sizes });
  await work(second.spool, files, seed + 1000, count, count);
  await second.spool.compacted();
  return files;
}

test('a process killed at any write leaves every promised message, once and whole', async () => {
  const files = await diary(1, 40);
  const kinds = files.diary.map((entry) => (entry.kind === 'rename' ? entry.to : entry.kind));
  expect(kinds.some((kind) => kind.includes('snapshot-'))).toBe(true);
  expect(kinds.some((kind) => kind.includes('large-'))).toBe(true);
  const moment = (i: number) => checkImage(files.afterKill(i), files.marksUntil(i), `killed after ${i}`);
  for (let i = 0; i <= files.diary.length; i++) {
    if (files.diary[i - 1]?.kind !== 'mark') await moment(i);
  }
}, 60_000);

test('a process killed in the middle of a write leaves every promised message', async () => {
  const files = await diary(2, 15);
  for (const [i, entry] of files.diary.entries()) {
    if (entry.kind !== 'write') continue;
    for (const share of [0.1, 0.5, 0.95]) {
      const at = Math.floor(entry.bytes.length * share);
      await checkImage(files.afterKill(i + 1, at), files.marksUntil(i), `killed in write ${i} at byte ${at}`);
    }
  }
}, 60_000);

test('a power cut at any moment leaves every promised message, whatever of the rest it keeps', async () => {
  for (let seed = 1; seed <= 3; seed++) {
    const random = seededRandom(seed);
    const files = await diary(seed + 10, 25);
    for (let i = 0; i <= files.diary.length; i++) {
      if (files.diary[i - 1]?.kind === 'mark') continue;
      const image = files.afterPowerCut(i, random);
      await checkImage(image, files.marksUntil(i), `seed ${seed}, power cut after ${i}`, 'flushed');
    }
  }
}, 120_000);

test('a process killed while it recovers can recover again', async () => {
  const files = await diary(5, 15);
  const random = seededRandom(5);
  for (let round = 0; round < 20; round++) {
    const moment = Math.floor(random() * files.diary.length);
    const image = files.afterPowerCut(moment, random);
    const marks = files.marksUntil(moment);
    const recovering = new FrozenFiles();
    for (const [name, file] of image.names) {
      const handle = await recovering.open(name, 'create');
      await handle.write([image.contents[file]!], 0);
      await handle.sync();
    }
    await recovering.syncFolder();
    const start = recovering.diary.length;
    const { spool } = await openedSpool(recovering, { sizes });
    await spool.compacted();
    for (let i = start; i <= recovering.diary.length; i++) {
      await checkImage(
        recovering.afterPowerCut(i, random),
        marks,
        `round ${round}, recovery cut after ${i - start}`,
        'flushed',
      );
    }
  }
}, 120_000);
