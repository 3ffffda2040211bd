// Group commit: why a message survives a power cut without costing a disk flush of its own.
//
// Whatever is to be written waits in a line. One batch at a time takes all that waits, in four steps:
//
//   1  the bodies of the batch are written to the body log, in one go
//   2  the metadata records, which say where the bodies lie, are written to the metadata log, in one go
//   3  both logs are flushed (fdatasync), side by side
//   4  the waiters are told, and the next batch, collected meanwhile, begins as soon as it stops growing
//
// The rules that recovery relies on:
//
// - A batch begins only when the one before it is durable in both logs. So only the last batch on disk can be in doubt. The
//   step from 1 to 2 is enough against a killed process; against a power cut, which may save 2 and lose 1, recovery checks
//   every body that the last batch names and takes a transaction without its body for what it is: never acknowledged.
// - A batch of removals alone is written at once and flushed a moment later, by the next batch if there is one. A killed
//   process cannot bring such a message back; a power cut in that moment can, and then it is delivered again, like a message
//   whose attempt was in flight. `settle` ends the doubt, and stands before everything that destroys what a removal no
//   longer needs. Until then it counts as the beginning of the batch that follows: what is flushed together is in doubt
//   together. (test/perf/relay.ts, 4 KiB, 1 session: one flush of three less for each message.)
// - A batch that fails leaves nothing: both logs are cut back to where they were. After a failed flush the file is given up
//   as well, since nobody knows what of it the system still holds (body-log.ts, meta-log.ts).
// - On a full disk what is done goes on in the room of the reserve (reserve.ts), and new mail does not.

import { type BodyEntry, BodyLog, type BodyRecord, type LogPlace, type WrittenBodies } from './body-log.js';
import { type SpoolFiles, spoolError } from './files.js';
import { HEADER_BYTES, RecordKind, recordHeader } from './format.js';
import type { SpoolLog } from './log.js';
import { type MetaBeginning, type MetaFile, MetaLog, type MetaLogOptions } from './meta-log.js';
import type { Reserve } from './reserve.js';
import type { Room } from './room.js';
import type { BodySegments } from './segments.js';
import { SpoolError } from './spool.js';
import type { LogEnd } from './survey.js';

/** How long removals wait for another batch to be flushed with. */
const REMOVAL_FLUSH_MS = 10;

/**
 * For how many turns a batch waits while it grows. With 20 and 100 sessions it holds a third more messages than one that begins
 * at once, and a message costs a tenth less CPU; a lone session does not notice (test/perf/accept.ts, 4 KiB).
 */
const GATHERING_TURNS = 8;

/** A record for the metadata log. */
export interface MetaRecord {
  readonly kind: RecordKind;
  readonly payload: Buffer;
}

/** What one caller wants written, all of it or nothing. */
export interface Append {
  readonly bodies: readonly BodyRecord[];
  /**
   * The bodies must be durable before the metadata record is written: it changes what earlier records say, and so cannot be
   * taken for never acknowledged when its bodies are missing.
   */
  readonly isMove?: boolean;
  /**
   * The record removes this message (`uuid:number`), and a power cut may bring it back: a batch of nothing but these need not be
   * flushed.
   */
  readonly removal?: string;
  /** The metadata record, made when the places of the bodies are fixed; none when only the flush is wanted. */
  readonly meta: (places: readonly LogPlace[]) => MetaRecord | undefined;
  /** Called when all is durable, in the order of the log. `home` is the file of the metadata log that has the record. */
  readonly apply: (places: readonly LogPlace[], home: number) => void;
}

interface Waiting extends Append, BodyEntry {
  readonly bodies: readonly BodyRecord[];
  readonly resolve: () => void;
  readonly reject: (error: SpoolError) => void;
  readonly sizeBytes: number;
}

/** Settings of the group commit. */
export interface GroupCommitOptions {
  readonly files: SpoolFiles;
  readonly folder: string;
  readonly log: SpoolLog;
  readonly segments: BodySegments;
  readonly batchBytes: number;
  readonly reserve: Reserve;
  readonly room: Room;
  /** The first number that no message in a file of its own has had. */
  readonly nextLarge: () => number;
  /** Called for each file of the metadata log to which nothing is added any more. */
  readonly onMetaClosed: MetaLogOptions['onClosed'];
  /** Called when the metadata log could not be written, or only in the room of the reserve: somebody has to look after it. */
  readonly onTrouble: () => void;
}

/** Entries that could not be written. */
interface Failure {
  readonly entries: readonly Waiting[];
  readonly error: SpoolError;
}

/** Writes both logs. */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #bodyLog: BodyLog;
  readonly #metaLog: MetaLog;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #settling: NodeJS.Timeout | undefined;
  /** Before the next batch, and not in the midst of one: its bodies count only when they are applied. */
  #isLeaving = false;
  #isWell = true;
  #isClosed = false;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#bodyLog = new BodyLog(options);
    this.#metaLog = new MetaLog({
      ...options,
      nextBody: () => this.#bodyLog.next,
      onClosed: options.onMetaClosed,
    });
  }

  /** Makes the first file of this run. @throws SpoolError */
  async begin(from: MetaBeginning & { readonly nextBody: number }): Promise<void> {
    this.#bodyLog.begin(from.nextBody);
    await this.#metaLog.begin(from);
  }

  /** Whether the metadata log could be written the last time. */
  get isWell(): boolean {
    return this.#isWell;
  }

  /** The first number that no message in a file of its own has had yet. */
  get nextLarge(): number {
    return this.#options.nextLarge();
  }

  /** The first number that no body segment has had yet. */
  get nextBody(): number {
    return this.#bodyLog.next;
  }

  /** Bytes in the file of the metadata log that is added to. */
  get metaBytes(): number {
    return this.#metaLog.sizeBytes;
  }

  /** Appends; resolves when it is durable. @throws SpoolError */
  append(wish: Append): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new SpoolError('the spool is closed', false));
      let sizeBytes = 0;
      for (const body of wish.bodies) sizeBytes += HEADER_BYTES + body.sizeBytes;
      this.#waiting.push({
        bodies: wish.bodies,
        isMove: wish.isMove === true,
        ...(wish.removal === undefined ? undefined : { removal: wish.removal }),
        meta: wish.meta,
        apply: wish.apply,
        resolve,
        reject,
        sizeBytes,
        places: [],
      });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when everything written so far is durable. @throws SpoolError */
  async settle(): Promise<void> {
    if (this.#metaLog.isInDoubt) await this.append({ bodies: [], meta: () => undefined, apply: () => {} });
  }

  /** Finds out whether the metadata log can be written, and with `hasBody` the body log. @throws SpoolError */
  async probe(hasBody: boolean): Promise<void> {
    const probe = { kind: RecordKind.Probe, payload: Buffer.alloc(0) };
    // Nothing refers to the body: it goes with its segment.
    const body = { kind: RecordKind.Body, payload: [probe.payload], sizeBytes: 0 };
    await this.append({ bodies: hasBody ? [body] : [], meta: () => probe, apply: () => {} });
  }

  /** Goes on in new files where the present ones hold much that is dead, with `isMetaToo` in both logs. @throws SpoolError */
  async leaveWhatIsDead(isMetaToo: boolean): Promise<void> {
    if (isMetaToo) this.#metaLog.endSoon();
    this.#isLeaving = true;
    await this.append({ bodies: [], meta: () => undefined, apply: () => {} });
  }

  /** Does not wait for company for long. */
  #settleSoon(): void {
    if (this.#settling !== undefined) return;
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      // A failure has been told by the log that could not be flushed; the next batch tries again.
      this.settle().catch(() => {});
    }, REMOVAL_FLUSH_MS);
    this.#settling.unref();
  }

  /** Waits for what was asked for so far and closes the metadata log; the result is where it ends, if all of it is durable. */
  async close(): Promise<LogEnd | undefined> {
    while (this.#running !== undefined) await this.#running;
    await this.settle().catch(() => {});
    while (this.#running !== undefined) await this.#running;
    this.#isClosed = true;
    clearTimeout(this.#settling);
    this.#bodyLog.end();
    return this.#metaLog.close();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#gather();
      await this.#write(this.#takeBatch());
    }
    this.#running = undefined;
  }

  /** Waits as long as every turn of the event loop brings company, for a few turns: a flush costs as much for one as for ten. */
  async #gather(): Promise<void> {
    let before = 0;
    for (let turn = 0; turn < GATHERING_TURNS && this.#waiting.length > before; turn++) {
      before = this.#waiting.length;
      await new Promise(setImmediate);
    }
  }

  #takeBatch(): Waiting[] {
    let count = 0;
    let sizeBytes = 0;
    while (count < this.#waiting.length && (count === 0 || sizeBytes < this.#options.batchBytes)) {
      sizeBytes += this.#waiting[count]!.sizeBytes;
      count++;
    }
    if (count === this.#waiting.length) {
      const all = this.#waiting;
      this.#waiting = [];
      return all;
    }
    return this.#waiting.splice(0, count);
  }

  /** Never rejects. */
  async #write(batch: readonly Waiting[]): Promise<void> {
    const { reserve, folder } = this.#options;
    if (this.#isLeaving) this.#bodyLog.leaveWhatIsDead();
    this.#isLeaving = false;
    let entries = batch;
    if (reserve.isSpent) {
      const why = `the disk of the spool ${folder} is full; free some space on it, the spool goes on by itself`;
      rejectAll(batch.filter(isNewMail), new SpoolError(why, true));
      entries = batch.filter((entry) => !isNewMail(entry));
    }
    for (const { entries: failed, error } of await this.#attempt(entries)) {
      const urgent = error.noSpace ? failed.filter((entry) => entry.bodies.length === 0) : [];
      if (urgent.length === 0 || !(await reserve.release())) {
        rejectAll(failed, error);
        continue;
      }
      rejectAll(
        failed.filter((entry) => entry.bodies.length > 0),
        error,
      );
      for (const again of await this.#attempt(urgent)) rejectAll(again.entries, again.error);
    }
    if (!this.#isWell || reserve.isSpent) this.#options.onTrouble();
  }

  /** The result is what could not be written. */
  async #attempt(batch: readonly Waiting[]): Promise<readonly Failure[]> {
    if (batch.length === 0) return [];
    const failures: Failure[] = [];
    let meta: MetaFile;
    try {
      meta = await this.#metaLog.usable();
    } catch (error) {
      this.#isWell = false;
      return [{ entries: batch, error: spoolError('write in', this.#options.folder, error) }];
    }
    let entries = batch;
    let body: WrittenBodies | undefined;
    try {
      body = await this.#bodyLog.write(batch);
    } catch (error) {
      // Changes and removals need no room for bodies: they go on without those that do.
      failures.push({
        entries: batch.filter((entry) => entry.bodies.length > 0),
        error: spoolError('write in', this.#options.folder, error),
      });
      entries = batch.filter((entry) => entry.bodies.length === 0);
      if (entries.length === 0) return failures;
    }
    const failure = await this.#writeMeta(meta, entries, body);
    if (failure !== undefined) failures.push(failure);
    this.#isWell = failure === undefined;
    return failures;
  }

  /** Steps 2 to 4. */
  async #writeMeta(
    meta: MetaFile,
    batch: readonly Waiting[],
    body: WrittenBodies | undefined,
  ): Promise<Failure | undefined> {
    const batchStart = this.#metaLog.batchStart(meta);
    const { entries, bytes } = this.#recordsOf(batch, batchStart, meta);
    if (entries.length === 0) return undefined;
    const isLazy = entries.every((entry) => entry.removal !== undefined);
    let isFlushing = false;
    try {
      if (entries.some((entry) => entry.isMove)) {
        isFlushing = true;
        await body?.file.sync();
        isFlushing = false;
      }
      if (bytes.length > 0) await meta.file.write([bytes], meta.end);
      isFlushing = !isLazy;
      // Both are awaited whatever happens: a flush that is still going on must not meet the cut that follows a failure.
      const flushed = isLazy ? [] : await Promise.allSettled([meta.file.sync(), body?.file.sync()]);
      for (const outcome of flushed) if (outcome.status === 'rejected') throw outcome.reason;
    } catch (error) {
      await this.#metaLog.cut(meta, isFlushing);
      if (body !== undefined) await this.#bodyLog.cut(body, isFlushing);
      return { entries, error: spoolError('write in', meta.path, error) };
    }
    meta.end += bytes.length;
    if (isLazy) {
      this.#metaLog.notFlushed(
        batchStart,
        entries.flatMap(({ removal }) => removal ?? []),
      );
      this.#settleSoon();
    } else {
      this.#metaLog.flushed();
    }
    this.#tell(entries, meta);
    return undefined;
  }

  /** The records of a batch, and whose they are. A mistake of ours with one entry must not stop the log for all. */
  #recordsOf(
    batch: readonly Waiting[],
    batchStart: number,
    meta: MetaFile,
  ): { readonly entries: readonly Waiting[]; readonly bytes: Buffer } {
    const entries: Waiting[] = [];
    const buffers: Buffer[] = [];
    for (const entry of batch) {
      try {
        const record = entry.meta(entry.places);
        entries.push(entry);
        if (record === undefined) continue;
        buffers.push(recordHeader(record.kind, [record.payload], batchStart, meta.salt), record.payload);
      } catch (error) {
        entry.reject(spoolError('make a record for', meta.path, error));
      }
    }
    return { entries, bytes: Buffer.concat(buffers) };
  }

  /** Step 4. */
  #tell(entries: readonly Waiting[], meta: MetaFile): void {
    for (const entry of entries) {
      try {
        entry.apply(entry.places, meta.number);
        entry.resolve();
      } catch (error) {
        // As above.
        entry.reject(spoolError('take into account what was written in', meta.path, error));
      }
    }
  }
}

function isNewMail(entry: Waiting): boolean {
  return entry.bodies.length > 0 && entry.isMove !== true;
}

function rejectAll(entries: readonly Waiting[], error: SpoolError): void {
  for (const entry of entries) entry.reject(error);
}
