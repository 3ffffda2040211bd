// Where the parts of a message lie (RFC 2046 §5.1). Like the header parser it decodes nothing and refuses nothing: every
// byte between a multipart's start and its end belongs to its header, its preamble, a delimiter, a part or its epilogue,
// so that what nobody edits can be copied by range.
//
// A message in memory is read in one go. One on disk is read in windows, once, from the front, when somebody asks for its
// parts; what stays in memory of it is the places, and the headers of parts up to a limit.
//
// A line is a delimiter when it is `--`, the boundary, perhaps `--`, and blanks. RFC 2046 §5.1.1 asks readers to be
// content with a line that begins so; then a boundary that begins another's would end the wrong part, and senders do that.

import type { MessageSource } from '../message-source.js';
import { parameterOf, parseContentField } from './content-field.js';
import { type HeaderSection, parseHeaderSection } from './header-section.js';
import { trimBlanks } from './header-text.js';

/** Behind that many parts the rest of the message belongs to the last one. */
export const MOST_PARTS = 20_000;

/** A multipart deeper than this is not opened. */
export const DEEPEST_LEVEL = 200;

/** A longer line is no delimiter (RFC 2046 allows boundaries of 70). */
export const LONGEST_DELIMITER_LINE = 2048;

/** The header section of a part ends there, whatever follows. */
export const LONGEST_PART_HEADER = 1024 * 1024;

/** Headers of parts kept in memory for a message on disk, all together. */
export const MOST_HEADER_BYTES = 16 * 1024 * 1024;

/** How much of a message on disk is read at a time. */
const WINDOW_BYTES = 1024 * 1024;

const LF = 10;
const CR = 13;
const DASH = 45;
const LINE_DASHES = Buffer.from('\n--');

/** What is wrong with a part. The first two are the reference's words, the others name a limit. */
export type PartError = 'bad_header' | 'unclosed_boundary' | 'too_many_parts' | 'too_deep';

/** A delimiter line: it begins with the line end before it, when that is its own. */
export interface Delimiter {
  readonly start: number;
  /** The first of its dashes. */
  readonly lineStart: number;
  /** Behind its text and blanks, before its line end. */
  readonly textEnd: number;
  /** Behind its line end. */
  readonly end: number;
}

/** One part: bytes `start` to `end` of the message. Complete once the whole message was read. */
export interface PartPlace {
  readonly parent: PartPlace | undefined;
  /** The line before it; undefined for the message itself. */
  readonly delimiter: Delimiter | undefined;
  readonly start: number;
  end: number;
  header: HeaderSection;
  /** The bytes that `header` is about; the first of them is byte `headerBase` of the message. */
  headerBytes: Buffer;
  headerBase: number;
  /** Behind the empty line; the same as the header's end when there is none. */
  bodyStart: number;
  /** Set for a multipart that was opened. */
  boundary: string | undefined;
  readonly children: PartPlace[];
  close: Delimiter | undefined;
  readonly errors: Set<PartError>;
}

/** A place before anything is known of it but where it begins. */
export function newPlace(
  parent: PartPlace | undefined,
  delimiter: Delimiter | undefined,
  start: number,
): PartPlace {
  return {
    parent,
    delimiter,
    start,
    end: start,
    header: { fields: [], start, end: start, isClosed: false },
    headerBytes: Buffer.alloc(0),
    headerBase: start,
    bodyStart: start,
    boundary: undefined,
    children: [],
    close: undefined,
    errors: new Set(),
  };
}

/** Sets what follows from the header section; `bytes` begin at `base` of the message. */
export function placeHeader(place: PartPlace, header: HeaderSection, bytes: Buffer, base: number): void {
  place.header = header;
  place.headerBytes = bytes;
  place.headerBase = base;
  place.bodyStart = header.end;
  if (header.isClosed) place.bodyStart += bytes[header.end - base] === LF ? 1 : 2;
  if (header.fields.some(({ name }) => name === '')) place.errors.add('bad_header');
}

/** The raw value of the first field of that name (lower case), folding included. */
export function rawValueOf(place: PartPlace, name: string): string | undefined {
  const field = place.header.fields.find((one) => one.name === name);
  if (field === undefined) return undefined;
  return place.headerBytes.toString(
    'latin1',
    field.valueStart - place.headerBase,
    field.end - place.headerBase,
  );
}

/**
 * Fills in the parts below `root`, whose header is known. A promise when the message must be read from disk, which is
 * done in windows of that size.
 */
export function readStructure(
  source: MessageSource,
  root: PartPlace,
  windowBytes = WINDOW_BYTES,
): void | Promise<void> {
  const scanner = new StructureScanner(root, source.sizeBytes, source.isComplete);
  if (scanner.isDone) return undefined;
  if (source.isComplete) {
    scanner.scan(source.head, 0, true);
    return undefined;
  }
  return readWindows(source, scanner, windowBytes);
}

async function readWindows(
  source: MessageSource,
  scanner: StructureScanner,
  windowBytes: number,
): Promise<void> {
  scanner.scan(source.head, 0, false);
  let size = windowBytes;
  while (!scanner.isDone) {
    const { position, windowStart } = scanner;
    const end = Math.min(source.sizeBytes, position + size);
    const window = await source.read(windowStart, end);
    if (window.length < end - windowStart) throw new Error(`it ends at byte ${windowStart + window.length}`);
    scanner.scan(window, windowStart, end === source.sizeBytes);
    // A line that did not fit is looked at again, in a larger window.
    size = scanner.position === position ? size * 2 : windowBytes;
  }
}

/** A multipart whose closing delimiter was not seen yet. */
interface OpenMultipart {
  readonly place: PartPlace;
  readonly boundary: string;
}

/** What a line turned out to be. */
interface FoundDelimiter {
  /** Which open multipart it belongs to. */
  readonly level: number;
  readonly isClose: boolean;
}

class StructureScanner {
  isDone = false;
  /** Where scanning goes on. */
  position: number;
  readonly #sizeBytes: number;
  readonly #isInMemory: boolean;
  readonly #open: OpenMultipart[] = [];
  /** The levels in `#open` that wait for that boundary, outermost first. */
  readonly #levels = new Map<string, number[]>();
  /** The part whose header is being read. */
  #inHeader: PartPlace | undefined;
  /** A delimiter's own line end cannot begin before this: there ends what belongs to something else. */
  #floor: number;
  /** The part that the bytes at `position` belong to, epilogues included. */
  #current: PartPlace;
  #parts = 0;
  #headerBytes = 0;
  readonly #root: PartPlace;

  constructor(root: PartPlace, sizeBytes: number, isInMemory: boolean) {
    this.#root = root;
    this.#sizeBytes = sizeBytes;
    this.#isInMemory = isInMemory;
    this.#current = root;
    this.position = root.bodyStart;
    this.#floor = root.bodyStart;
    root.end = sizeBytes;
    // The rest of a header section that is not in memory is no body to look for parts in.
    if (isInMemory || root.header.isClosed) this.#openIfMultipart(root);
    if (this.#open.length === 0) this.#finish();
  }

  /** The first byte that the next window must hold. */
  get windowStart(): number {
    return this.#inHeader === undefined ? Math.max(this.#floor, this.position - 2) : this.#inHeader.start;
  }

  /** Reads on in a window that begins at `base` and, when `isLast`, ends with the message. */
  scan(window: Buffer, base: number, isLast: boolean): void {
    while (!this.isDone) {
      const goesOn =
        this.#inHeader === undefined
          ? this.#scanBody(window, base, isLast)
          : this.#scanHeader(this.#inHeader, window, base, isLast);
      if (!goesOn) break;
    }
    if (isLast && !this.isDone) this.#finish();
  }

  /** Looks for the next delimiter line. False when the window has no more. */
  #scanBody(window: Buffer, base: number, isLast: boolean): boolean {
    const at = this.position - base;
    if (at >= window.length) return false;
    let line = at;
    const isLineStart = this.position === this.#floor || window[at - 1] === LF;
    if (!(isLineStart && window[at] === DASH && window[at + 1] === DASH)) {
      const found = window.indexOf(LINE_DASHES, at);
      if (found === -1) {
        // The last two bytes may be the beginning of what was looked for.
        this.position = Math.max(this.position, base + window.length - 2);
        return false;
      }
      line = found + 1;
    }
    const lineEnd = endOfLine(window, line);
    if (lineEnd === -1 && !isLast && window.length - line <= LONGEST_DELIMITER_LINE) {
      this.position = base + line;
      return false;
    }
    const end = lineEnd === -1 ? window.length : lineEnd;
    const found = this.#match(window, line, end);
    if (found === undefined) {
      // From its line end, where the next one may begin.
      this.position = base + Math.max(line + 2, end - 1);
      return true;
    }
    this.#take(found, this.#delimiter(window, base, line, end));
    return true;
  }

  /** Reads lines of a part's header. False when the window has no more. */
  #scanHeader(place: PartPlace, window: Buffer, base: number, isLast: boolean): boolean {
    let at = this.position - base;
    while (at < window.length) {
      const lineEnd = endOfLine(window, at);
      const isCut = lineEnd === -1 && !isLast;
      const end = lineEnd === -1 ? window.length : lineEnd;
      const size = base + end - place.start;
      if (size > LONGEST_PART_HEADER || (isCut && size === LONGEST_PART_HEADER)) {
        place.errors.add('bad_header');
        this.#endHeader(place, window, base, base + at, false);
        return true;
      }
      if (isCut) break;
      const first = window[at];
      if (first === LF || (first === CR && window[at + 1] === LF)) {
        this.#endHeader(place, window, base, base + end);
        return true;
      }
      if (first === DASH && window[at + 1] === DASH) {
        const found = this.#match(window, at, end);
        if (found !== undefined) {
          const delimiter = this.#delimiter(window, base, at, end);
          this.#endHeader(place, window, base, delimiter.start);
          this.#take(found, delimiter);
          return true;
        }
      }
      at = end;
    }
    this.position = base + at;
    if (isLast) this.#endHeader(place, window, base, base + at);
    return false;
  }

  /** The header of `place` ends, with its empty line if there is one, at `bodyStart`. */
  #endHeader(place: PartPlace, window: Buffer, base: number, bodyStart: number, isWhole = true): void {
    this.#inHeader = undefined;
    this.position = bodyStart;
    this.#floor = bodyStart;
    if (this.#isInMemory) {
      placeHeader(place, parseHeaderSection(window, place.start, bodyStart), window, 0);
    } else {
      const bytes = Buffer.from(window.subarray(place.start - base, bodyStart - base));
      this.#headerBytes += bytes.length;
      placeHeader(place, shifted(parseHeaderSection(bytes), place.start), bytes, place.start);
    }
    if (isWhole) this.#openIfMultipart(place);
    if (this.#headerBytes > MOST_HEADER_BYTES) this.#stop('too_many_parts');
  }

  #openIfMultipart(place: PartPlace): void {
    const raw = rawValueOf(place, 'content-type');
    if (raw === undefined || !/multipa/i.test(raw)) return;
    const field = parseContentField(raw);
    if (!field.value.startsWith('multipart/')) return;
    const boundary = trimBlanks(parameterOf(field, 'boundary') ?? '', false);
    if (boundary === '') {
      place.errors.add('bad_header');
    } else if (this.#open.length >= DEEPEST_LEVEL) {
      place.errors.add('too_deep');
    } else {
      place.boundary = boundary;
      const levels = this.#levels.get(boundary);
      if (levels === undefined) this.#levels.set(boundary, [this.#open.length]);
      else levels.push(this.#open.length);
      this.#open.push({ place, boundary });
    }
  }

  /** Which open multipart a line that begins with two dashes belongs to; the innermost one that fits. */
  #match(window: Buffer, line: number, end: number): FoundDelimiter | undefined {
    if (end - line > LONGEST_DELIMITER_LINE) return undefined;
    const text = trimBlanks(window.toString('latin1', line + 2, end), false);
    const plain = this.#levels.get(text)?.at(-1) ?? -1;
    const closing = text.endsWith('--') ? (this.#levels.get(text.slice(0, -2))?.at(-1) ?? -1) : -1;
    if (plain === -1 && closing === -1) return undefined;
    return plain > closing ? { level: plain, isClose: false } : { level: closing, isClose: true };
  }

  #delimiter(window: Buffer, base: number, line: number, end: number): Delimiter {
    let start = line;
    if (window[start - 1] === LF) start -= window[start - 2] === CR ? 2 : 1;
    let textEnd = end;
    if (window[textEnd - 1] === LF) textEnd -= window[textEnd - 2] === CR ? 2 : 1;
    return {
      start: Math.min(base + line, Math.max(this.#floor, base + start)),
      lineStart: base + line,
      textEnd: base + textEnd,
      end: base + end,
    };
  }

  /** A delimiter ends the part before it and everything open inside of its multipart. */
  #take({ level, isClose }: FoundDelimiter, delimiter: Delimiter): void {
    const { place } = this.#open[level]!;
    if (!isClose && this.#parts >= MOST_PARTS) {
      this.#stop('too_many_parts');
      return;
    }
    for (
      let part: PartPlace | undefined = this.#current;
      part !== undefined && part !== place;
      part = part.parent
    )
      part.end = delimiter.start;
    while (this.#open.length > level + 1) this.#pop().place.errors.add('unclosed_boundary');
    this.position = delimiter.end;
    if (isClose) {
      this.#pop();
      place.close = delimiter;
      this.#current = place;
      this.#floor = delimiter.textEnd;
      // Its line end is looked at again: a delimiter of the multipart around may follow at once.
      this.position = delimiter.textEnd;
      if (this.#open.length === 0) this.#finish();
      return;
    }
    const child = newPlace(place, delimiter, delimiter.end);
    place.children.push(child);
    this.#parts++;
    this.#current = child;
    this.#inHeader = child;
    this.#floor = delimiter.end;
  }

  #pop(): OpenMultipart {
    const last = this.#open.pop()!;
    const levels = this.#levels.get(last.boundary)!;
    levels.pop();
    if (levels.length === 0) this.#levels.delete(last.boundary);
    return last;
  }

  #stop(error: PartError): void {
    this.#root.errors.add(error);
    this.#finish();
  }

  /** The message is over: what is open ends with it. */
  #finish(): void {
    for (let part: PartPlace | undefined = this.#current; part !== undefined; part = part.parent)
      part.end = this.#sizeBytes;
    while (this.#open.length > 0) this.#pop().place.errors.add('unclosed_boundary');
    this.isDone = true;
  }
}

/** Behind the line feed that ends the line; -1 when the window has none. */
function endOfLine(window: Buffer, line: number): number {
  const lineFeed = window.indexOf(LF, line);
  return lineFeed === -1 ? -1 : lineFeed + 1;
}

/** A section parsed from bytes of its own, with places in the message. */
function shifted(section: HeaderSection, by: number): HeaderSection {
  return {
    fields: section.fields.map(({ name, start, valueStart, end }) => ({
      name,
      start: start + by,
      valueStart: valueStart + by,
      end: end + by,
    })),
    start: section.start + by,
    end: section.end + by,
    isClosed: section.isClosed,
  };
}
