// First half of recovery: reads the metadata log and says which messages live. It changes nothing on disk.
//
// The log is the newest snapshot and the files after it. Every file's header says where the one before it ends; only the end
// of the last file is open. There, bytes that are no record are the torn end of the last batch, unless a later batch follows
// them: batches are written one after the other, so what lies before a batch's beginning was acknowledged, and is damage.

import type { SpoolFiles } from './files.js';
import { type FoundRecord, RecordKind } from './format.js';
import {
  changed,
  fromPayload,
  type MetaHeader,
  type StoredChange,
  type StoredMessage,
  type StoredMove,
  type StoredPlace,
  type StoredRemoval,
  type StoredTransaction,
} from './records.js';
import { scan } from './scan.js';
import { isHalfMade, readHeader, type SpoolEntry, type Survey, withFile } from './survey.js';

/** Bytes that should be readable and are not. */
export interface Damage {
  readonly file: SpoolEntry;
  readonly start: number;
  readonly end: number;
  readonly what: string;
}

/** A living transaction. */
export interface LiveTransaction {
  readonly record: StoredTransaction;
  /** Those of its messages that live, with their changes. */
  readonly messages: StoredMessage[];
  /** The file that has its record. */
  readonly home: number;
  /** Written by the last batch: it may never have been acknowledged. */
  isUnproven: boolean;
  readonly batchStart: number;
}

/** What the metadata log says. */
export interface Replayed {
  readonly transactions: Map<string, LiveTransaction>;
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
}

/** The whole of a file whose header is damaged, from byte 0. */
interface OpenedFile {
  readonly entry: SpoolEntry;
  readonly header: MetaHeader;
  readonly start: number;
}

/** Reads the metadata log. @throws SpoolError when a file cannot be read at all */
export async function replayMetadata(files: SpoolFiles, survey: Survey): Promise<Replayed> {
  const replay = new Replay(files);
  const snapshot = await replay.newestSnapshot(survey.snapshots);
  const metas = survey.metas.filter((entry) => entry.number > (snapshot?.header.number ?? 0));
  replay.superfluous.push(...survey.metas.filter((entry) => !metas.includes(entry)));
  const opened = await replay.openAll(metas);
  if (snapshot !== undefined) await replay.readSnapshot(snapshot);
  await replay.readLog(snapshot, opened);
  replay.applyMoves();
  const last = opened.at(-1) ?? snapshot;
  const numbers = [...survey.metas, ...survey.snapshots].map((entry) => entry.number);
  return {
    transactions: replay.transactions,
    damages: replay.damages,
    superfluous: replay.superfluous,
    files: [...(snapshot === undefined ? [] : [snapshot.entry]), ...opened.map((file) => file.entry)],
    snapshot: snapshot?.header.number,
    previous: last === undefined ? undefined : { number: last.header.number, end: replay.end },
    nextMeta: Math.max(0, ...numbers) + 1,
    nextBody: Math.max(replay.nextBody, 1 + Math.max(0, ...survey.bodies.map((entry) => entry.number))),
  };
}

class Replay {
  readonly transactions = new Map<string, LiveTransaction>();
  readonly damages: Damage[] = [];
  readonly superfluous: SpoolEntry[] = [];
  /** Where the last file that was read ends, as far as it counts. */
  end = 0;
  nextBody = 1;
  readonly #files: SpoolFiles;
  /** Old place to new place of bodies that were moved; segment numbers are never used twice. */
  readonly #moves = new Map<number, readonly [segment: number, offset: number]>();

  constructor(files: SpoolFiles) {
    this.#files = files;
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
      if (next === undefined) await this.#readLast(file);
      else await this.#readClosed(file, next.header.previous);
    }
  }

  /** Gives every living transaction the places where its bodies are now. */
  applyMoves(): void {
    if (this.#moves.size === 0) return;
    for (const [id, live] of this.transactions) {
      const { body, versions } = live.record;
      this.transactions.set(id, {
        ...live,
        record: {
          ...live.record,
          body: this.#moved(body),
          ...(versions === undefined ? undefined : { versions: versions.map((place) => this.#moved(place)) }),
        },
      });
    }
  }

  #moved(place: StoredPlace): StoredPlace {
    if (place[0] === 0) return place;
    let [segment, offset] = place;
    for (;;) {
      const next = this.#moves.get(placeKey(segment, offset));
      if (next === undefined) return [segment, offset, place[2]];
      [segment, offset] = next;
    }
  }

  async #open(entry: SpoolEntry, log: MetaHeader['log'], isLast: boolean): Promise<OpenedFile | undefined> {
    return withFile(this.#files, entry.path, async (file) => {
      const read = await readHeader<MetaHeader>(file, entry, [log]);
      if (read !== undefined) return { entry, header: read.header, start: read.start };
      if (isLast && (await isHalfMade(file, entry.sizeBytes))) this.superfluous.push(entry);
      else this.#damage(entry, 0, entry.sizeBytes, 'the header of the file cannot be read');
      return undefined;
    });
  }

  #takeHeader(header: MetaHeader): void {
    this.nextBody = Math.max(this.nextBody, header.nextBody);
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
    let lastBatch = 0;
    await this.#read(file, this.end, (record) => {
      lastBatch = record.batchStart;
    });
    for (const live of this.transactions.values()) {
      live.isUnproven = live.home === file.header.number && live.batchStart === lastBatch;
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

  async #read(file: OpenedFile, end: number, seen: (record: FoundRecord) => void): Promise<void> {
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
        for (const record of step.records) {
          this.#apply(file, record);
          seen(record);
        }
      }
    });
  }

  #apply(file: OpenedFile, record: FoundRecord): void {
    switch (record.kind) {
      case RecordKind.Transaction: {
        const stored = fromPayload<StoredTransaction>(record.payload);
        for (const place of [stored.body, ...(stored.versions ?? [])]) {
          this.nextBody = Math.max(this.nextBody, place[0] + 1);
        }
        this.transactions.set(stored.id, {
          record: stored,
          messages: [...stored.messages],
          home: file.header.number,
          isUnproven: false,
          batchStart: record.batchStart,
        });
        return;
      }
      case RecordKind.Change: {
        const { id, n, change } = fromPayload<StoredChange>(record.payload);
        const messages = this.transactions.get(id)?.messages ?? [];
        const at = messages.findIndex((message) => message.n === n);
        if (at >= 0) messages[at] = changed(messages[at]!, change);
        return;
      }
      case RecordKind.Removal: {
        const { id, n } = fromPayload<StoredRemoval>(record.payload);
        this.#remove(id, n);
        return;
      }
      case RecordKind.Move: {
        const { from, to, offsets } = fromPayload<StoredMove>(record.payload);
        this.nextBody = Math.max(this.nextBody, to + 1);
        for (let i = 0; i < offsets.length; i += 2) {
          this.#moves.set(placeKey(from, offsets[i]!), [to, offsets[i + 1]!]);
        }
        return;
      }
      default:
        return;
    }
  }

  /** A snapshot may have dropped the transaction already: removing twice is no mistake. */
  #remove(id: string, n: number): void {
    const messages = this.transactions.get(id)?.messages;
    if (messages === undefined) return;
    const at = messages.findIndex((message) => message.n === n);
    if (at >= 0) messages.splice(at, 1);
    if (messages.length === 0) this.transactions.delete(id);
  }

  #damage(file: SpoolEntry, start: number, end: number, what: string): void {
    this.damages.push({ file, start, end, what });
  }
}

function placeKey(segment: number, offset: number): number {
  return segment * 0x100000000 + offset;
}
