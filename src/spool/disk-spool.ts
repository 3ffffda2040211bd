// The spool on disk: what receiving and the queue call, put together from the parts of this room. Every change of its tables
// happens in an `apply` of the group commit, that is when it is durable and in the order of the log.

import { type Pieces, piecesSize } from '#stdlib';
import type { BodyRecord, LogPlace } from './body-log.js';
import { Compactor } from './compact.js';
import { diskFiles } from './disk-files.js';
import { type FreeSpace, type SpoolFiles, spoolError, withoutSync } from './files.js';
import { RecordKind } from './format.js';
import { Health } from './health.js';
import { messageIdToText } from './id-table.js';
import { IncomingBody, MessageInFile, MessageInMemory } from './incoming.js';
import { livingMessages } from './living.js';
import type { SpoolLog } from './log.js';
import { isUntouched, piecesToPayload } from './pieces.js';
import { BodyStore, StoredMessageReader } from './read.js';
import {
  type StoredMessage,
  type StoredPlace,
  storeChange,
  storeCommon,
  storeMessages,
  toPayload,
  toQueuedMessage,
  transactionToPayload,
  UNTOUCHED,
  uuidWords,
} from './records.js';
import { type CorruptPolicy, type Recovery, recoverSpool } from './recover.js';
import { Reserve, releaseFound } from './reserve.js';
import { Room } from './room.js';
import { newSalt } from './segment-file.js';
import { BodySegments } from './segments.js';
import { SpaceWatch } from './space.js';
import {
  type IncomingMessage,
  type MessageChange,
  type MessageId,
  type MessageReader,
  type QueuedMessage,
  type Spool,
  SpoolError,
  type Transaction,
} from './spool.js';
import { writeClosed } from './survey.js';
import { Holdings, type PlaceTable, type StoredMessages } from './tables.js';
import type { UuidWords } from './uuid-words.js';
import { type Append, GroupCommit } from './write.js';

/** Sizes that tests make small. */
export interface SpoolSizes {
  /** A message beyond it gets a file of its own. */
  readonly memoryBytes: number;
  readonly bodySegmentBytes: number;
  readonly metaSegmentBytes: number;
  /** The most that one batch writes, unless a single message is larger. */
  readonly batchBytes: number;
  readonly snapshotBytes: number;
  readonly liveShare: number;
  /** Bodies that are read and compared with their checksum at start. */
  readonly checkBytes: number;
  /**
   * Bodies that stay in memory after their commit, for the delivery that follows. What stays long enough to be old for V8 is
   * freed by full collections only, which cost more than reading a body again (test/perf/accept.ts, 100 KiB).
   */
  readonly recentBytes: number;
  /** Room kept back for what is done when the disk is full; 0 = none. */
  readonly reserveBytes: number;
  /** Between two tries to get out of trouble. */
  readonly repairMs: number;
}

const MIB = 1024 * 1024;

const defaultSizes: SpoolSizes = {
  memoryBytes: MIB,
  bodySegmentBytes: 64 * MIB,
  metaSegmentBytes: 16 * MIB,
  batchBytes: 32 * MIB,
  snapshotBytes: 32 * MIB,
  liveShare: 0.35,
  checkBytes: 64 * MIB,
  recentBytes: 4 * MIB,
  reserveBytes: 16 * MIB,
  repairMs: 1000,
};

/** How to open a spool; the keys of `spool` in smtpd.yaml and what tests put in place. */
export interface SpoolOptions {
  readonly folder: string;
  readonly log: SpoolLog;
  readonly fsync?: boolean;
  readonly corrupt?: CorruptPolicy;
  readonly minimumFree?: FreeSpace;
  readonly files?: SpoolFiles;
  /** Unix seconds. */
  readonly now?: () => number;
  readonly sizes?: Partial<SpoolSizes>;
}

/** Takes a spool folder for this process. Call `recover` next. @throws SpoolError */
export async function openSpool(options: SpoolOptions): Promise<DiskSpool> {
  const files = options.files ?? diskFiles;
  let unlock: () => Promise<void>;
  try {
    await files.makeFolder(options.folder);
    unlock = await locked(files, options.folder);
  } catch (error) {
    throw spoolError('use the spool folder', options.folder, error);
  }
  return new DiskSpool(options, options.fsync === false ? withoutSync(files) : files, unlock);
}

/** A lock is a file: on a disk without a byte left it gets the room that the last run has kept back. */
async function locked(files: SpoolFiles, folder: string): Promise<() => Promise<void>> {
  try {
    return await files.lock(folder);
  } catch (error) {
    const isFull = spoolError('lock', folder, error).noSpace;
    if (!isFull || !(await releaseFound(files, folder))) throw error;
    return files.lock(folder);
  }
}

/** A spool in one folder. */
export class DiskSpool implements Spool {
  readonly #options: SpoolOptions;
  readonly #sizes: SpoolSizes;
  readonly #files: SpoolFiles;
  readonly #unlock: () => Promise<void>;
  readonly #now: () => number;
  readonly #holdings = new Holdings();
  readonly #messages: StoredMessages = this.#holdings.messages;
  readonly #places: PlaceTable = this.#holdings.places;
  readonly #segments: BodySegments;
  readonly #store: BodyStore;
  readonly #commit: GroupCommit;
  readonly #compactor: Compactor;
  readonly #space: SpaceWatch;
  readonly #reserve: Reserve;
  readonly #health: Health;
  #nextLarge = 1;
  #state: 'new' | 'open' | 'closed' = 'new';

  constructor(options: SpoolOptions, files: SpoolFiles, unlock: () => Promise<void>) {
    this.#options = options;
    this.#sizes = { ...defaultSizes, ...options.sizes };
    this.#files = files;
    this.#unlock = unlock;
    this.#now = options.now ?? (() => Date.now() / 1000);
    const { folder, log } = options;
    this.#segments = new BodySegments(files, folder, log);
    this.#store = new BodyStore(files, folder, this.#places, this.#segments, this.#sizes.recentBytes);
    this.#reserve = new Reserve(files, folder, log, this.#sizes.reserveBytes);
    const room = new Room({ files, folder, reserve: this.#reserve, ...this.#sizes });
    this.#commit = new GroupCommit({
      files,
      folder,
      log,
      segments: this.#segments,
      batchBytes: this.#sizes.batchBytes,
      onMetaClosed: (file) => this.#compactor.metaClosed(file),
      reserve: this.#reserve,
      room,
      nextLarge: () => this.#nextLarge,
      onTrouble: () => this.#health.watch(),
    });
    this.#compactor = new Compactor({
      files,
      folder,
      log,
      messages: this.#messages,
      places: this.#places,
      segments: this.#segments,
      store: this.#store,
      commit: this.#commit,
      room,
      liveShare: this.#sizes.liveShare,
    });
    this.#segments.onEmptier = (segment) => this.#compactor.emptier(segment);
    this.#segments.beforeDelete = () => this.#commit.settle();
    this.#space = new SpaceWatch(
      files,
      folder,
      options.minimumFree ?? { bytes: 0, inodes: 0 },
      this.#now,
      log,
    );
    this.#health = new Health({
      folder,
      log,
      now: this.#now,
      reserve: this.#reserve,
      room,
      space: this.#space,
      commit: this.#commit,
      compactor: this.#compactor,
      repairMs: this.#sizes.repairMs,
    });
  }

  /** How many messages are in it. */
  get count(): number {
    return this.#messages.count;
  }

  isWritable(): boolean {
    return this.#commit.isWell;
  }

  isPartlyWritable(): boolean {
    return false;
  }

  /** Whether it has taken mail the last time, or would have. */
  get takesMail(): boolean {
    return this.#health.takesMail;
  }

  /** Whether a message is in it. */
  has(id: MessageId): boolean {
    return this.#messages.find(id) >= 0;
  }

  async recover(found: (messages: readonly QueuedMessage[]) => void): Promise<void> {
    if (this.#state !== 'new') throw new Error('a spool is recovered once, right after it was opened');
    const { folder, log, corrupt = 'rename' } = this.#options;
    let recovery: Recovery;
    try {
      await this.#reserve.find();
      recovery = await recoverSpool({
        files: this.#files,
        folder,
        log,
        corrupt,
        checkBytes: this.#sizes.checkBytes,
        holdings: this.#holdings,
      });
      this.#nextLarge = recovery.nextLarge;
      this.#takeIn(recovery);
      await this.#begin(recovery);
      for await (const messages of livingMessages(this.#files, recovery.metaFiles, this.#messages)) {
        found(messages);
      }
    } catch (error) {
      throw spoolError('recover the spool', folder, error);
    }
    this.#state = 'open';
    await this.#space.refresh();
    if (!(await this.#reserve.restore())) {
      this.#reserve.tellMissing();
      this.#health.watch();
    }
    if (recovery.isDamaged && corrupt === 'ignore') return;
    const closed = recovery.metaFiles.map(({ number, path: name, sizeBytes }) => ({
      number,
      path: name,
      sizeBytes,
    }));
    const snapshot = recovery.snapshot === undefined ? undefined : closed.shift();
    this.#compactor.start(snapshot, closed, recovery.isDamaged);
  }

  receive(): IncomingMessage {
    this.#mustBeOpen();
    try {
      this.#space.check();
      if (this.#reserve.isSpent)
        throw new SpoolError(`the disk of the spool ${this.#options.folder} is full`, true);
    } catch (error) {
      throw this.#refusal(error);
    }
    return new IncomingBody({
      files: this.#files,
      folder: this.#options.folder,
      memoryBytes: this.#sizes.memoryBytes,
      nextNumber: () => this.#nextLarge++,
      tell: (error) => this.#refusal(error),
    });
  }

  hasRoomFor(sizeBytes: number): boolean {
    const isThere = !this.#reserve.isSpent && this.#space.hasRoomFor(sizeBytes);
    // Refused by its size, mail does not come as far as to be refused by `receive`.
    if (!isThere && this.#health.isShort) this.#health.watch();
    return isThere;
  }

  async commit(transaction: Transaction): Promise<readonly QueuedMessage[]> {
    const { message, requests } = transaction;
    try {
      this.#mustBeOpen();
      if (!(message instanceof MessageInMemory || message instanceof MessageInFile)) {
        throw new Error('only a message that this spool received can be committed to it');
      }
      if (requests.length === 0) {
        message.discard();
        return [];
      }
      for (const { number } of requests) this.#mustBeNew({ transaction: transaction.id, number });
    } catch (error) {
      message.discard();
      throw spoolError('store a message in', this.#options.folder, error);
    }
    try {
      if (message instanceof MessageInFile) await message.file.keep();
      const messages = await this.#append(transaction, message);
      this.#health.mailTaken();
      return messages;
    } catch (error) {
      message.discard();
      throw this.#refusal(error, message.sizeBytes);
    }
  }

  async update(id: MessageId, change: MessageChange): Promise<void> {
    this.#mustBeOpen();
    this.#mustHave(id);
    const payload = toPayload(storeChange(id, change));
    await this.#note({
      bodies: [],
      meta: () => ({ kind: RecordKind.Change, payload }),
      apply: () => {
        const slot = this.#messages.find(id);
        if (slot >= 0) this.#messages.change(slot, change);
      },
    });
  }

  async remove(id: MessageId): Promise<void> {
    this.#mustBeOpen();
    const slot = this.#messages.find(id);
    if (slot < 0) return;
    const payload = toPayload({ id: id.transaction, n: id.number });
    // A large message's own file is deleted at once: its removal must be durable before.
    const isLarge = this.#places.segment(this.#messages.bodyPlace(slot)) === 0;
    await this.#note({
      bodies: [],
      ...(isLarge ? undefined : { removal: messageIdToText(id) }),
      meta: () => ({ kind: RecordKind.Removal, payload }),
      apply: () => this.#drop(id),
    });
  }

  open(id: MessageId): MessageReader {
    const slot = this.#mustHave(id);
    return new StoredMessageReader(this.#store, this.#messages.sizeBytes(slot), () => {
      const now = this.#mustHave(id);
      return { body: this.#messages.bodyPlace(now), version: this.#messages.versionPlace(now) };
    });
  }

  openOriginal(id: MessageId): MessageReader {
    const sizeBytes = this.#places.sizeBytes(this.#messages.bodyPlace(this.#mustHave(id)));
    return new StoredMessageReader(this.#store, sizeBytes, () => ({
      body: this.#messages.bodyPlace(this.#mustHave(id)),
      version: -1,
    }));
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#health.stop();
    await this.#compactor.stop();
    const end = await this.#commit.close();
    await this.#segments.closeFiles();
    try {
      if (end !== undefined) await writeClosed(this.#files, this.#options.folder, end);
    } catch {
      // The next start takes it for a process that was killed.
    }
    await this.#unlock();
  }

  /** Resolves when everything promised so far, removals included, is proof against a power cut. @throws SpoolError */
  flushed(): Promise<void> {
    return this.#commit.settle();
  }

  /** Writes a snapshot of the closed part of the metadata log now. For tests and tools. */
  snapshot(): Promise<void> {
    return this.#compactor.snapshot();
  }

  /** Resolves when compaction has nothing to do. For tests and tools. */
  compacted(): Promise<void> {
    return this.#compactor.idle();
  }

  /** On a full disk the first file of this run gets the room that the last run has kept back. */
  async #begin(recovery: Recovery): Promise<void> {
    try {
      await this.#commit.begin(recovery);
    } catch (error) {
      const isFull = error instanceof SpoolError && error.noSpace;
      if (!isFull || !(await this.#reserve.release())) throw error;
      await this.#commit.begin(recovery);
    }
  }

  /** Writes a change or a removal. */
  async #note(wish: Append): Promise<void> {
    try {
      await this.#commit.append(wish);
    } catch (error) {
      throw this.#health.changeRefused(spoolError('write in', this.#options.folder, error));
    }
    this.#health.changeWritten();
  }

  #refusal(error: unknown, sizeBytes?: number): SpoolError {
    return this.#health.mailRefused(spoolError('store a message in', this.#options.folder, error), sizeBytes);
  }

  async #append(
    transaction: Transaction,
    message: MessageInMemory | MessageInFile,
  ): Promise<readonly QueuedMessage[]> {
    const bodies: BodyRecord[] = [];
    if (message instanceof MessageInMemory) {
      bodies.push({ kind: RecordKind.Body, payload: [message.head], sizeBytes: message.sizeBytes });
    }
    const ownBodies = bodies.length;
    const versions = new Map<Pieces, number>();
    const messages = storeMessages(transaction, this.#now(), ({ pieces }) => {
      const sizeBytes = piecesSize(pieces);
      if (isUntouched(pieces, message.sizeBytes)) return { version: UNTOUCHED, sizeBytes };
      let version = versions.get(pieces);
      if (version === undefined) {
        version = versions.size;
        versions.set(pieces, version);
        const payload = piecesToPayload(pieces, message.sizeBytes);
        const length = payload.reduce((sum, part) => sum + part.length, 0);
        bodies.push({ kind: RecordKind.Version, payload, sizeBytes: length });
      }
      return { version, sizeBytes };
    });
    const common = storeCommon(transaction);
    // An id that was here before: what tells the new record from the old one, until a snapshot leaves that out.
    const imported = transaction.imported === undefined ? 0 : 1 + (newSalt() % 0xffffffff);
    const start = { uuid: uuidWords(transaction.id), imported, common, messages };
    await this.#commit.append({
      bodies,
      meta: (places) => {
        const body: StoredPlace =
          message instanceof MessageInFile
            ? [0, message.file.number, message.sizeBytes, message.file.crc]
            : toStored(places[0]!);
        const stored = { ...start, body, versions: places.slice(ownBodies).map(toStored) };
        return { kind: RecordKind.Transaction, payload: transactionToPayload(stored) };
      },
      apply: (places, home) => this.#enter(start, message, places, ownBodies, home),
    });
    return messages.map((stored) => toQueuedMessage(transaction.id, common, stored, stored.details));
  }

  /** A transaction is durable. */
  #enter(
    start: {
      readonly uuid: UuidWords;
      readonly imported: number;
      readonly messages: readonly StoredMessage[];
    },
    message: MessageInMemory | MessageInFile,
    logPlaces: readonly LogPlace[],
    ownBodies: number,
    home: number,
  ): void {
    const places = logPlaces.map(({ segment, offset, sizeBytes }) => {
      this.#segments.live(segment, sizeBytes);
      return this.#places.add(segment, offset, sizeBytes);
    });
    let body: number;
    if (message instanceof MessageInFile) {
      body = this.#places.add(0, message.file.number, message.sizeBytes, message.file.crc);
    } else {
      body = places[0]!;
      this.#store.remember(body, message.head);
    }
    this.#holdings.enter(start, body, places.slice(ownBodies), home);
  }

  #takeIn(recovery: Recovery): void {
    for (const { entry, salt } of recovery.segments) {
      const segment = this.#segments.add(entry.number, salt, entry.sizeBytes, true, undefined);
      segment.isPinned = recovery.pinned.has(entry.number);
    }
    for (let place = 0; place < this.#places.top; place++) {
      if (!this.#places.isUsed(place)) continue;
      const segment = this.#places.segment(place);
      if (segment !== 0) this.#segments.live(segment, this.#places.sizeBytes(place));
    }
  }

  /** A removal is written. */
  #drop(id: MessageId): void {
    const slot = this.#messages.find(id);
    if (slot < 0) return;
    this.#holdings.drop(slot, (place) => {
      const segment = this.#places.segment(place);
      this.#store.forget(place);
      if (segment === 0) this.#removeLarge(place);
      else this.#segments.dead(segment, this.#places.sizeBytes(place));
    });
  }

  #removeLarge(place: number): void {
    this.#store.removeLarge(place).catch((error: unknown) => {
      // The next start finds that nothing needs it.
      this.#options.log.warn({ err: error }, 'cannot delete the file of a large message that is done');
    });
  }

  #mustBeOpen(): void {
    if (this.#state === 'open') return;
    throw new SpoolError(
      this.#state === 'new' ? 'the spool is not recovered yet' : 'the spool is closed',
      false,
    );
  }

  #mustBeNew(id: MessageId): void {
    if (this.#messages.find(id) < 0) return;
    throw new Error(`message ${messageIdToText(id)} is in the spool already`);
  }

  #mustHave(id: MessageId): number {
    const slot = this.#messages.find(id);
    if (slot >= 0) return slot;
    throw new SpoolError(`message ${messageIdToText(id)} is not in the spool`, false);
  }
}

function toStored(place: LogPlace): StoredPlace {
  return [place.segment, place.offset, place.sizeBytes, 0];
}
