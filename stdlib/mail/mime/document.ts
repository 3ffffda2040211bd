// A message being looked at and edited. The received bytes stay where they are (MessageSource); what a script changes
// lies beside them and comes out as pieces: ranges of the original and new bytes.
//
// A part is a stretch of the message with a header section of its own. The message itself is the outermost part; the
// parts inside a multipart are further MimeParts of the same document, and their edits join the same list of pieces.

import type { MessageSource, Piece, Pieces } from '../message-source.js';
import { HeaderEdits, pick, placesOf, pushRange } from './header-edits.js';
import { type HeaderSection, parseHeaderSection } from './header-section.js';
import { charsetOf, decodeValue, unfold } from './header-text.js';

/** Edits of a document at one moment. */
interface Snapshot {
  readonly header: HeaderEdits;
}

/** The whole of one message with its edits. */
export class MailDocument {
  readonly source: MessageSource;
  readonly root: MimePart;
  readonly #snapshots: Snapshot[] = [];

  constructor(source: MessageSource) {
    this.source = source;
    this.root = new MimePart(this, '', 0, source.sizeBytes);
  }

  /** The message as it is to be delivered now. */
  pieces(): Pieces {
    const { root, source } = this;
    if (root.edits.count === 0) return [{ kind: 'range', start: 0, end: source.sizeBytes }];
    const pieces: Piece[] = [];
    const { header } = root;
    root.edits.writePieces(header, source.head, pieces);
    pushRange(pieces, header.end, source.sizeBytes);
    return pieces;
  }

  /** The edited message's bytes; a promise when some must be read from disk. */
  toBytes(): Buffer | Promise<Buffer> {
    const pieces = this.pieces();
    const { source } = this;
    if (source.isComplete)
      return Buffer.concat(
        pieces.map((piece) =>
          piece.kind === 'bytes' ? piece.bytes : source.head.subarray(piece.start, piece.end),
        ),
      );
    return Promise.all(
      pieces.map((piece) => (piece.kind === 'bytes' ? piece.bytes : source.read(piece.start, piece.end))),
    ).then((buffers) => Buffer.concat(buffers));
  }

  /** Remembers the edits made so far. */
  snapshot(): number {
    this.#snapshots.push({ header: this.root.edits.clone() });
    return this.#snapshots.length;
  }

  /** Goes back to a snapshot; false when there is no such one. Snapshots can be restored again and again. */
  restore(id: number): boolean {
    const snapshot = this.#snapshots[id - 1];
    if (snapshot === undefined) return false;
    this.root.edits = snapshot.header.clone();
    return true;
  }

  /** Drops all edits. @returns how many there were */
  reset(): number {
    const dropped = this.root.edits.count;
    this.root.edits = new HeaderEdits();
    return dropped;
  }
}

/** One part of a message; `id` is empty for the message itself. */
export class MimePart {
  edits = new HeaderEdits();
  #header: HeaderSection | undefined;
  #charset: string | undefined;

  constructor(
    readonly document: MailDocument,
    readonly id: string,
    readonly start: number,
    readonly end: number,
  ) {}

  get sizeBytes(): number {
    return this.end - this.start;
  }

  /** Where the received header fields lie; read when first asked for, since many scripts never ask. */
  get header(): HeaderSection {
    const { head } = this.document.source;
    this.#header ??= parseHeaderSection(head, this.start, Math.min(this.end, head.length));
    return this.#header;
  }

  /** The received field `index` of that name, as `read` makes it; undefined when there is none. */
  field(name: string, index: number, how: FieldForm): string | undefined {
    const place = pick(placesOf(this.header, name.toLowerCase()), index);
    return place === undefined ? undefined : this.#read(place, how);
  }

  /** All received fields of that name, top first. */
  fields(name: string, how: FieldForm): string[] {
    return placesOf(this.header, name.toLowerCase()).map((place) => this.#read(place, how));
  }

  #read(place: number, how: FieldForm): string {
    const { head } = this.document.source;
    const { start, valueStart, end } = this.header.fields[place]!;
    if (how.wholeField) return head.toString('latin1', start, end).replace(/\r?\n$/, '');
    const value = unfold(head.toString('latin1', valueStart, end));
    return how.decode ? decodeValue(value, this.#ownCharset()) : value;
  }

  #ownCharset(): string | undefined {
    if (this.#charset === undefined) {
      const [place] = placesOf(this.header, 'content-type');
      this.#charset = '';
      if (place !== undefined) {
        const { valueStart, end } = this.header.fields[place]!;
        this.#charset = charsetOf(this.document.source.head.toString('latin1', valueStart, end)) ?? '';
      }
    }
    return this.#charset === '' ? undefined : this.#charset;
  }
}

/** How a field is wanted: with its name and folding, as received, or its value, unfolded and perhaps decoded. */
export interface FieldForm {
  readonly wholeField: boolean;
  readonly decode: boolean;
}

/** A message that is wholly in memory. */
export function bytesToSource(bytes: Buffer): MessageSource {
  return {
    sizeBytes: bytes.length,
    head: bytes,
    isComplete: true,
    read: async (start, end) => bytes.subarray(start, end),
  };
}
