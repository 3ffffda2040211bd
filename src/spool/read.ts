// Reading a message back: its bytes as received, or as edited. Every record's CRC is checked, so that a damaged message is
// reported and never sent.

import path from 'node:path';
import { crc32 } from 'node:zlib';
import type { Pieces } from '#stdlib';
import { type SpoolFile, type SpoolFiles, spoolError } from './files.js';
import { HEADER_BYTES, isIntact, recordSize } from './format.js';
import { largeName } from './incoming.js';
import { payloadToPieces } from './pieces.js';
import type { BodySegments } from './segments.js';
import { DamagedMessageError, type MessageReader } from './spool.js';
import type { PlaceTable } from './tables.js';

const CHUNK_BYTES = 64 * 1024;

/** The largest message that `whole()` gives. */
export const WHOLE_BYTES = 1024 * 1024;

/** The bytes of places. Bodies that were just committed are still in memory: most are delivered within milliseconds. */
export class BodyStore {
  readonly #files: SpoolFiles;
  readonly #folder: string;
  readonly #places: PlaceTable;
  readonly #segments: BodySegments;
  readonly #recentBytes: number;
  #young = new Map<number, Buffer>();
  #old = new Map<number, Buffer>();
  #youngBytes = 0;

  constructor(
    files: SpoolFiles,
    folder: string,
    places: PlaceTable,
    segments: BodySegments,
    recentBytes: number,
  ) {
    this.#files = files;
    this.#folder = folder;
    this.#places = places;
    this.#segments = segments;
    this.#recentBytes = recentBytes;
  }

  /** Keeps the payload of a place at hand. Two generations: when the young one is full the old one is let go as a whole. */
  remember(place: number, payload: Buffer): void {
    this.#young.set(place, payload);
    this.#youngBytes += payload.length;
    if (this.#youngBytes <= this.#recentBytes / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
  }

  /** The place is used no more. */
  forget(place: number): void {
    this.#old.delete(place);
    const bytes = this.#young.get(place);
    if (bytes === undefined) return;
    this.#young.delete(place);
    this.#youngBytes -= bytes.length;
  }

  isLarge(place: number): boolean {
    return this.#places.segment(place) === 0;
  }

  sizeBytes(place: number): number {
    return this.#places.sizeBytes(place);
  }

  largeCrc(place: number): number {
    return this.#places.crc(place);
  }

  /** The payload of a place in the body log. @throws SpoolError */
  async load(place: number): Promise<Buffer> {
    const recent = this.#young.get(place) ?? this.#old.get(place);
    if (recent !== undefined) return recent;
    return (await this.loadRecord(place)).subarray(HEADER_BYTES);
  }

  /** The whole record of a place in the body log, checked. @throws SpoolError */
  async loadRecord(place: number): Promise<Buffer> {
    // Taken before anything is awaited: compaction may move the place meanwhile, the old segment stays readable.
    const segment = this.#segments.get(this.#places.segment(place));
    const offset = this.#places.offset(place);
    const record = Buffer.allocUnsafe(HEADER_BYTES + this.#places.sizeBytes(place));
    const count = await this.#segments.read(segment, record, offset);
    const isWhole =
      count === record.length &&
      recordSize(record, 0) === record.length &&
      isIntact(record, 0, record.length, segment.salt);
    if (isWhole) return record;
    throw new DamagedMessageError(
      `the message at byte ${offset} of ${segment.path} is damaged: ${record.length} bytes were stored there, ` +
        'what is read now does not match their checksum',
    );
  }

  async openLarge(place: number): Promise<SpoolFile> {
    const name = this.#largePath(place);
    try {
      return await this.#files.open(name, 'read');
    } catch (error) {
      throw spoolError('open', name, error);
    }
  }

  async removeLarge(place: number): Promise<void> {
    await this.#files.remove(this.#largePath(place));
  }

  #largePath(place: number): string {
    return path.join(this.#folder, largeName(this.#places.offset(place)));
  }
}

/** Where a message's bytes lie; `version` is -1 when it goes out as received. */
export interface MessagePlaces {
  readonly body: number;
  readonly version: number;
}

/** A message to deliver. */
export class StoredMessageReader implements MessageReader {
  readonly sizeBytes: number;
  readonly #store: BodyStore;
  readonly #locate: () => MessagePlaces;

  /** `locate` is asked at each reading, and throws when the message is gone: its places may belong to another by then. */
  constructor(store: BodyStore, sizeBytes: number, locate: () => MessagePlaces) {
    this.#store = store;
    this.sizeBytes = sizeBytes;
    this.#locate = locate;
  }

  whole(): Promise<Buffer> | undefined {
    const { body, version } = this.#locate();
    if (this.sizeBytes > WHOLE_BYTES || this.#store.isLarge(body)) return undefined;
    return version < 0 ? this.#store.load(body) : this.#assembled(body, version);
  }

  async *chunks(): AsyncGenerator<Buffer> {
    const { body, version } = this.#locate();
    if (!this.#store.isLarge(body)) {
      const [original, pieces] = await Promise.all([this.#store.load(body), this.#pieces(body, version)]);
      for (const piece of pieces) {
        yield piece.kind === 'bytes' ? piece.bytes : original.subarray(piece.start, piece.end);
      }
      return;
    }
    const opening = this.#store.openLarge(body);
    const loading = this.#pieces(body, version);
    loading.catch(() => {});
    const sizeBytes = this.#store.sizeBytes(body);
    const crc = this.#store.largeCrc(body);
    const file = await opening;
    try {
      yield* largeChunks(file, await loading, sizeBytes, crc);
    } finally {
      await file.close().catch(() => {});
    }
  }

  async #pieces(body: number, version: number): Promise<Pieces> {
    if (version >= 0) return payloadToPieces(await this.#store.load(version));
    return [{ kind: 'range', start: 0, end: this.#store.sizeBytes(body) }];
  }

  async #assembled(body: number, version: number): Promise<Buffer> {
    const [original, edits] = await Promise.all([this.#store.load(body), this.#store.load(version)]);
    return Buffer.concat(
      payloadToPieces(edits).map((piece) =>
        piece.kind === 'bytes' ? piece.bytes : original.subarray(piece.start, piece.end),
      ),
      this.sizeBytes,
    );
  }
}

/**
 * The pieces of a message in a file of its own. The checksum is that of the whole file, so what edits leave out is read
 * as well. It is known only at the end: whoever sends must not call the message complete before there are no more chunks.
 */
async function* largeChunks(
  file: SpoolFile,
  pieces: Pieces,
  sizeBytes: number,
  expectedCrc: number,
): AsyncGenerator<Buffer> {
  let crc = 0;
  let at = 0;
  // Edits keep what was received in its order. Ranges that go back are sent too, but cannot be checked on the way.
  let isInOrder = true;
  const skipTo = async (end: number) => {
    for await (const chunk of readRange(file, at, end)) crc = crc32(chunk, crc);
  };
  for (const piece of pieces) {
    if (piece.kind === 'bytes') {
      yield piece.bytes;
      continue;
    }
    isInOrder &&= piece.start >= at;
    if (isInOrder) await skipTo(piece.start);
    for await (const chunk of readRange(file, piece.start, piece.end)) {
      crc = crc32(chunk, crc);
      yield chunk;
    }
    at = piece.end;
  }
  if (!isInOrder) return;
  await skipTo(sizeBytes);
  if (crc >>> 0 !== expectedCrc) throw damaged('its checksum does not match');
}

/** Reads a stretch of a file, always one chunk ahead of the reader. */
async function* readRange(file: SpoolFile, start: number, end: number): AsyncGenerator<Buffer> {
  const readAt = (at: number) => readChunk(file, at, Math.min(end, at + CHUNK_BYTES));
  let ahead = start < end ? readAt(start) : undefined;
  for (let at = start; ahead !== undefined; ) {
    const chunk: Buffer = await ahead;
    at += chunk.length;
    ahead = at < end ? readAt(at) : undefined;
    // Nobody may be there to await it when the reader stops early.
    ahead?.catch(() => {});
    yield chunk;
  }
}

async function readChunk(file: SpoolFile, start: number, end: number): Promise<Buffer> {
  const chunk = Buffer.allocUnsafe(end - start);
  let count: number;
  try {
    count = await file.read(chunk, start);
  } catch (error) {
    throw spoolError('read', 'a large message', error);
  }
  if (count < chunk.length) throw damaged(`it ends at byte ${start + count}`);
  return chunk;
}

function damaged(why: string): DamagedMessageError {
  return new DamagedMessageError(`a large message in the spool is damaged: ${why}`);
}
