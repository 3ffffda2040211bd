// Header fields as they are hashed (RFC 6376 §3.4.1, §3.4.2, §5.4.2). The section is read in the form it has on the wire,
// so that fields are found where the receiver will find them; see canonical-body.ts for what that does to line ends.

import { type HeaderField, type HeaderSection, parseHeaderSection } from '../mime/header-section.js';
import { ByteWriter } from './byte-writer.js';
import type { BareCr } from './canonical-body.js';
import type { Canonicalization } from './signature-tags.js';

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const COLON = 58;
/** How much is read before room is made for more. */
const BLOCK = 1000;

/** The header section of a message as bytes, with the places of its fields. */
export interface SectionBytes {
  readonly bytes: Buffer;
  readonly section: HeaderSection;
}

/** Takes a message's first chunks up to the empty line. */
export class HeaderReader {
  readonly #writer = new ByteWriter();
  readonly #bareCr: number;
  readonly #longest: number;
  #lineLength = 0;
  #hasCr = false;
  #isTooLong = false;

  constructor(bareCr: BareCr, longest: number) {
    this.#bareCr = bareCr === 'space' ? SPACE : CR;
    this.#longest = longest;
  }

  /** It was longer than it may be; what followed was not kept. */
  get isTooLong(): boolean {
    return this.#isTooLong;
  }

  /** @returns where in the chunk the body begins, or -1 while the section goes on */
  push(chunk: Buffer): number {
    // The section is nearly always in the first few hundred or thousand bytes of a chunk that may be large.
    for (let start = 0; start < chunk.length; start += BLOCK) {
      if (this.#writer.length > this.#longest) {
        this.#isTooLong = true;
        return -1;
      }
      const bodyStart = this.#pushBlock(chunk, start, Math.min(start + BLOCK, chunk.length));
      if (bodyStart !== -1) return bodyStart;
    }
    return -1;
  }

  #pushBlock(chunk: Buffer, start: number, end: number): number {
    const writer = this.#writer;
    // An LF becomes two bytes; a CR held back comes before the first.
    writer.reserve(2 * (end - start) + 1);
    const out = writer.bytes;
    let at = writer.length;
    let lineLength = this.#lineLength;
    let hasCr = this.#hasCr;
    let bodyStart = -1;
    for (let i = start; i < end; i++) {
      const byte = chunk[i]!;
      if (byte > CR && !hasCr) {
        out[at++] = byte;
        lineLength++;
      } else if (byte === LF) {
        hasCr = false;
        if (lineLength === 0) {
          bodyStart = i + 1;
          break;
        }
        out[at++] = CR;
        out[at++] = LF;
        lineLength = 0;
      } else {
        if (hasCr) {
          out[at++] = this.#bareCr;
          lineLength++;
        }
        hasCr = byte === CR;
        if (!hasCr) {
          out[at++] = byte;
          lineLength++;
        }
      }
    }
    writer.length = at;
    this.#lineLength = lineLength;
    this.#hasCr = hasCr;
    return bodyStart;
  }

  /** To be asked once, when the body begins or the message ended. */
  finish(): SectionBytes {
    const writer = this.#writer;
    const { length } = writer;
    if (length > 0 && writer.bytes[length - 1] !== LF) {
      writer.reserve(2);
      writer.bytes[writer.length++] = CR;
      writer.bytes[writer.length++] = LF;
    }
    const bytes = writer.written();
    return { bytes, section: parseHeaderSection(bytes) };
  }
}

/** Appends a field of a section in wire form, with its line end. */
export function writeField(
  bytes: Buffer,
  field: HeaderField,
  canonicalization: Canonicalization,
  writer: ByteWriter,
): void {
  const { start, valueStart, end } = field;
  writer.reserve(end - start + 4);
  const out = writer.bytes;
  let at = writer.length;
  if (canonicalization === 'simple') {
    bytes.copy(out, at, start, end);
    writer.length = at + end - start;
    return;
  }
  for (let i = start; i < valueStart - 1; i++) {
    const byte = bytes[i]!;
    if (byte === SPACE || byte === TAB) continue;
    out[at++] = byte >= 65 && byte <= 90 ? byte + 32 : byte;
  }
  out[at++] = COLON;
  const textStart = at;
  let hasBlank = false;
  for (let i = valueStart; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === SPACE || byte === TAB) hasBlank = true;
    else if (byte === CR && bytes[i + 1] === LF) i++;
    else {
      if (hasBlank && at > textStart) out[at++] = SPACE;
      hasBlank = false;
      out[at++] = byte;
    }
  }
  out[at++] = CR;
  out[at++] = LF;
  writer.length = at;
}

/**
 * The fields that a list of names stands for, each name the lowest field of that name not taken yet; a name beyond the
 * last one stands for nothing (RFC 6376 §5.4.2). Names in lower case; the field `without` does not count.
 */
export function selectFields(
  section: HeaderSection,
  names: readonly string[],
  without?: HeaderField,
): HeaderField[] {
  const left = new Map<string, HeaderField[]>();
  for (const field of section.fields) {
    if (field === without || field.name === '') continue;
    const list = left.get(field.name);
    if (list === undefined) left.set(field.name, [field]);
    else list.push(field);
  }
  const selected: HeaderField[] = [];
  for (const name of names) {
    const field = left.get(name)?.pop();
    if (field !== undefined) selected.push(field);
  }
  return selected;
}

/** The canonical form of the fields that `names` stands for. */
export function canonicalFields(
  { bytes, section }: SectionBytes,
  names: readonly string[],
  canonicalization: Canonicalization,
  without?: HeaderField,
): Buffer {
  const writer = new ByteWriter();
  for (const field of selectFields(section, names, without))
    writeField(bytes, field, canonicalization, writer);
  return writer.written();
}

/** What is signed: the fields, and the signature field itself with an empty b= and no line end (RFC 6376 §3.7). */
export function withSignatureField(
  fields: Buffer,
  signatureField: Buffer,
  canonicalization: Canonicalization,
): Buffer {
  if (canonicalization === 'simple') return Buffer.concat([fields, signatureField]);
  const writer = new ByteWriter(fields.length + signatureField.length + 4);
  const colon = signatureField.indexOf(COLON);
  const field = { name: '', start: 0, valueStart: colon + 1, end: signatureField.length };
  fields.copy(writer.bytes);
  writer.length = fields.length;
  writeField(signatureField, field, 'relaxed', writer);
  return writer.bytes.subarray(0, writer.length - 2);
}
