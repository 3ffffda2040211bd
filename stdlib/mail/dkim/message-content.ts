// Reads a message once and gives what signatures are made of: its header section, and for each wanted kind of body its
// hash. A message that is in memory and not large is read at once; any other chunk by chunk, letting other work in
// between.

import { createHash, type Hash } from 'node:crypto';
import type { MessageSource, Pieces } from '../message-source.js';
import { piecesSize } from '../message-source.js';
import { type BareCr, CanonicalBody } from './canonical-body.js';
import { HeaderReader, type SectionBytes } from './canonical-header.js';
import type { Canonicalization } from './signature-tags.js';

/** What is hashed how. */
export interface BodyKind {
  readonly canonicalization: Canonicalization;
  readonly hash: 'sha256' | 'sha1';
  /** At most so many canonical bytes; Infinity for all. */
  readonly limit: number;
}

export interface BodyHash {
  readonly digest: Buffer;
  /** All canonical bytes there are, hashed or not. */
  readonly canonicalBytes: number;
}

export interface MessageContent {
  readonly header: SectionBytes;
  /** By `bodyKindKey`. */
  readonly bodies: ReadonlyMap<string, BodyHash>;
}

/** A message with a longer header section is not signed or verified: everything of it is held in memory. */
const LONGEST_HEADER = 8 * 1024 * 1024;
/** What is in memory and no larger is done in one go, about a millisecond for each 256 KiB. */
const LARGEST_AT_ONCE = 512 * 1024;
const CHUNK = 256 * 1024;

/** Tells kinds apart. */
export function bodyKindKey({ canonicalization, hash, limit }: BodyKind): string {
  return `${canonicalization}/${hash}/${limit}`;
}

/** @returns undefined when the header section is too long */
export function readContent(
  source: MessageSource,
  pieces: Pieces,
  kinds: readonly BodyKind[],
  bareCr: BareCr,
  signal: AbortSignal,
): MessageContent | undefined | Promise<MessageContent | undefined> {
  const reading = new ContentReading(kinds, bareCr);
  if (piecesSize(pieces) <= LARGEST_AT_ONCE && isInMemory(source, pieces)) {
    for (const piece of pieces)
      reading.push(piece.kind === 'bytes' ? piece.bytes : source.head.subarray(piece.start, piece.end));
    return reading.finish();
  }
  return readInTurns(source, pieces, reading, signal);
}

function isInMemory({ isComplete, head }: MessageSource, pieces: Pieces): boolean {
  return isComplete || pieces.every((piece) => piece.kind === 'bytes' || piece.end <= head.length);
}

async function readInTurns(
  source: MessageSource,
  pieces: Pieces,
  reading: ContentReading,
  signal: AbortSignal,
): Promise<MessageContent | undefined> {
  const { head } = source;
  for (const piece of pieces) {
    const [start, end] = piece.kind === 'bytes' ? [0, piece.bytes.length] : [piece.start, piece.end];
    for (let from = start; from < end; ) {
      signal.throwIfAborted();
      let to = Math.min(from + CHUNK, end);
      if (piece.kind === 'bytes') reading.push(piece.bytes.subarray(from, to));
      else if (from < head.length) {
        to = Math.min(to, head.length);
        reading.push(head.subarray(from, to));
      } else reading.push(await source.read(from, to));
      if (reading.isTooLong) return undefined;
      from = to;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return reading.finish();
}

class BodyDigest {
  readonly #hash: Hash;
  readonly #limit: number;
  #seen = 0;

  constructor({ hash, limit }: BodyKind) {
    this.#hash = createHash(hash);
    this.#limit = limit;
  }

  take(bytes: Buffer): void {
    const left = this.#limit - this.#seen;
    if (left > 0) this.#hash.update(bytes.length <= left ? bytes : bytes.subarray(0, left));
    this.#seen += bytes.length;
  }

  finish(): BodyHash {
    return { digest: this.#hash.digest(), canonicalBytes: this.#seen };
  }
}

class ContentReading {
  readonly #header: HeaderReader;
  readonly #digests = new Map<string, BodyDigest>();
  readonly #bodies: CanonicalBody[] = [];
  #isInBody = false;

  constructor(kinds: readonly BodyKind[], bareCr: BareCr) {
    this.#header = new HeaderReader(bareCr, LONGEST_HEADER);
    const byForm = new Map<Canonicalization, BodyDigest[]>();
    for (const kind of kinds) {
      const key = bodyKindKey(kind);
      if (this.#digests.has(key)) continue;
      const digest = new BodyDigest(kind);
      this.#digests.set(key, digest);
      const list = byForm.get(kind.canonicalization);
      if (list === undefined) byForm.set(kind.canonicalization, [digest]);
      else list.push(digest);
    }
    for (const [canonicalization, digests] of byForm)
      this.#bodies.push(
        new CanonicalBody(canonicalization, bareCr, (bytes) => {
          for (const digest of digests) digest.take(bytes);
        }),
      );
  }

  get isTooLong(): boolean {
    return this.#header.isTooLong;
  }

  push(chunk: Buffer): void {
    if (this.#header.isTooLong) return;
    let bodyPart = chunk;
    if (!this.#isInBody) {
      const bodyStart = this.#header.push(chunk);
      if (bodyStart === -1) return;
      this.#isInBody = true;
      bodyPart = chunk.subarray(bodyStart);
    }
    for (const body of this.#bodies) body.push(bodyPart);
  }

  finish(): MessageContent | undefined {
    if (this.#header.isTooLong) return undefined;
    const bodies = new Map<string, BodyHash>();
    for (const body of this.#bodies) body.end();
    for (const [key, digest] of this.#digests) bodies.set(key, digest.finish());
    return { header: this.#header.finish(), bodies };
  }
}
