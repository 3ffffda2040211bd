// First half of recovery: reads the metadata log into the tables and says what is damaged. It changes nothing on disk.
//
// The log is the newest snapshot and the files after it. Every file's header says where the one before it ends; only the end
// of the last file is open. There, bytes that are no record are the torn end of the last batch, unless a later batch follows
// them: batches are written one after the other, so what lies before a batch's beginning was acknowledged, and is damage.
// After a stop in order the end is known as well (`closed` in survey.ts).
//
// Only the numbers of a transaction are read here (records.ts): its texts are read once, for what lives, by living.ts. A million
// messages are never a million objects.

import path from 'node:path';
import type { SpoolFiles } from './files.js';
import { type FoundRecord, RecordKind } from './format.js';
import {
  fromPayload,
  type MetaHeader,
  payloadToHead,
  type StoredChange,
  type StoredMove,
  type StoredPlace,
  type StoredRemoval,
  type TransactionHead,
} from './records.js';
import { scan } from './scan.js';
import { unpacked } from './snapshot-file.js';
import {
  isHalfMade,
  type LogEnd,
  metaName,
  readHeader,
  type SpoolEntry,
  type Survey,
  withFile,
} from './survey.js';
import type { Holdings } from './tables.js';

/** Bytes that should be readable and are not. */
export interface Damage {
  readonly file: SpoolEntry;
  readonly start: number;
  readonly end: number;
  readonly what: string;
}

/** What the metadata log says, beside the messages in the tables. */
export interface Replayed {
  /** Messages, by their slots, that the last batch brought: they may never have been acknowledged. */
  readonly unproven: ReadonlySet<number>;
  /** Where in the last file begins what may not be durable: the last batch, or the header if it is all there is. Its end when there is no doubt. */
  readonly lastBatch: number;
  /** The end of the last file that is no record, and so was never acknowledged. */
  readonly torn: Damage | undefined;
  readonly damages: readonly Damage[];
  /** Files that a newer snapshot has made superfluous, or that never began to count. */
  readonly superfluous: readonly SpoolEntry[];
  /** Files that count, oldest first; the snapshot, if there is one, leads. */
  readonly files: readonly SpoolEntry[];
  readonly snapshot: number | undefined;
  /** The last file and where its last whole record ends. */
  readonly previous: { readonly number: number; readonly end: number } | undefined;
  readonly nextMeta: number;
  readonly nextBody: number;
  readonly nextLarge: number;
}

interface OpenedFile {
  readonly entry: SpoolEntry;
  readonly header: MetaHeader;
  readonly start: number;
}

/** Reads the metadata log into `holdings`. @throws SpoolError when a file cannot be read at all */
export async function replayMetadata(
  files: SpoolFiles,
  survey: Survey,
  holdings: Holdings,
): Promise<Replayed> {
  const replay = new Replay(files, holdings, survey);
  const snapshot = await replay.newestSnapshot(survey.snapshots);
  const metas = survey.metas.filter((entry) => entry.number > (snapshot?.header.number ?? 0));
  replay.superfluous.push(...survey.metas.filter((entry) => !metas.includes(entry)));
  const opened = await replay.openAll(metas);
  if (snapshot !== undefined) await replay.readSnapshot(snapshot);
  await replay.readLog(snapshot, opened);
  replay.applyMoves();
  replay.mustReach(metas.at(-1)?.number ?? snapshot?.header.number ?? 0);
  const last = opened.at(-1) ?? snapshot;
  const numbers = [...survey.metas, ...survey.snapshots].map((entry) => entry.number);
  const larges = [...survey.larges, ...survey.leftovers].map((entry) => entry.number);
  return {
    unproven: replay.unproven,
    lastBatch: Math.min(replay.lastBatch, replay.end),
    torn: replay.torn,
    damages: replay.damages,
    superfluous: replay.superfluous,
    files: [...(snapshot === undefined ? [] : [snapshot.entry]), ...opened.map((file) => file.entry)],
    snapshot: snapshot?.header.number,
    previous: last === undefined ? undefined : { number: last.header.number, end: replay.end },
    nextMeta: Math.max(0, ...numbers) + 1,
    nextBody: Math.max(replay.nextBody, 1 + Math.max(0, ...survey.bodies.map((entry) => entry.number))),
    nextLarge: Math.max(replay.nextLarge, 1 + Math.max(0, ...larges)),
  };
}

class Replay {
  readonly damages: Damage[] = [];
  readonly superfluous: SpoolEntry[] = [];
  readonly unproven = new Set<number>();
  torn: Damage | undefined;
  lastBatch = Number.POSITIVE_INFINITY;
  /** Where the last file that was read ends, as far as it counts. */
  end = 0;
  nextBody = 1;
  nextLarge = 1;
  readonly #files: SpoolFiles;
  readonly #holdings: Holdings;
  readonly #folder: string;
  readonly #closed: LogEnd | undefined;
  /** Old place to new place of bodies that were moved; segment numbers are never used twice. */
  readonly #moves = new Map<number, readonly [segment: number, offset: number]>();

  constructor(files: SpoolFiles, holdings: Holdings, { folder, closed }: Survey) {
    this.#files = files;
    this.#holdings = holdings;
    this.#folder = folder;
    this.#closed = closed;
  }

  /** A snapshot gets its name when it is complete, so the newest one counts; a damaged one gives way to an older one. */
  async newestSnapshot(snapshots: readonly SpoolEntry[]): Promise<OpenedFile | undefined> {
    let newest: OpenedFile | undefined;
    for (const entry of [...snapshots].reverse()) {
      if (newest !== undefined) this.superfluous.push(entry);
      else newest = await this.#open(entry, 'snapshot', false);
    }
    return newest;
  }

  async openAll(metas: readonly SpoolEntry[]): Promise<readonly OpenedFile[]> {
    const opened: OpenedFile[] = [];
    for (const entry of metas) {
      const file = await this.#open(entry, 'meta', entry === metas.at(-1));
      if (file !== undefined) opened.push(file);
    }
    return opened;
  }

  async readSnapshot(snapshot: OpenedFile): Promise<void> {
    this.end = snapshot.entry.sizeBytes;
    this.#takeHeader(snapshot.header);
    let isComplete = false;
    await this.#read(snapshot, this.end, (record) => {
      isComplete ||= record.kind === RecordKind.SnapshotEnd;
    });
    if (!isComplete) {
      this.#damage(snapshot.entry, this.end, this.end, 'the snapshot has lost its end');
    }
  }

  async readLog(snapshot: OpenedFile | undefined, opened: readonly OpenedFile[]): Promise<void> {
    let before = snapshot?.header.number;
    for (const [i, file] of opened.entries()) {
      const next = opened[i + 1];
      if (file.header.previous?.number !== before) {
        const missing = file.header.previous?.number ?? 'none';
        this.#damage(
          file.entry,
          0,
          0,
          `the file before it should be number ${missing}, found was ${before ?? 'none'}: a file of the log is missing`,
        );
      }
      before = file.header.number;
      this.#takeHeader(file.header);
      if (next !== undefined) await this.#readClosed(file, next.header.previous);
      else if (this.#closed?.number === file.header.number) await this.#readClosed(file, this.#closed);
      else await this.#readLast(file);
    }
  }

  /** The last file must not be missing. `number` is that of the last one there is. */
  mustReach(number: number): void {
    if (this.#closed === undefined || this.#closed.number <= number) return;
    const name = metaName(this.#closed.number);
    const entry = { path: path.join(this.#folder, name), name, number: this.#closed.number, sizeBytes: 0 };
    this.#damage(entry, 0, 0, 'the file is missing: it was the last one when the spool was closed');
  }

  /** Gives every body the place where it is now. */
  applyMoves(): void {
    if (this.#moves.size === 0) return;
    const { places } = this.#holdings;
    for (let place = 0; place < places.top; place++) {
      if (!places.isUsed(place) || places.segment(place) === 0) continue;
      let segment = places.segment(place);
      let offset = places.offset(place);
      for (;;) {
        const next = this.#moves.get(placeKey(segment, offset));
        if (next === undefined) break;
        [segment, offset] = next;
      }
      places.move(place, segment, offset);
    }
  }

  async #open(entry: SpoolEntry, log: MetaHeader['log'], isLast: boolean): Promise<OpenedFile | undefined> {
    return withFile(this.#files, entry.path, async (file) => {
      const read = await readHeader<MetaHeader>(file, entry, [log]);
      if (read !== undefined) return { entry, header: read.header, start: read.start };
      if (isLast && this.#closed?.number !== entry.number && (await isHalfMade(file, entry.sizeBytes)))
        this.superfluous.push(entry);
      else this.#damage(entry, 0, entry.sizeBytes, 'the header of the file cannot be read');
      return undefined;
    });
  }

  #takeHeader(header: MetaHeader): void {
    this.nextBody = Math.max(this.nextBody, header.nextBody);
    this.nextLarge = Math.max(this.nextLarge, header.nextLarge);
    for (const id of header.removed ?? []) {
      const [transaction, number] = id.split(':');
      this.#remove(transaction!, Number(number));
    }
  }

  async #readClosed(file: OpenedFile, closing: MetaHeader['previous']): Promise<void> {
    const { entry } = file;
    // After a lost file nobody says where this one ends: it is taken whole.
    const end = closing?.number === file.header.number ? closing.end : entry.sizeBytes;
    if (end > entry.sizeBytes) {
      this.#damage(
        entry,
        entry.sizeBytes,
        end,
        `the file should have ${end} bytes and has ${entry.sizeBytes}`,
      );
    }
    this.end = Math.min(end, entry.sizeBytes);
    await this.#read(file, this.end, () => {});
  }

  async #readLast(file: OpenedFile): Promise<void> {
    this.end = await this.#openEnd(file);
    const { sizeBytes } = file.entry;
    if (this.end < sizeBytes) {
      this.torn = { file: file.entry, start: this.end, end: sizeBytes, what: 'the end of the last write' };
    }
    let lastBatch = 0;
    await this.#read(file, this.end, (record, slots) => {
      if (record.batchStart !== lastBatch) this.unproven.clear();
      lastBatch = record.batchStart;
      for (const slot of slots) this.unproven.add(slot);
    });
    // Without a batch it is 0: a header is made durable before anything is added to it, and so may not have been yet.
    this.lastBatch = lastBatch;
    const { messages } = this.#holdings;
    for (const slot of this.unproven) {
      // It may have left the spool within the batch, and a later record may have its slot: that one is in the set as well.
      if (!messages.has(slot) || messages.home(slot) !== file.header.number) this.unproven.delete(slot);
    }
  }

  /** Where the last batch is torn, or the end of the file. */
  async #openEnd(file: OpenedFile): Promise<number> {
    let torn: number[] = [];
    await withFile(this.#files, file.entry.path, async (open) => {
      for await (const step of scan(open, file.start, file.entry.sizeBytes, file.header.salt)) {
        if (step.kind === 'bad') torn.push(step.start);
        else for (const { batchStart } of step.records) torn = torn.filter((start) => start >= batchStart);
      }
    });
    return torn[0] ?? file.entry.sizeBytes;
  }

  async #read(
    file: OpenedFile,
    end: number,
    seen: (record: FoundRecord, entered: readonly number[]) => void,
  ): Promise<void> {
    await withFile(this.#files, file.entry.path, async (open) => {
      for await (const step of scan(open, file.start, end, file.header.salt)) {
        if (step.kind === 'bad') {
          this.#damage(
            file.entry,
            step.start,
            step.end,
            'these bytes are no record, or their checksum does not match',
          );
          continue;
        }
        for (const record of step.records) seen(record, this.#apply(file, record));
      }
    });
  }

  /** The result are the slots of the messages that it brought. */
  #apply(file: OpenedFile, record: FoundRecord): readonly number[] {
    switch (record.kind) {
      case RecordKind.Transaction:
        return this.#slotsOf(this.#enter(record.payload, file.header.number));
      case RecordKind.Transactions:
        for (const payload of unpacked(record.payload)) this.#enter(payload, file.header.number);
        return NO_SLOTS;
      case RecordKind.Change: {
        const { id, n, change } = fromPayload<StoredChange>(record.payload);
        const slot = this.#holdings.messages.find({ transaction: id, number: n });
        if (slot >= 0) this.#holdings.messages.change(slot, change);
        return NO_SLOTS;
      }
      case RecordKind.Removal: {
        const { id, n } = fromPayload<StoredRemoval>(record.payload);
        this.#remove(id, n);
        return NO_SLOTS;
      }
      case RecordKind.Move: {
        const { from, to, offsets } = fromPayload<StoredMove>(record.payload);
        this.nextBody = Math.max(this.nextBody, to + 1);
        for (let i = 0; i < offsets.length; i += 2) {
          this.#moves.set(placeKey(from, offsets[i]!), [to, offsets[i + 1]!]);
        }
        return NO_SLOTS;
      }
      default:
        return NO_SLOTS;
    }
  }

  #enter(payload: Buffer, home: number): TransactionHead {
    const head = payloadToHead(payload);
    const { messages } = this.#holdings;
    for (const { n } of head.messages) {
      // Only after a removal that was lost: the newer record counts.
      const old = messages.findWords(head.uuid, n);
      if (old >= 0) this.#holdings.drop(old, () => {});
    }
    const body = this.#addPlace(head.body);
    this.#holdings.enter(
      head,
      body,
      head.versions.map((place) => this.#addPlace(place)),
      home,
    );
    return head;
  }

  #slotsOf({ uuid, messages }: TransactionHead): readonly number[] {
    return messages.map(({ n }) => this.#holdings.messages.findWords(uuid, n));
  }

  #addPlace([segment, offset, size, crc]: StoredPlace): number {
    if (segment === 0) this.nextLarge = Math.max(this.nextLarge, offset + 1);
    else this.nextBody = Math.max(this.nextBody, segment + 1);
    return this.#holdings.places.add(segment, offset, size, crc);
  }

  /** A snapshot may have dropped the message already: removing twice is no mistake. */
  #remove(id: string, n: number): void {
    const slot = this.#holdings.messages.find({ transaction: id, number: n });
    if (slot >= 0) this.#holdings.drop(slot, () => {});
  }

  #damage(file: SpoolEntry, start: number, end: number, what: string): void {
    this.damages.push({ file, start, end, what });
  }
}

const NO_SLOTS: readonly number[] = [];

function placeKey(segment: number, offset: number): number {
  return segment * 0x100000000 + offset;
}
