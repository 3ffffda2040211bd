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
//   as well, since nobody knows what of it the system still holds; the next file's header says how much of the old one counts,
//   and repeats the removals in it that were written and never flushed.
// - On a full disk what is done goes on in the room of the reserve (reserve.ts), and new mail does not.

import { randomInt } from 'node:crypto';
import path from 'node:path';
import { type SpoolFile, type SpoolFiles, spoolError } from './files.js';
import { HEADER_BYTES, RecordKind, recordHeader } from './format.js';
import type { SpoolLog } from './log.js';
import { type BodyHeader, type MetaHeader, toPayload } from './records.js';
import type { Reserve } from './reserve.js';
import type { BodySegment, BodySegments } from './segments.js';
import { bodyName } from './segments.js';
import { SpoolError } from './spool.js';
import { type LogEnd, metaName } from './survey.js';

/** How long removals wait for another batch to be flushed with. */
const REMOVAL_FLUSH_MS = 10;

/**
 * For how many turns a batch waits while it grows. With 20 and 100 sessions it holds a third more messages than one that begins
 * at once, and a message costs a tenth less CPU; a lone session does not notice (test/perf/accept.ts, 4 KiB).
 */
const GATHERING_TURNS = 8;

/** Bytes for the body log. */
export interface BodyRecord {
  readonly kind: typeof RecordKind.Body | typeof RecordKind.Version;
  readonly payload: readonly Buffer[];
  readonly sizeBytes: number;
}

/** Where a body record was put. */
export interface LogPlace {
  readonly segment: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

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

interface Waiting extends Append {
  readonly resolve: () => void;
  readonly reject: (error: SpoolError) => void;
  readonly sizeBytes: number;
  places: readonly LogPlace[];
}

/** The bodies of a batch: where they begin in which segment. */
interface WrittenBodies {
  readonly segment: BodySegment;
  readonly file: SpoolFile;
  readonly start: number;
}

interface MetaSegment {
  readonly number: number;
  readonly path: string;
  readonly file: SpoolFile;
  readonly salt: number;
  /** Where the next batch goes: all before it is durable. */
  end: number;
}

/** Settings of the group commit. */
export interface GroupCommitOptions {
  readonly files: SpoolFiles;
  readonly folder: string;
  readonly log: SpoolLog;
  readonly segments: BodySegments;
  readonly bodySegmentBytes: number;
  readonly metaSegmentBytes: number;
  readonly batchBytes: number;
  /** Called for each file of the metadata log to which nothing is added any more. */
  readonly onMetaClosed: (file: {
    readonly number: number;
    readonly path: string;
    readonly sizeBytes: number;
  }) => void;
  readonly reserve: Reserve;
  /** The first number that no message in a file of its own has had. */
  readonly nextLarge: () => number;
  /** Called when the metadata log could not be written, or only in the room of the reserve: somebody has to look after it. */
  readonly onTrouble: () => void;
}

/** Removals that were written and not flushed: where the first begins, and whose they are. */
interface Unflushed {
  readonly from: number;
  readonly removals: readonly string[];
}

/** Entries that could not be written. */
interface Failure {
  readonly entries: readonly Waiting[];
  readonly error: SpoolError;
}

/** Writes both logs. */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #meta: MetaSegment | undefined;
  #body: { readonly segment: BodySegment; readonly file: SpoolFile } | undefined;
  #nextMeta = 1;
  #nextBody = 1;
  #previousMeta: LogEnd | undefined;
  /** Where the metadata log has records that were not flushed: removals, and of which messages. */
  #unflushed: Unflushed | undefined;
  /** Removals in a file that was given up before they were flushed: the next file's header repeats them. */
  #carried: readonly string[] = [];
  #settling: NodeJS.Timeout | undefined;
  #isGrowing = false;
  #isWell = true;
  #isClosed = false;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Makes the first file of this run; `removed` are the messages that recovery gave up. @throws SpoolError */
  async begin(from: {
    readonly nextMeta: number;
    readonly nextBody: number;
    readonly previous: LogEnd | undefined;
    readonly removed: readonly string[];
  }): Promise<void> {
    this.#nextMeta = from.nextMeta;
    this.#nextBody = from.nextBody;
    this.#previousMeta = from.previous;
    this.#meta = await this.#newMeta(from.removed);
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
    return this.#nextBody;
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
    if (this.#unflushed === undefined && this.#carried.length === 0) return;
    await this.append({ bodies: [], meta: () => undefined, apply: () => {} });
  }

  /** Finds out whether the metadata log can be written, and with `hasBody` the body log. @throws SpoolError */
  async probe(hasBody: boolean): Promise<void> {
    const probe = { kind: RecordKind.Probe, payload: Buffer.alloc(0) };
    // Nothing refers to the body: it goes with its segment.
    const body = { kind: RecordKind.Body, payload: [probe.payload], sizeBytes: 0 };
    await this.append({ bodies: hasBody ? [body] : [], meta: () => probe, apply: () => {} });
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
    const meta = this.#meta;
    this.#meta = undefined;
    this.#body = undefined;
    await meta?.file.close().catch(() => {});
    return meta === undefined || this.#unflushed !== undefined
      ? undefined
      : { number: meta.number, end: meta.end };
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
    let meta: MetaSegment;
    try {
      meta = await this.#usableMeta();
    } catch (error) {
      this.#isWell = false;
      return [{ entries: batch, error: spoolError('write in', this.#options.folder, error) }];
    }
    let entries = batch;
    let body: WrittenBodies | undefined;
    try {
      body = await this.#writeBodies(batch);
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

  /** Step 1. */
  async #writeBodies(batch: readonly Waiting[]): Promise<WrittenBodies | undefined> {
    if (!batch.some((entry) => entry.bodies.length > 0)) return undefined;
    const { segment, file } = await this.#usableBody();
    const start = segment.sizeBytes;
    const buffers: Buffer[] = [];
    let offset = start;
    for (const entry of batch) {
      if (entry.bodies.length === 0) continue;
      entry.places = entry.bodies.map((body) => {
        buffers.push(recordHeader(body.kind, body.payload, start, segment.salt), ...body.payload);
        const place = { segment: segment.number, offset, sizeBytes: body.sizeBytes };
        offset += HEADER_BYTES + body.sizeBytes;
        return place;
      });
    }
    try {
      await file.write(buffers, start);
    } catch (error) {
      await this.#cutBody({ segment, file, start }, false);
      throw spoolError('write in', segment.path, error);
    }
    segment.sizeBytes = offset;
    return { segment, file, start };
  }

  /** Steps 2 to 4. */
  async #writeMeta(
    meta: MetaSegment,
    entries: readonly Waiting[],
    body: WrittenBodies | undefined,
  ): Promise<Failure | undefined> {
    // Of what is flushed together a power cut may keep the later records and lose the earlier.
    const batchStart = this.#unflushed?.from ?? meta.end;
    const buffers: Buffer[] = [];
    for (const entry of entries) {
      const record = entry.meta(entry.places);
      if (record === undefined) continue;
      buffers.push(recordHeader(record.kind, [record.payload], batchStart, meta.salt), record.payload);
    }
    const bytes = Buffer.concat(buffers);
    const isLazy = entries.every((entry) => entry.removal !== undefined);
    let isFlushing = false;
    try {
      if (entries.some((entry) => entry.isMove)) {
        isFlushing = true;
        await body?.file.sync();
      }
      if (bytes.length > 0) await meta.file.write([bytes], meta.end);
      isFlushing = !isLazy;
      // Both are awaited whatever happens: a flush that is still going on must not meet the cut that follows a failure.
      const flushed = isLazy ? [] : await Promise.allSettled([meta.file.sync(), body?.file.sync()]);
      for (const outcome of flushed) if (outcome.status === 'rejected') throw outcome.reason;
      this.#unflushed = isLazy ? this.#alsoUnflushed(batchStart, entries) : undefined;
      if (isLazy) this.#settleSoon();
    } catch (error) {
      await this.#cutMeta(meta, isFlushing);
      if (body !== undefined) await this.#cutBody(body, isFlushing);
      return { entries, error: spoolError('write in', meta.path, error) };
    }
    meta.end += bytes.length;
    for (const entry of entries) {
      try {
        entry.apply(entry.places, meta.number);
        entry.resolve();
      } catch (error) {
        // A mistake of ours with one entry must not stop the log for all.
        entry.reject(spoolError('take into account what was written in', meta.path, error));
      }
    }
    return undefined;
  }

  #alsoUnflushed(from: number, entries: readonly Waiting[]): Unflushed {
    const more = entries.flatMap(({ removal }) => removal ?? []);
    return { from, removals: [...(this.#unflushed?.removals ?? []), ...more] };
  }

  /** Takes back what a failed batch wrote to the metadata log. */
  async #cutMeta(meta: MetaSegment, isSuspect: boolean): Promise<void> {
    let isCut = false;
    try {
      await meta.file.truncate(meta.end);
      if (isSuspect) await meta.file.sync();
      isCut = true;
    } catch (error) {
      this.#options.log.warn(
        { file: meta.path, err: error },
        'cannot cut back the metadata log after a failed write; it is given up for a new file',
      );
    }
    if (isCut && !isSuspect) return;
    this.#giveUpMeta(meta);
    await meta.file.close().catch(() => {});
    // Only a header that says where the old file ends makes sure that what is refused now stays so. If there can be none now,
    // the next batch needs it before it is written.
    this.#meta = await this.#newMeta([]).catch(() => undefined);
  }

  /** Nothing is added to the file any more; the next one's header tells where it ends. What was not flushed does not count. */
  #giveUpMeta(meta: MetaSegment): void {
    this.#previousMeta = { number: meta.number, end: this.#unflushed?.from ?? meta.end };
    this.#carried = [...this.#carried, ...(this.#unflushed?.removals ?? [])];
    this.#unflushed = undefined;
    this.#meta = undefined;
    this.#options.onMetaClosed({ number: meta.number, path: meta.path, sizeBytes: meta.end });
  }

  /** Takes back what a failed batch wrote to the body log. Nothing refers to it: failing here costs room, no more. */
  async #cutBody(body: WrittenBodies, isSuspect: boolean): Promise<void> {
    let isCut = false;
    try {
      await body.file.truncate(body.start);
      body.segment.sizeBytes = body.start;
      isCut = true;
    } catch (error) {
      this.#options.log.warn(
        { file: body.segment.path, err: error },
        'cannot cut back the body log after a failed write; it is given up for a new file',
      );
    }
    if (!isCut || isSuspect) this.#giveUpBody();
  }

  #giveUpBody(): void {
    const body = this.#body;
    this.#body = undefined;
    if (body !== undefined) this.#options.segments.close(body.segment);
  }

  async #usableMeta(): Promise<MetaSegment> {
    const meta = this.#meta;
    if (meta === undefined) {
      this.#meta = await this.#newMeta([]);
      return this.#meta;
    }
    if (meta.end < this.#options.metaSegmentBytes) return meta;
    await this.#replaceMeta(meta);
    return this.#meta ?? meta;
  }

  /** Goes on in a new file. If there is no room for one, the old one goes on as long as that is safe. */
  async #replaceMeta(old: MetaSegment): Promise<void> {
    if (this.#unflushed !== undefined && !(await this.#flushRemovals(old))) {
      this.#giveUpMeta(old);
      await old.file.close().catch(() => {});
      this.#meta = await this.#newMeta([]);
      return;
    }
    const before = this.#previousMeta;
    this.#previousMeta = { number: old.number, end: old.end };
    try {
      this.#meta = await this.#newMeta([]);
      this.#isGrowing = false;
    } catch (error) {
      // A header that may have reached the disk says that the old file ends here: what is added to it now could be cut
      // off by the next recovery.
      if (error instanceof HeaderMayStand) {
        this.#giveUpMeta(old);
        await old.file.close().catch(() => {});
        throw error;
      }
      this.#previousMeta = before;
      if (!this.#isGrowing) {
        this.#options.log.warn(
          { err: error, file: old.path },
          'cannot begin a new file of the metadata log, the old one grows',
        );
      }
      this.#isGrowing = true;
      return;
    }
    await old.file.close().catch(() => {});
    this.#options.onMetaClosed({ number: old.number, path: old.path, sizeBytes: old.end });
  }

  /** The next file's header will say that all of this one counts. */
  async #flushRemovals(meta: MetaSegment): Promise<boolean> {
    try {
      await meta.file.sync();
    } catch (error) {
      this.#options.log.warn(
        { err: error, file: meta.path },
        'the metadata log cannot be flushed; it is given up for a new file',
      );
      return false;
    }
    this.#unflushed = undefined;
    return true;
  }

  async #newMeta(removed: readonly string[]): Promise<MetaSegment> {
    const number = this.#nextMeta;
    const name = path.join(this.#options.folder, metaName(number));
    const salt = newSalt();
    const gone = [...removed, ...this.#carried];
    const header: MetaHeader = {
      log: 'meta',
      number,
      salt,
      ...(this.#previousMeta === undefined ? undefined : { previous: this.#previousMeta }),
      nextBody: this.#nextBody,
      nextLarge: this.nextLarge,
      ...(gone.length === 0 ? undefined : { removed: gone }),
    };
    const { file, sizeBytes } = await this.#createSegment(name, toPayload(header));
    this.#nextMeta++;
    this.#carried = [];
    return { number, path: name, file, salt, end: sizeBytes };
  }

  async #usableBody(): Promise<{ readonly segment: BodySegment; readonly file: SpoolFile }> {
    if (this.#body !== undefined) {
      if (this.#body.segment.sizeBytes < this.#options.bodySegmentBytes) return this.#body;
      this.#giveUpBody();
    }
    // The number is used up even if this fails: a record of an earlier failure may name it.
    const number = this.#nextBody++;
    const salt = newSalt();
    const header: BodyHeader = { log: 'body', number, salt };
    const name = path.join(this.#options.folder, bodyName(number));
    const { file, sizeBytes } = await this.#createSegment(name, toPayload(header));
    this.#body = { segment: this.#options.segments.add(number, salt, sizeBytes, false, file), file };
    return this.#body;
  }

  /** A new file with its header, durable together with its name. A failure leaves none behind. */
  async #createSegment(
    name: string,
    header: Buffer,
  ): Promise<{ readonly file: SpoolFile; readonly sizeBytes: number }> {
    const { files, folder } = this.#options;
    let file: SpoolFile | undefined;
    let isWritten = false;
    try {
      file = await files.open(name, 'create');
      await file.write([recordHeader(RecordKind.SegmentHeader, [header], 0, 0), header], 0);
      isWritten = true;
      await file.sync();
      await files.syncFolder(folder);
      return { file, sizeBytes: HEADER_BYTES + header.length };
    } catch (error) {
      const isGone = file === undefined || (await this.#undone(file, name));
      const failure = spoolError('begin', name, error);
      throw isWritten || !isGone ? new HeaderMayStand(failure) : failure;
    }
  }

  async #undone(file: SpoolFile, name: string): Promise<boolean> {
    await file.close().catch(() => {});
    try {
      await this.#options.files.remove(name);
      return true;
    } catch {
      return false;
    }
  }
}

/** A new file could not be begun, but its header may be on the disk. */
class HeaderMayStand extends SpoolError {
  constructor(cause: SpoolError) {
    super(cause.message, cause.noSpace, { cause });
  }
}

function isNewMail(entry: Waiting): boolean {
  return entry.bodies.length > 0 && entry.isMove !== true;
}

function rejectAll(entries: readonly Waiting[], error: SpoolError): void {
  for (const entry of entries) entry.reject(error);
}

/** A number that nobody outside can know. */
export function newSalt(): number {
  return randomInt(0, 0x100000000);
}
