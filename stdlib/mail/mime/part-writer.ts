// Writes an edited message as pieces: ranges of the original wherever nothing changed, new bytes where something did.
//
//    header | empty line | preamble | delimiter | part | delimiter | part | closing delimiter | epilogue
//
// The line end before a delimiter belongs to it (RFC 2046 §5.1.1). A delimiter that follows another one, or an empty
// line, at once has none of its own; when something new comes before it, one is put in.

import type { Piece, Pieces } from '../message-source.js';
import type { MimePart } from './document.js';
import { pushRange } from './header-edits.js';
import { parseHeaderSection } from './header-section.js';
import type { InsertedPart, Wrap } from './part-changes.js';
import type { Delimiter } from './structure.js';

const CRLF = Buffer.from('\r\n');

/** The fields that go with a body when it moves into a part of its own. */
function isContentField(name: string): boolean {
  return name.startsWith('content-');
}

/** The whole message. `touched` are the parts that may have changes. */
export function writeMessage(root: MimePart, touched: Iterable<MimePart>): Piece[] {
  const writer = new PartWriter(touched);
  writer.message(root);
  return writer.pieces;
}

/** A part as it is now, without new multiparts around it; of a message only what belongs to its body. */
export function writePart(
  part: MimePart,
  touched: Iterable<MimePart>,
): { readonly header: Buffer; readonly body: Pieces } {
  const { replacement } = part.changes;
  if (replacement === 'removed') return { header: Buffer.alloc(0), body: [] };
  if (replacement !== undefined) return replacement;
  const header = new PartWriter(touched);
  const isClosed = header.header(part, part.parent === undefined ? isContentField : undefined);
  if (!isClosed) header.bytes(CRLF);
  const body = new PartWriter(touched);
  body.body(part);
  return {
    header: Buffer.concat(
      header.pieces.map((piece) =>
        piece.kind === 'bytes' ? piece.bytes : part.headerRange(piece.start, piece.end),
      ),
    ),
    body: body.pieces,
  };
}

class PartWriter {
  readonly pieces: Piece[] = [];
  /** The changed parts and all that they lie in. */
  readonly #dirty = new Set<MimePart>();
  /** Something stands before the next delimiter that is not a line's end of ours. */
  #needsLineEnd = false;

  constructor(touched: Iterable<MimePart>) {
    for (const changed of touched) {
      if (!changed.isChanged) continue;
      for (let part: MimePart | undefined = changed; part !== undefined; part = part.parent) {
        if (this.#dirty.has(part)) break;
        this.#dirty.add(part);
      }
    }
  }

  bytes(bytes: Buffer): void {
    if (bytes.length > 0) this.pieces.push({ kind: 'bytes', bytes });
  }

  message(root: MimePart): void {
    const { wraps, replacement } = root.changes;
    const wrap = wraps.at(-1);
    if (wrap === undefined && replacement === undefined) {
      this.#own(root);
      return;
    }
    const isClosed = this.header(root, (name) => !isContentField(name));
    if (!isClosed) this.bytes(CRLF);
    if (!root.edits.has(root.header, 'mime-version')) this.#text('MIME-Version: 1.0\r\n');
    if (wrap === undefined) {
      this.#content(root);
    } else {
      this.#wrapped(root, wraps.length - 1, wrap);
      this.bytes(CRLF);
    }
  }

  /** The header fields, or those that are wanted. @returns whether the last line has its line end */
  header(part: MimePart, select?: (name: string) => boolean): boolean {
    return part.edits.writePieces(part.header, part.headerBytes, this.pieces, part.headerBase, select);
  }

  /** What follows the empty line. */
  body(part: MimePart): void {
    const { place, changes } = part;
    if (changes.body !== undefined) this.bytes(changes.body);
    else if (this.#isRewritten(part)) this.#multipart(part);
    else pushRange(this.pieces, place.bodyStart, place.end);
  }

  /** A part in its place among others. */
  #child(part: MimePart): void {
    const { wraps } = part.changes;
    const wrap = wraps.at(-1);
    if (wrap === undefined) this.#content(part);
    else this.#wrapped(part, wraps.length - 1, wrap);
  }

  /** A part without what was put around it; of the message itself what belongs to its body. */
  #content(part: MimePart): void {
    const { replacement } = part.changes;
    if (replacement !== undefined) {
      if (replacement !== 'removed') this.#inserted(replacement, part.parent === undefined);
    } else if (part.parent !== undefined) {
      this.#own(part);
    } else {
      this.#emptyLine(part, this.header(part, isContentField));
      this.body(part);
    }
  }

  #own(part: MimePart): void {
    if (!this.#dirty.has(part)) {
      pushRange(this.pieces, part.start, part.end);
      return;
    }
    const isClosed = this.header(part);
    if (part.changes.body === undefined && !this.#isRewritten(part)) {
      pushRange(this.pieces, part.header.end, part.end);
      return;
    }
    this.#emptyLine(part, isClosed);
    this.body(part);
  }

  #emptyLine({ header, place }: MimePart, isClosed: boolean): void {
    if (!isClosed) this.bytes(CRLF);
    if (header.isClosed) pushRange(this.pieces, header.end, place.bodyStart);
    else this.bytes(CRLF);
  }

  /** Whether something of a multipart other than its own header is new. */
  #isRewritten(part: MimePart): boolean {
    if (!part.isMultipart || !this.#dirty.has(part)) return false;
    const { preamble, epilogue, children } = part.changes;
    if (preamble !== undefined || epilogue !== undefined || children !== undefined) return true;
    return part.children.some((child) => this.#dirty.has(child));
  }

  #multipart(part: MimePart): void {
    const { place: own, changes } = part;
    const boundary = own.boundary!;
    const children = changes.children ?? part.children;
    const present = children.filter((child) => child.kind === 'inserted' || !this.#isGone(child));
    const isRestructured =
      changes.children !== undefined ||
      present.length < children.length ||
      children.some((child) => child.kind === 'part' && child.changes.replacement !== undefined);
    this.#preamble(part, part.children[0]?.place.delimiter ?? own.close);
    const isAtBodyStart = !this.#needsLineEnd;
    for (const [place, child] of present.entries()) {
      if (child.kind === 'inserted') {
        this.#newPart(boundary, child);
        continue;
      }
      const delimiter = child.place.delimiter!;
      // The line end in front would be an empty line where a part stood that is gone.
      if (place === 0 && child.index > 0 && isAtBodyStart)
        pushRange(this.pieces, delimiter.lineStart, delimiter.end);
      else this.#delimiter(delimiter, delimiter.end);
      this.#child(child);
      this.#needsLineEnd = this.#hasNewBody(child) || !endsWithLine(part, child);
    }
    if (present.length === 0 && isRestructured) {
      // One part is the least a multipart has (RFC 2046 §5.1.1).
      this.#lineEnd();
      this.#text(`--${boundary}\r\n\r\n`);
    }
    this.#close(part, isRestructured);
  }

  #preamble({ place, changes }: MimePart, first: Delimiter | undefined): void {
    const end = first?.start ?? place.end;
    if (changes.preamble === undefined) pushRange(this.pieces, place.bodyStart, end);
    else this.bytes(changes.preamble);
    this.#needsLineEnd = changes.preamble === undefined ? end > place.bodyStart : changes.preamble.length > 0;
  }

  #close({ place, changes, parent }: MimePart, isRestructured: boolean): void {
    const { close } = place;
    const { epilogue } = changes;
    if (close === undefined) {
      if (!isRestructured && epilogue === undefined) return;
      this.#lineEnd();
      this.#text(`--${place.boundary!}--`);
    } else {
      this.#delimiter(close, close.textEnd);
      if (epilogue === undefined) {
        pushRange(this.pieces, close.textEnd, place.end);
        return;
      }
    }
    if (parent === undefined || (epilogue !== undefined && epilogue.length > 0)) this.bytes(CRLF);
    if (epilogue !== undefined) this.bytes(epilogue);
  }

  /** New multiparts from `level` inwards, and the part in their middle. */
  #wrapped(part: MimePart, level: number, wrap: Wrap): void {
    this.#text(`Content-Type: ${wrap.contentType}\r\n\r\n`);
    this.#needsLineEnd = false;
    for (const inserted of wrap.before) this.#newPart(wrap.boundary, inserted);
    if (level > 0 || !this.#isEmptied(part)) {
      this.#newDelimiter(wrap.boundary);
      const inner = part.changes.wraps[level - 1];
      if (inner === undefined) this.#content(part);
      else this.#wrapped(part, level - 1, inner);
      this.#needsLineEnd = true;
    }
    for (const inserted of wrap.after) this.#newPart(wrap.boundary, inserted);
    this.#lineEnd();
    this.#text(`--${wrap.boundary}--`);
  }

  #newPart(boundary: string, inserted: InsertedPart): void {
    this.#newDelimiter(boundary);
    this.#inserted(inserted, false);
    this.#needsLineEnd = true;
  }

  #newDelimiter(boundary: string): void {
    this.#lineEnd();
    this.#text(`--${boundary}\r\n`);
  }

  #inserted({ header, body }: InsertedPart, contentFieldsOnly: boolean): void {
    if (contentFieldsOnly) {
      for (const { name, start, end } of parseHeaderSection(header).fields)
        if (isContentField(name)) this.bytes(header.subarray(start, end));
    } else {
      this.bytes(header);
    }
    this.bytes(CRLF);
    for (const piece of body) {
      if (piece.kind === 'bytes') this.bytes(piece.bytes);
      else pushRange(this.pieces, piece.start, piece.end);
    }
  }

  /** A delimiter of the original up to `end`. */
  #delimiter({ start, lineStart }: Delimiter, end: number): void {
    if (start === lineStart) this.#lineEnd();
    this.#needsLineEnd = false;
    pushRange(this.pieces, start, end);
  }

  #lineEnd(): void {
    if (this.#needsLineEnd) this.bytes(CRLF);
    this.#needsLineEnd = false;
  }

  #text(text: string): void {
    this.bytes(Buffer.from(text, 'latin1'));
  }

  /** Whether a part's last bytes may be others than those received. */
  #hasNewBody(part: MimePart): boolean {
    const { wraps, replacement, body } = part.changes;
    return (
      this.#dirty.has(part) &&
      (wraps.length > 0 || replacement !== undefined || body !== undefined || this.#isRewritten(part))
    );
  }

  /** Whether nothing is left of a part, and nothing stands around it. */
  #isGone(part: MimePart): boolean {
    return part.changes.wraps.length === 0 && this.#isEmptied(part);
  }

  /** Whether a part was removed, or all that it held was. */
  #isEmptied(part: MimePart): boolean {
    const { replacement, body, children } = part.changes;
    if (replacement !== undefined) return replacement === 'removed';
    if (!part.isMultipart || !this.#dirty.has(part) || body !== undefined) return false;
    const inside = children ?? part.children;
    return inside.length > 0 && inside.every((child) => child.kind === 'part' && this.#isGone(child));
  }
}

/** Whether the delimiter behind that part has no line end of its own, so that the part ended with one. */
function endsWithLine({ place }: MimePart, child: MimePart): boolean {
  const next = place.children[child.index + 1]?.delimiter ?? place.close;
  return next !== undefined && next.start === next.lineStart;
}
