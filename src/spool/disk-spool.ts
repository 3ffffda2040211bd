// The spool on disk: what receiving and the queue call, put together from the parts of this room. Every change of its tables
// happens in an `apply` of the group commit, that is when it is durable and in the order of the log.

import { type Pieces, piecesSize } from '#stdlib';
import { Compactor } from './compact.js';
import { diskFiles } from './disk-files.js';
import { type FreeSpace, type SpoolFiles, spoolError, withoutSync } from './files.js';
import { RecordKind } from './format.js';
import { messageIdToText } from './id-table.js';
import { IncomingBody, MessageInFile, MessageInMemory } from './incoming.js';
import type { SpoolLog } from './log.js';
import { isUntouched, piecesToPayload } from './pieces.js';
import { BodyStore, StoredMessageReader } from './read.js';
import {
  type StoredMessage,
  type StoredPlace,
  storeChange,
  storeMessages,
  storeTransaction,
  toPayload,
  toQueuedMessage,
} from './records.js';
import { type CorruptPolicy, type Recovery, recoverSpool } from './recover.js';
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
import { PlaceTable, StoredMessages, UNTOUCHED } from './tables.js';
import { type BodyRecord, GroupCommit, type LogPlace } from './write.js';

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
    unlock = await files.lock(options.folder);
  } catch (error) {
    throw spoolError('use the spool folder', options.folder, error);
  }
  return new DiskSpool(options, options.fsync === false ? withoutSync(files) : files, unlock);
}

/** A spool in one folder. */
export class DiskSpool implements Spool {
  readonly #options: SpoolOptions;
  readonly #sizes: SpoolSizes;
  readonly #files: SpoolFiles;
  readonly #unlock: () => Promise<void>;
  readonly #now: () => number;
  readonly #messages = new StoredMessages();
  readonly #places = new PlaceTable();
  readonly #segments: BodySegments;
  readonly #store: BodyStore;
  readonly #commit: GroupCommit;
  readonly #compactor: Compactor;
  readonly #space: SpaceWatch;
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
    this.#commit = new GroupCommit({
      files,
      folder,
      log,
      segments: this.#segments,
      ...this.#sizes,
      onMetaClosed: (file) => this.#compactor.metaClosed(file),
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
      ...this.#sizes,
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
  }

  /** How many messages are in it. */
  get count(): number {
    return this.#messages.count;
  }

  async recover(): Promise<readonly QueuedMessage[]> {
    if (this.#state !== 'new') throw new Error('a spool is recovered once, right after it was opened');
    const { folder, log, corrupt = 'rename' } = this.#options;
    let recovery: Recovery;
    try {
      recovery = await recoverSpool({
        files: this.#files,
        folder,
        log,
        corrupt,
        checkBytes: this.#sizes.checkBytes,
      });
      await this.#commit.begin(recovery);
    } catch (error) {
      throw spoolError('recover the spool', folder, error);
    }
    this.#nextLarge = recovery.nextLarge;
    const found = this.#takeIn(recovery);
    this.#state = 'open';
    await this.#space.refresh();
    const keepsDamage = recovery.isDamaged && corrupt === 'ignore';
    if (!keepsDamage) {
      const closed = recovery.metaFiles.map(({ number, path: name, sizeBytes }) => ({
        number,
        path: name,
        sizeBytes,
      }));
      const snapshot = recovery.snapshot === undefined ? undefined : closed.shift();
      this.#compactor.start(snapshot, closed, recovery.isDamaged);
    }
    return found;
  }

  receive(): IncomingMessage {
    this.#mustBeOpen();
    this.#space.check();
    return new IncomingBody({
      files: this.#files,
      folder: this.#options.folder,
      memoryBytes: this.#sizes.memoryBytes,
      nextNumber: () => this.#nextLarge++,
    });
  }

  hasRoomFor(sizeBytes: number): boolean {
    return this.#space.hasRoomFor(sizeBytes);
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
      if (message instanceof MessageInFile) await message.file.keep();
      return await this.#append(transaction, message);
    } catch (error) {
      message.discard();
      throw spoolError('store a message in', this.#options.folder, error);
    }
  }

  async update(id: MessageId, change: MessageChange): Promise<void> {
    this.#mustBeOpen();
    this.#mustHave(id);
    const payload = toPayload(storeChange(id, change));
    await this.#commit.append({
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
    await this.#commit.append({
      bodies: [],
      // A large message's own file is deleted at once: its removal must be durable before.
      isLazy: this.#places.segment(this.#messages.bodyPlace(slot)) !== 0,
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

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    await this.#compactor.stop();
    await this.#commit.close();
    await this.#segments.closeFiles();
    await this.#unlock();
  }

  /** Resolves when everything promised so far, removals included, is proof against a power cut. @throws SpoolError */
  flushed(): Promise<void> {
    return this.#commit.settle();
  }

  /** Resolves when compaction has nothing to do. For tests and tools. */
  compacted(): Promise<void> {
    return this.#compactor.idle();
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
    const messages = storeMessages(transaction.requests, this.#now(), ({ pieces }) => {
      const sizeBytes = piecesSize(pieces);
      if (isUntouched(pieces, message.sizeBytes)) return { index: undefined, sizeBytes };
      let index = versions.get(pieces);
      if (index === undefined) {
        index = versions.size;
        versions.set(pieces, index);
        const payload = piecesToPayload(pieces, message.sizeBytes);
        const length = payload.reduce((sum, part) => sum + part.length, 0);
        bodies.push({ kind: RecordKind.Version, payload, sizeBytes: length });
      }
      return { index, sizeBytes };
    });
    const {
      body: _,
      versions: __,
      messages: ___,
      ...common
    } = storeTransaction(transaction, [], [0, 0, 0], []);
    await this.#commit.append({
      bodies,
      meta: (places) => {
        const body: StoredPlace =
          message instanceof MessageInFile
            ? [0, message.file.number, message.sizeBytes, message.file.crc]
            : toStored(places[0]!);
        const stored = storeTransaction(transaction, messages, body, places.slice(ownBodies).map(toStored));
        return { kind: RecordKind.Transaction, payload: toPayload(stored) };
      },
      apply: (places, home) => this.#enter(transaction.id, messages, message, places, ownBodies, home),
    });
    return messages.map((stored) => toQueuedMessage(common, stored));
  }

  /** A transaction is durable. */
  #enter(
    id: string,
    messages: readonly StoredMessage[],
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
      body = this.#places.add(0, message.file.number, message.sizeBytes);
      this.#store.rememberCrc(body, message.file.crc);
    } else {
      body = places[0]!;
      this.#store.remember(body, message.head);
    }
    this.#addMessages(id, messages, body, places.slice(ownBodies), home);
  }

  #addMessages(
    id: string,
    messages: readonly StoredMessage[],
    body: number,
    versions: readonly number[],
    home: number,
  ): void {
    for (const message of messages) {
      const version = message.v === undefined ? UNTOUCHED : versions[message.v]!;
      this.#messages.add(id, message, body, version, home);
      this.#places.use(body);
      if (version !== UNTOUCHED) this.#places.use(version);
    }
  }

  #takeIn(recovery: Recovery): readonly QueuedMessage[] {
    for (const { entry, salt } of recovery.segments) {
      const segment = this.#segments.add(entry.number, salt, entry.sizeBytes, true, undefined);
      segment.isPinned = recovery.pinned.has(entry.number);
    }
    const found: QueuedMessage[] = [];
    for (const { record, messages, home } of recovery.transactions) {
      const body = this.#recovered(record.body);
      const used = new Set(messages.map((message) => message.v));
      // A version that no living message needs gets no place; its index stays, so that the others keep theirs.
      const versions = (record.versions ?? []).map((place, i) =>
        used.has(i) ? this.#recovered(place) : UNTOUCHED,
      );
      this.#addMessages(record.id, messages, body, versions, home);
      for (const message of messages) found.push(toQueuedMessage(record, message));
    }
    return found;
  }

  #recovered([segment, offset, sizeBytes, crc]: StoredPlace): number {
    const place = this.#places.add(segment, offset, sizeBytes);
    if (segment !== 0) this.#segments.live(segment, sizeBytes);
    else this.#store.rememberCrc(place, crc ?? 0);
    return place;
  }

  /** A removal is written. */
  #drop(id: MessageId): void {
    const slot = this.#messages.find(id);
    if (slot < 0) return;
    const body = this.#messages.bodyPlace(slot);
    const version = this.#messages.versionPlace(slot);
    this.#messages.remove(slot);
    if (version !== UNTOUCHED) this.#leave(version);
    this.#leave(body);
  }

  #leave(place: number): void {
    if (!this.#places.leave(place)) return;
    const segment = this.#places.segment(place);
    this.#store.forget(place);
    if (segment === 0) this.#removeLarge(place);
    else this.#segments.dead(segment, this.#places.sizeBytes(place));
    this.#places.free(place);
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
  return [place.segment, place.offset, place.sizeBytes];
}
