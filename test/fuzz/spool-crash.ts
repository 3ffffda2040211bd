// Spools that live and die: in each run a few processes, one after the other on the same disk, commit, change, remove, unload and
// import messages while the disk fails now and then, until they are killed or stop. Then the disk is rebuilt as a kill or a power cut
// leaves it at some moment, and what is found is compared with what had been promised by then. Recovery may find no damage,
// whatever happened: with `spool.corrupt: fail` it would refuse to start. In one world of eight files are large, and others take
// the disk's room and give it back.

import { openSpool, type SpoolSizes } from '../../src/spool/disk-spool.js';
import { messageIdToText } from '../../src/spool/id-table.js';
import { type QueuedMessage, SpoolError } from '../../src/spool/spool.js';
import { FrozenFiles, type Operation } from '../support/frozen-files.js';
import { commitMessage, keptLog, queueRequest, readMessage, uuid } from '../support/mail-samples.js';
import { SeededRandom } from './random.js';

export interface CrashCounts {
  runs: number;
  images: number;
  acknowledged: number;
  refused: number;
  found: number;
}

const sizes: Partial<SpoolSizes> = {
  metaSegmentBytes: 1500,
  bodySegmentBytes: 1500,
  snapshotBytes: 2500,
  memoryBytes: 400,
  batchBytes: 1000,
  liveShare: 0.6,
  recentBytes: 500,
  reserveBytes: 0,
  repairMs: 1,
};

/** Those of a spool on a disk that is full at times: files as large as usual, as long as there is room for them. */
const fullDiskSizes: Partial<SpoolSizes> = {
  liveShare: 0.6,
  recentBytes: 500,
  reserveBytes: 100_000,
  repairMs: 1,
};

/** What was begun, promised or refused, in the order of the diary. */
type Mark =
  | { readonly word: 'begin' | 'in' | 'refused'; readonly key: string; readonly body: number }
  | { readonly word: 'going' | 'gone' | 'flushed'; readonly key: string }
  | { readonly word: 'changing' | 'changed'; readonly key: string; readonly value: number };

interface Held {
  readonly id: QueuedMessage['id'];
  readonly key: string;
  readonly body: number;
  value: number;
}

function bodyOf(n: number, scale: number): Buffer {
  return Buffer.alloc(((n * 37) % 700) * scale, `<${n}>`);
}

function expectedOf(key: string, body: number, scale: number): Buffer {
  return key.endsWith(':2')
    ? Buffer.concat([Buffer.from(`X-Number: ${body}\r\n`), bodyOf(body, scale)])
    : bodyOf(body, scale);
}

class World {
  readonly files = new FrozenFiles();
  readonly marks: { readonly at: number; readonly mark: Mark }[] = [];
  readonly random: SeededRandom;
  readonly counts: CrashCounts;
  readonly isFullAtTimes: boolean;
  #next = 1;
  readonly #scale: number;
  readonly #sizes: Partial<SpoolSizes>;
  /** Whether operations fail in this life. */
  #faults: readonly Operation['kind'][] = [];
  /** What the disk has for the spool. */
  #capacity = Number.POSITIVE_INFINITY;

  constructor(random: SeededRandom, counts: CrashCounts) {
    this.random = random;
    this.counts = counts;
    this.isFullAtTimes = random.chance(1 / 8);
    this.#scale = this.isFullAtTimes ? 100 : 1;
    this.#sizes = this.isFullAtTimes ? fullDiskSizes : sizes;
    this.files.fail = ({ kind, sizeBytes }) => {
      if (this.#faults.includes(kind) && random.chance(0.1))
        return { code: random.chance(0.5) ? 'EIO' : 'ENOSPC', written: random.below(sizeBytes + 1) };
      const left = this.#capacity - this.#used();
      return kind === 'write' && sizeBytes > left
        ? { code: 'ENOSPC', written: Math.max(0, left) }
        : undefined;
    };
    Object.defineProperty(this.files, 'free', {
      get: () => ({ bytes: Math.min(1e12, Math.max(0, this.#capacity - this.#used())), inodes: 1e9 }),
    });
  }

  #used(): number {
    if (this.#capacity === Number.POSITIVE_INFINITY) return 0;
    return [...this.files.names.values()].reduce((sum, file) => sum + this.files.contents[file]!.length, 0);
  }

  /** Others take all but a little of the room, and give it back, again and again. */
  async #othersUseTheDisk(isOver: () => boolean): Promise<void> {
    while (this.isFullAtTimes && !isOver()) {
      for (let turn = this.random.below(60); turn > 0; turn--) await new Promise(setImmediate);
      if (isOver()) return;
      this.#capacity = 0;
      this.#capacity = this.#used() + this.random.below(100_000);
      for (let turn = this.random.below(200); turn > 0; turn--) await new Promise(setImmediate);
      this.#capacity = Number.POSITIVE_INFINITY;
    }
  }

  mark(mark: Mark): void {
    this.marks.push({ at: this.files.diary.length, mark });
  }

  /** One process. The result tells what it leaves in the spool, as far as it knows. */
  async live(): Promise<void> {
    const { random } = this;
    const process = this.files.process();
    this.#faults = [];
    const spool = await openSpool({
      folder: '/spool',
      files: process.files,
      log: keptLog(),
      now: () => 1000,
      corrupt: 'fail',
      sizes: this.#sizes,
    });
    const held: Held[] = [];
    await spool.recover((messages) => {
      for (const { id, nextTry } of messages) {
        const key = messageIdToText(id);
        held.push({ id, key, body: this.#lastBody(key, this.files.diary.length), value: nextTry });
      }
    });
    if (random.chance(0.5)) {
      this.#faults = [random.pick(['write', 'sync', 'open', 'rename', 'remove', 'syncFolder'] as const)];
      if (random.chance(0.3)) this.#faults = ['write', 'sync', 'open', 'rename', 'remove', 'syncFolder'];
    }
    let isOver = false;
    const turns = async () => {
      for (let turn = random.below(6); turn > 0; turn--) await new Promise(setImmediate);
    };
    const commit = async (
      transaction: string,
      numbers: readonly number[],
      isImport: boolean,
    ): Promise<void> => {
      const body = this.#next++;
      const edit = [
        { kind: 'bytes', bytes: Buffer.from(`X-Number: ${body}\r\n`) },
        { kind: 'range', start: 0, end: bodyOf(body, this.#scale).length },
      ] as const;
      const requests = numbers.map((number) => queueRequest(number, number === 2 ? { pieces: edit } : {}));
      const keys = numbers.map((number) => `${transaction}:${number}`);
      for (const key of keys) this.mark({ word: 'begin', key, body });
      try {
        const imported = isImport ? { imported: { retry: 1, nextTry: 0 } } : {};
        const messages = await commitMessage(
          spool,
          transaction,
          bodyOf(body, this.#scale),
          requests,
          imported,
        );
        for (const [i, { id }] of messages.entries()) {
          this.mark({ word: 'in', key: keys[i]!, body });
          this.counts.acknowledged++;
          held.push({ id, key: keys[i]!, body, value: 0 });
        }
      } catch (error) {
        if (!(error instanceof SpoolError)) throw error;
        this.counts.refused++;
        for (const key of keys) this.mark({ word: 'refused', key, body });
      }
    };
    const remove = async (one: Held): Promise<boolean> => {
      this.mark({ word: 'going', key: one.key });
      try {
        await spool.remove(one.id);
        this.mark({ word: 'gone', key: one.key });
        if (random.chance(0.3)) {
          await spool.flushed();
          this.mark({ word: 'flushed', key: one.key });
        }
        return true;
      } catch (error) {
        if (!(error instanceof SpoolError)) throw error;
        return false;
      }
    };
    const step = async (): Promise<void> => {
      const at = random.below(Math.max(held.length, 1));
      const what = random.below(10);
      if (held.length === 0 || what < 4) {
        return commit(uuid(this.#next), [1, 2].slice(0, 1 + random.below(2)), false);
      }
      const [one] = held.splice(at, 1);
      if (what < 6) {
        this.mark({ word: 'changing', key: one!.key, value: one!.value + 1 });
        try {
          await spool.update(one!.id, { nextTry: one!.value + 1, reason: `later ${one!.value + 1}` });
          one!.value++;
          this.mark({ word: 'changed', key: one!.key, value: one!.value });
        } catch (error) {
          if (!(error instanceof SpoolError)) throw error;
        }
        held.push(one!);
      } else if (what < 9) {
        await remove(one!);
      } else if (await remove(one!)) {
        await commit(one!.id.transaction, [one!.id.number], true);
      }
    };
    const worker = async () => {
      for (let steps = 10 + random.below(20); steps > 0 && !isOver; steps--) {
        await turns();
        if (!isOver) await step();
      }
    };
    void this.#othersUseTheDisk(() => isOver);
    const work = Promise.all([worker(), worker(), worker()]);
    if (random.chance(0.3)) {
      await work;
      isOver = true;
      this.#faults = [];
      this.#capacity = Number.POSITIVE_INFINITY;
      await spool.close();
      return;
    }
    // A killed process' promises never settle.
    const end = (async () => {
      for (let turn = 20 + random.below(300); turn > 0; turn--) await new Promise(setImmediate);
    })();
    await Promise.race([work, end]);
    isOver = true;
    process.kill();
    this.#faults = [];
    this.#capacity = Number.POSITIVE_INFINITY;
  }

  /** Which body the last incarnation of a message has that was begun by then. */
  #lastBody(key: string, moment: number): number {
    const begun = this.marks.filter(
      ({ at, mark }) => at <= moment && mark.key === key && mark.word === 'begin',
    );
    const last = begun.at(-1)?.mark;
    if (last?.word !== 'begin') throw new Error(`recovery made up the message ${key}`);
    return last.body;
  }

  /** Recovers an image of the disk and compares. */
  async check(image: FrozenFiles, moment: number, isPowerCut: boolean): Promise<void> {
    const spool = await openSpool({
      folder: '/spool',
      files: image,
      log: keptLog(),
      now: () => 1000,
      corrupt: 'fail',
      sizes: this.#sizes,
    });
    const found = new Map<string, QueuedMessage>();
    await spool.recover((messages) => {
      for (const message of messages) {
        const key = messageIdToText(message.id);
        if (found.has(key)) throw new Error(`${key} is there twice`);
        found.set(key, message);
      }
    });
    this.counts.images++;
    this.counts.found += found.size;
    const byKey = new Map<string, Mark[]>();
    for (const { at, mark } of this.marks) {
      if (at > moment) break;
      byKey.set(mark.key, [...(byKey.get(mark.key) ?? []), mark]);
    }
    for (const [key, marks] of byKey) {
      const message = found.get(key);
      found.delete(key);
      this.#judge(key, marks, message, isPowerCut);
      if (message === undefined) continue;
      const bytes = await readMessage(spool, message.id);
      const bodies = marks.flatMap((mark) => (mark.word === 'begin' ? [mark.body] : []));
      if (!bodies.some((body) => bytes.equals(expectedOf(key, body, this.#scale))))
        throw new Error(`${key} has other bytes`);
    }
    for (const key of found.keys()) throw new Error(`recovery made up the message ${key}`);
    await spool.close();
  }

  #judge(key: string, marks: readonly Mark[], message: QueuedMessage | undefined, isPowerCut: boolean): void {
    let isPromised = false;
    let mayBeThere = false;
    let least = 0;
    for (const mark of marks) {
      switch (mark.word) {
        case 'begin':
          mayBeThere = true;
          least = 0;
          break;
        case 'in':
          isPromised = true;
          break;
        case 'changed':
          least = mark.value;
          break;
        case 'going':
          isPromised = false;
          break;
        case 'gone':
          if (!isPowerCut) mayBeThere = false;
          break;
        case 'flushed':
          mayBeThere = false;
          break;
        default:
      }
    }
    if (isPromised && message === undefined) throw new Error(`${key} is lost`);
    if (!mayBeThere && message !== undefined) throw new Error(`${key} is back`);
    if (isPromised && message!.nextTry < least) throw new Error(`${key} has lost its change`);
  }
}

async function runOne(random: SeededRandom, counts: CrashCounts): Promise<void> {
  const world = new World(random, counts);
  for (let lives = 1 + random.below(4); lives > 0; lives--) await world.live();
  const { diary } = world.files;
  await world.check(world.files.copy(), diary.length, false);
  for (let image = 0; image < 12; image++) {
    const moment = 1 + random.below(diary.length);
    const isPowerCut = random.chance(0.7);
    const what = `moment ${moment} of ${diary.length}, ${isPowerCut ? 'power cut' : 'kill'}`;
    try {
      if (isPowerCut) {
        await world.check(
          world.files.afterPowerCut(moment, () => random.below(2 ** 30) / 2 ** 30),
          moment,
          true,
        );
      } else {
        // A write that is torn has not been acknowledged, nor has what was marked after it begun.
        const entry = diary[moment - 1]!;
        const tornAt = entry.kind === 'write' ? random.below(entry.bytes.length + 1) : undefined;
        await world.check(world.files.afterKill(moment, tornAt), moment - 1, false);
      }
    } catch (error) {
      throw new Error(what, { cause: error });
    }
  }
}

/** Runs for `seconds`, or `count` worlds. @throws with seed and number of the first that goes wrong */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<CrashCounts> {
  const counts: CrashCounts = { runs: 0, images: 0, acknowledged: 0, refused: 0, found: 0 };
  const deadline = performance.now() + seconds * 1000;
  while (counts.runs < count && performance.now() < deadline) {
    const random = new SeededRandom(seed * 100_003 + counts.runs);
    try {
      await runOne(random, counts);
    } catch (error) {
      throw new Error(`seed ${seed}, world ${counts.runs}`, { cause: error });
    }
    counts.runs++;
  }
  return counts;
}
