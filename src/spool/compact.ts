// Compaction, in the background and one job at a time: it makes the spool as large as what lives in it. It uses the same
// roads as everybody else, in small steps, so that commits never wait for it.
//
// - The metadata log: when the closed files have outgrown the last snapshot, a new snapshot takes the place of both. It holds
//   the record of every transaction that lives, with its changes folded in. It is written under another name, flushed, and
//   gets its own name with one rename; the files it replaces are deleted after that. Whatever instant the process ends at,
//   recovery finds either the old files or the whole snapshot. Changes that go on meanwhile stand in later files; they set
//   values and name ids, so that reading them after a snapshot that knows them already changes nothing.
// - The body log: of a closed segment with little life, the living records are appended to the log as if they were new, and a
//   Move record tells where they are now. The segment is deleted when nothing lives in it any more.

import path from 'node:path';
import { type SpoolFile, type SpoolFiles, spoolError } from './files.js';
import { HEADER_BYTES, RecordKind, recordHeader } from './format.js';
import type { SpoolLog } from './log.js';
import type { BodyStore } from './read.js';
import {
  changed,
  fromPayload,
  type MetaHeader,
  type StoredMessage,
  type StoredMove,
  type StoredPlace,
  type StoredTransaction,
  toPayload,
} from './records.js';
import { scan } from './scan.js';
import type { BodySegment, BodySegments } from './segments.js';
import { readHeader, snapshotName } from './survey.js';
import type { PlaceTable, StoredMessages } from './tables.js';
import { type BodyRecord, type GroupCommit, newSalt } from './write.js';

/** Transactions that are folded before others get a turn. */
const SLICE = 50;
/** Bytes that are moved with one append. */
const MOVE_BYTES = 1024 * 1024;

/** A file of the metadata log that is closed, or the snapshot. */
export interface ClosedMeta {
  readonly number: number;
  readonly path: string;
  readonly sizeBytes: number;
}

/** What compaction works on. */
export interface CompactorOptions {
  readonly files: SpoolFiles;
  readonly folder: string;
  readonly log: SpoolLog;
  readonly messages: StoredMessages;
  readonly places: PlaceTable;
  readonly segments: BodySegments;
  readonly store: BodyStore;
  readonly commit: GroupCommit;
  /** Closed files of the metadata log are left alone until they have so many bytes. */
  readonly snapshotBytes: number;
  /** A body segment with a smaller living share is rewritten. */
  readonly liveShare: number;
}

/** Keeps the logs small. */
export class Compactor {
  readonly #options: CompactorOptions;
  #snapshot: ClosedMeta | undefined;
  #closed: ClosedMeta[] = [];
  readonly #emptier = new Set<BodySegment>();
  #isSnapshotDue = false;
  #isStopped = true;
  #running: Promise<void> | undefined;

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  /** Begins; `mustSnapshot` replaces the present files in any case. */
  start(snapshot: ClosedMeta | undefined, closed: readonly ClosedMeta[], mustSnapshot: boolean): void {
    this.#snapshot = snapshot;
    this.#closed = [...closed, ...this.#closed];
    this.#isStopped = false;
    this.#isSnapshotDue = mustSnapshot;
    this.#considerMeta();
  }

  /** Stops at the next safe point. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  /** Resolves when there is nothing to do. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** A file of the metadata log is complete. */
  metaClosed(file: ClosedMeta): void {
    this.#closed.push(file);
    this.#considerMeta();
  }

  /** A closed body segment has lost a record. */
  emptier(segment: BodySegment): void {
    if (segment.liveBytes >= segment.sizeBytes * this.#options.liveShare) return;
    this.#emptier.add(segment);
    this.#wake();
  }

  #considerMeta(): void {
    let sizeBytes = 0;
    for (const file of this.#closed) sizeBytes += file.sizeBytes;
    const isGrown = sizeBytes > Math.max(this.#options.snapshotBytes, this.#snapshot?.sizeBytes ?? 0);
    // Each start leaves a small file behind: their number has a limit as well.
    if (isGrown || this.#closed.length > 16) this.#isSnapshotDue = true;
    if (this.#isSnapshotDue) this.#wake();
  }

  #wake(): void {
    if (this.#isStopped) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Never rejects: what cannot be done now is tried again when there is more of it. */
  async #run(): Promise<void> {
    await new Promise(setImmediate);
    while (!this.#isStopped) {
      const [segment] = this.#emptier;
      if (this.#isSnapshotDue) {
        this.#isSnapshotDue = false;
        await this.#attempt('write a snapshot of the metadata log', () => this.#takeSnapshot());
      } else if (segment !== undefined) {
        this.#emptier.delete(segment);
        if (!segment.isDeleted) await this.#attempt(`rewrite ${segment.path}`, () => this.#rewrite(segment));
      } else {
        return;
      }
    }
  }

  async #attempt(what: string, job: () => Promise<void>): Promise<void> {
    try {
      await job();
    } catch (error) {
      this.#options.log.warn({ err: error, folder: this.#options.folder }, `cannot ${what} at the moment`);
    }
  }

  async #takeSnapshot(): Promise<void> {
    const last = this.#closed.at(-1);
    if (last === undefined) return;
    const { files, folder, messages, log } = this.#options;
    const replaced = [...(this.#snapshot === undefined ? [] : [this.#snapshot]), ...this.#closed];
    const draft = path.join(folder, snapshotName(last.number, 'tmp'));
    const name = path.join(folder, snapshotName(last.number, 'log'));
    const sizeBytes = await this.#writeSnapshot(draft, last.number, replaced);
    if (sizeBytes === undefined) {
      await files.remove(draft).catch(() => {});
      return;
    }
    await files.rename(draft, name);
    await files.syncFolder(folder);
    messages.settleInto(last.number);
    this.#snapshot = { number: last.number, path: name, sizeBytes };
    this.#closed = this.#closed.filter((file) => file.number > last.number);
    for (const file of replaced) {
      try {
        await files.remove(file.path);
      } catch (error) {
        log.warn(
          { file: file.path, err: error },
          'cannot delete a metadata file that a snapshot has replaced',
        );
      }
    }
  }

  /** Writes and flushes the snapshot; `undefined` when it was stopped. */
  async #writeSnapshot(
    draft: string,
    number: number,
    sources: readonly ClosedMeta[],
  ): Promise<number | undefined> {
    const { files, messages, commit } = this.#options;
    const salt = newSalt();
    const file = await files.open(draft, 'create');
    try {
      const writer = new SnapshotWriter(file);
      const header: MetaHeader = { log: 'snapshot', number, salt, nextBody: commit.nextBody };
      writer.add(RecordKind.SegmentHeader, toPayload(header), 0);
      const written = new Set<number>();
      const homes = messages.homesUpTo(number);
      let transactions = 0;
      for (const source of sources) {
        if (!homes.has(source.number)) continue;
        for await (const folded of this.#livingOf(source, written)) {
          if (this.#isStopped) return undefined;
          writer.add(RecordKind.Transaction, toPayload(folded), salt);
          transactions++;
          await writer.flushIfFull();
        }
      }
      // Nothing may be deleted on the word of an index alone.
      messages.eachUpTo(number, (slot) => {
        if (!written.has(slot)) throw new Error('a living message was not found in the metadata log');
      });
      writer.add(RecordKind.SnapshotEnd, toPayload({ transactions }), salt);
      await writer.flush();
      await file.sync();
      return writer.sizeBytes;
    } catch (error) {
      await files.remove(draft).catch(() => {});
      throw spoolError('write', draft, error);
    } finally {
      await file.close().catch(() => {});
    }
  }

  /** The living transactions of a file as they are now. */
  async *#livingOf(source: ClosedMeta, written: Set<number>): AsyncGenerator<StoredTransaction> {
    const file = await this.#options.files.open(source.path, 'read');
    try {
      const read = await readHeader<MetaHeader>(file, source, ['meta', 'snapshot']);
      if (read === undefined) throw new Error(`the header of ${source.path} cannot be read`);
      let count = 0;
      for await (const step of scan(file, read.start, source.sizeBytes, read.header.salt)) {
        if (step.kind === 'bad') continue;
        for (const record of step.records) {
          if (record.kind !== RecordKind.Transaction) continue;
          if (++count % SLICE === 0) await new Promise(setImmediate);
          const folded = this.#folded(fromPayload<StoredTransaction>(record.payload), source.number, written);
          if (folded !== undefined) yield folded;
        }
      }
    } finally {
      await file.close().catch(() => {});
    }
  }

  #folded(stored: StoredTransaction, home: number, written: Set<number>): StoredTransaction | undefined {
    const { messages } = this.#options;
    const living: StoredMessage[] = [];
    const versions: StoredPlace[] = [];
    const versionIndex = new Map<number, number>();
    let body: StoredPlace | undefined;
    for (const message of stored.messages) {
      const slot = messages.find({ transaction: stored.id, number: message.n });
      if (slot < 0 || messages.home(slot) !== home) continue;
      written.add(slot);
      body ??= this.#storedPlace(messages.bodyPlace(slot));
      const { v: _, ...rest } = changed(message, messages.state(slot));
      const place = messages.versionPlace(slot);
      if (place < 0) {
        living.push(rest);
        continue;
      }
      let index = versionIndex.get(place);
      if (index === undefined) {
        index = versions.push(this.#storedPlace(place)) - 1;
        versionIndex.set(place, index);
      }
      living.push({ ...rest, v: index });
    }
    if (body === undefined) return undefined;
    const { versions: __, ...rest } = stored;
    return { ...rest, body, ...(versions.length === 0 ? undefined : { versions }), messages: living };
  }

  #storedPlace(place: number): StoredPlace {
    const { places, store } = this.#options;
    const segment = places.segment(place);
    return segment === 0
      ? [0, places.offset(place), places.sizeBytes(place), store.largeCrc(place)]
      : [segment, places.offset(place), places.sizeBytes(place)];
  }

  /** Moves what lives in a segment to the end of the log. */
  async #rewrite(segment: BodySegment): Promise<void> {
    const { places } = this.#options;
    const living: number[] = [];
    for (let place = 0; place < places.top; place++) {
      if (places.isUsed(place) && places.segment(place) === segment.number) living.push(place);
    }
    living.sort((a, b) => places.offset(a) - places.offset(b));
    for (let next = 0; next < living.length && !this.#isStopped && !segment.isDeleted; ) {
      const group: number[] = [];
      let sizeBytes = 0;
      while (next < living.length && (group.length === 0 || sizeBytes < MOVE_BYTES)) {
        const place = living[next++]!;
        group.push(place);
        sizeBytes += places.sizeBytes(place);
      }
      await this.#move(segment, group);
    }
  }

  async #move(segment: BodySegment, group: readonly number[]): Promise<void> {
    const { places, segments, store, commit, log } = this.#options;
    const moving: { place: number; offset: number; body: BodyRecord }[] = [];
    for (const place of group) {
      // It may have died, and its slot may have a new tenant, since the group was made.
      if (!places.isUsed(place) || places.segment(place) !== segment.number) continue;
      const offset = places.offset(place);
      try {
        const record = await store.loadRecord(place);
        const kind = record[3] === RecordKind.Version ? RecordKind.Version : RecordKind.Body;
        const payload = record.subarray(HEADER_BYTES);
        moving.push({ place, offset, body: { kind, payload: [payload], sizeBytes: payload.length } });
      } catch (error) {
        segment.isPinned = true;
        log.error(
          { err: error, file: segment.path, offset },
          'a message in the spool is damaged; its file is kept as it is',
        );
      }
    }
    if (moving.length === 0) return;
    await commit.append({
      bodies: moving.map(({ body }) => body),
      isMove: true,
      meta: (targets) => {
        const move: StoredMove = {
          from: segment.number,
          to: targets[0]!.segment,
          offsets: moving.flatMap(({ offset }, i) => [offset, targets[i]!.offset]),
        };
        return { kind: RecordKind.Move, payload: toPayload(move) };
      },
      apply: (targets) => {
        for (const [i, { place, offset, body }] of moving.entries()) {
          const isThere =
            places.isUsed(place) &&
            places.segment(place) === segment.number &&
            places.offset(place) === offset;
          if (!isThere) continue;
          const target = targets[i]!;
          places.move(place, target.segment, target.offset);
          segments.live(target.segment, body.sizeBytes);
          segments.dead(segment.number, body.sizeBytes);
        }
      },
    });
  }
}

/** Collects records and writes them in large pieces. */
class SnapshotWriter {
  readonly #file: SpoolFile;
  #buffers: Buffer[] = [];
  #bufferedBytes = 0;
  #written = 0;

  constructor(file: SpoolFile) {
    this.#file = file;
  }

  get sizeBytes(): number {
    return this.#written + this.#bufferedBytes;
  }

  add(kind: RecordKind, payload: Buffer, salt: number): void {
    const header = recordHeader(kind, [payload], 0, salt);
    this.#buffers.push(header, payload);
    this.#bufferedBytes += header.length + payload.length;
  }

  async flushIfFull(): Promise<void> {
    if (this.#bufferedBytes >= 256 * 1024) await this.flush();
  }

  async flush(): Promise<void> {
    await this.#file.write([Buffer.concat(this.#buffers)], this.#written);
    this.#written += this.#bufferedBytes;
    this.#buffers = [];
    this.#bufferedBytes = 0;
  }
}
