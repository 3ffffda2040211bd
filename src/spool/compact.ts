// Compaction, in the background and one job at a time: it makes the spool as large as what lives in it. It uses the same
// roads as everybody else, in small steps, so that commits never wait for it.
//
// - The metadata log: when the closed files have outgrown the last snapshot, a new snapshot takes the place of both. It holds
//   the record of every transaction that lives, with its changes folded in. It is written under another name, flushed, and
//   gets its own name with one rename; the files it replaces are deleted after that. Whatever instant the process ends at,
//   recovery finds either the old files or the whole snapshot. Changes that go on meanwhile stand in later files; they set
//   values and name ids, so that reading them after a snapshot that knows them already changes nothing. Of a transaction all
//   of whose messages live, only the numbers are made anew; its texts are copied as they are (records.ts).
// - The body log: of a closed segment with little life, the living records are appended to the log as if they were new, and a
//   Move record tells where they are now. The segment is deleted when nothing lives in it any more.
// - Either takes room before it gives any back. On a disk that is short of it (`relieve`) both are done for smaller gains than
//   usual, and in part of the room that is kept back (room.ts).

import path from 'node:path';
import type { BodyRecord } from './body-log.js';
import { type SpoolFiles, spoolError } from './files.js';
import { HEADER_BYTES, RecordKind } from './format.js';
import { type LivingTransaction, livingTransactions } from './living.js';
import type { SpoolLog } from './log.js';
import type { BodyStore } from './read.js';
import {
  changedDetails,
  headToPayload,
  type MessageHead,
  type MetaHeader,
  payloadToRest,
  type StoredMove,
  type StoredPlace,
  toPayload,
  transactionToPayload,
  UNTOUCHED,
} from './records.js';
import type { Room } from './room.js';
import { newSalt } from './segment-file.js';
import type { BodySegment, BodySegments } from './segments.js';
import { SnapshotWriter } from './snapshot-file.js';
import { DamagedMessageError, SpoolError } from './spool.js';
import { snapshotName } from './survey.js';
import type { PlaceTable, StoredMessages } from './tables.js';
import type { GroupCommit } from './write.js';

/** Bytes that are moved with one append. */
const MOVE_BYTES = 1024 * 1024;

/** What a message takes in a snapshot, roughly. */
const SNAPSHOT_BYTES_EACH = 300;

/** On a disk that is short of room: a body segment with a smaller living share is rewritten. */
const SHORT_LIVE_SHARE = 0.75;
/** The same for the metadata log: a snapshot is worth it that frees so much. */
const SHORT_META_BYTES = 64 * 1024;

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
  readonly room: Room;
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
  /** The disk is short of room. */
  #isShort = false;
  /** What the last snapshot would have needed at least, when there was not enough room for it. */
  #neededBytes = 0;
  /** Jobs that fail again and again are told of once, until they succeed. */
  readonly #told = new Set<string>();
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

  /** Replaces the closed files of the metadata log now; resolves when that is done. */
  async snapshot(): Promise<void> {
    this.#isSnapshotDue = true;
    this.#wake();
    await this.idle();
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

  /**
   * The disk is short of room, or `isShort` is over: what would wait for more to do, or for more room to do it in, is tried now.
   * Called again and again as long as it lasts.
   */
  relieve(isShort: boolean): void {
    this.#isShort = isShort;
    if (!isShort) return;
    for (const segment of this.#options.segments.all()) {
      const isDead = segment.liveBytes < segment.sizeBytes * SHORT_LIVE_SHARE;
      if (segment.isClosed && !segment.isPinned && isDead) this.#emptier.add(segment);
    }
    this.#isSnapshotDue ||= this.isMetaDead(0);
    this.#wake();
  }

  /** Whether most of the metadata log, with `openBytes` in the file that is added to, would go with a snapshot. */
  isMetaDead(openBytes: number): boolean {
    const needed = this.#options.messages.count * SNAPSHOT_BYTES_EACH;
    return this.#closedBytes() + (this.#snapshot?.sizeBytes ?? 0) + openBytes > 2 * needed + SHORT_META_BYTES;
  }

  #closedBytes(): number {
    let sizeBytes = 0;
    for (const file of this.#closed) sizeBytes += file.sizeBytes;
    return sizeBytes;
  }

  /** A closed body segment has lost a record. */
  emptier(segment: BodySegment): void {
    const share = this.#isShort ? SHORT_LIVE_SHARE : this.#options.liveShare;
    if (segment.liveBytes >= segment.sizeBytes * share) return;
    this.#emptier.add(segment);
    this.#wake();
  }

  #considerMeta(): void {
    const isGrown =
      this.#closedBytes() > Math.max(this.#options.room.snapshotBytes, this.#snapshot?.sizeBytes ?? 0);
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
    await nextTurn();
    while (!this.#isStopped) {
      const segment = this.#nextSegment();
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

  /** The one that needs the least room comes first: it gives room to the others. */
  #nextSegment(): BodySegment | undefined {
    let least: BodySegment | undefined;
    for (const segment of this.#emptier)
      if (least === undefined || segment.liveBytes < least.liveBytes) least = segment;
    return least;
  }

  async #attempt(what: string, job: () => Promise<void>): Promise<void> {
    try {
      await job();
      this.#told.delete(what);
    } catch (error) {
      if (this.#told.has(what)) return;
      this.#told.add(what);
      this.#options.log.warn({ err: error, folder: this.#options.folder }, `cannot ${what} at the moment`);
    }
  }

  async #takeSnapshot(): Promise<void> {
    const last = this.#closed.at(-1);
    if (last === undefined) return;
    const { files, folder, messages, log, room } = this.#options;
    // On a full disk its draft would take the room that removals need: it is due again with the next closed file.
    const neededBytes = Math.max(this.#neededBytes, messages.count * SNAPSHOT_BYTES_EACH);
    if (!(await room.isThereFor(neededBytes, this.#isShort))) return;
    const replaced = [...(this.#snapshot === undefined ? [] : [this.#snapshot]), ...this.#closed];
    const draft = path.join(folder, snapshotName(last.number, 'tmp'));
    const name = path.join(folder, snapshotName(last.number, 'log'));
    const sizeBytes = await this.#writeSnapshot(draft, last.number, replaced).catch(
      async (error: unknown) => {
        // Not tried again in the same room, which is the same all the time on a full disk.
        if (error instanceof SpoolError && error.noSpace)
          this.#neededBytes = 2 * Math.max(neededBytes, (await room.free()) ?? 0);
        throw error;
      },
    );
    this.#neededBytes = 0;
    if (sizeBytes === undefined) {
      await files.remove(draft).catch(() => {});
      return;
    }
    await files.rename(draft, name);
    await files.syncFolder(folder);
    for (const slots of messages.upTo(last.number)) {
      for (const slot of slots) messages.settle(slot, last.number);
      await nextTurn();
    }
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
    const file = await files.open(draft, 'create');
    try {
      const header: MetaHeader = {
        log: 'snapshot',
        number,
        salt: newSalt(),
        nextBody: commit.nextBody,
        nextLarge: commit.nextLarge,
      };
      const writer = new SnapshotWriter(file, header);
      const written = new Uint8Array(messages.top);
      const use = (transaction: LivingTransaction) => {
        for (const slot of transaction.slots) if (slot >= 0) written[slot] = 1;
        writer.add(this.#folded(transaction));
      };
      for await (const _ of livingTransactions(files, sources, messages, use)) {
        if (this.#isStopped) return undefined;
        await writer.flushIfFull();
        await nextTurn();
      }
      // Nothing may be deleted on the word of an index alone.
      for (const slots of messages.upTo(number)) {
        if (slots.some((slot) => written[slot] !== 1))
          throw new Error('a living message was not found in the metadata log');
        await nextTurn();
      }
      return await writer.end();
    } catch (error) {
      await files.remove(draft).catch(() => {});
      throw spoolError('write', draft, error);
    } finally {
      await file.close().catch(() => {});
    }
  }

  /** A transaction's payload as it is now. */
  #folded(transaction: LivingTransaction): Buffer {
    const { messages, places } = this.#options;
    const { payload, head, slots } = transaction;
    const isAsWritten = slots.every((slot) => slot >= 0 && messages.rareOf(slot) === undefined);
    const versions: StoredPlace[] = [];
    const heads: MessageHead[] = [];
    const versionIndex = new Map<number, number>();
    let body: StoredPlace | undefined;
    for (const [i, slot] of slots.entries()) {
      if (slot < 0) continue;
      body ??= places.stored(messages.bodyPlace(slot));
      const place = messages.versionPlace(slot);
      let index = place === UNTOUCHED ? UNTOUCHED : versionIndex.get(place);
      if (index === undefined) {
        index = versions.push(places.stored(place)) - 1;
        versionIndex.set(place, index);
      }
      heads.push(messages.headOf(slot, head.messages[i]!.n, index));
    }
    const folded = { uuid: head.uuid, imported: head.imported, body: body!, versions };
    if (isAsWritten) return headToPayload({ ...folded, messages: heads }, payload.subarray(head.end));
    const { common, details } = payloadToRest(payload, head);
    const living = details.filter((_, i) => slots[i]! >= 0);
    const alive = slots.filter((slot) => slot >= 0);
    return transactionToPayload({
      ...folded,
      common,
      messages: heads.map((message, i) => ({
        ...message,
        details: changedDetails(living[i]!, messages.rareOf(alive[i]!) ?? {}),
      })),
    });
  }

  /** Moves what lives in a segment to the end of the log. */
  async #rewrite(segment: BodySegment): Promise<void> {
    const { places, room } = this.#options;
    const living: number[] = [];
    for (let place = 0; place < places.top; place++) {
      if (places.isUsed(place) && places.segment(place) === segment.number) living.push(place);
    }
    if (!(await room.isThereFor(segment.liveBytes, this.#isShort))) return;
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
        // A disk that cannot be read now, or a lack of descriptors, says nothing about the message.
        if (!(error instanceof DamagedMessageError)) throw error;
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

/** Commits and deliveries get their turn. */
function nextTurn(): Promise<void> {
  return new Promise(setImmediate);
}
