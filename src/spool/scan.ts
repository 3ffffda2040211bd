// Reads a log from its beginning, in windows, and says what it finds: records in order, and between them the stretches
// that are not records. What a bad stretch means (torn, or damaged) is for recover.ts to say.

import type { SpoolFile } from './files.js';
import { type FoundRecord, HEADER_BYTES, isIntact, nextMagic, recordAt, recordSize } from './format.js';

const WINDOW_BYTES = 1024 * 1024;

/** Records found one after the other, or a stretch of bytes that is none. */
export type ScanStep =
  | { readonly kind: 'records'; readonly records: readonly FoundRecord[] }
  | { readonly kind: 'bad'; readonly start: number; readonly end: number };

/** Goes through the bytes from `from` to `to`. Payloads are only good until the next step. */
export async function* scan(
  file: SpoolFile,
  from: number,
  to: number,
  salt: number,
  windowBytes = WINDOW_BYTES,
): AsyncGenerator<ScanStep> {
  const window = new Window(file, to, windowBytes);
  let at = from;
  while (at < to) {
    const records: FoundRecord[] = [];
    let size = await window.sizeAt(at);
    while (size !== undefined && isIntact(window.bytes, at - window.base, size, salt)) {
      records.push(recordAt(window.bytes, at - window.base, size, at));
      at += size;
      if (!window.holds(at, HEADER_BYTES)) break;
      const next = recordSize(window.bytes, at - window.base);
      if (next === undefined || !window.holds(at, next)) break;
      size = next;
    }
    if (records.length > 0) {
      yield { kind: 'records', records };
      continue;
    }
    const end = await nextRecord(window, at + 1, to, salt);
    yield { kind: 'bad', start: at, end };
    at = end;
  }
}

/** Where the next intact record begins, or `to`. */
async function nextRecord(window: Window, from: number, to: number, salt: number): Promise<number> {
  let at = from;
  while (at < to) {
    await window.load(at, Math.min(HEADER_BYTES, to - at));
    const found = nextMagic(window.bytes, at - window.base);
    if (found < 0) {
      // The last byte of the window may be the first one of the magic.
      at = Math.max(at + 1, window.base + window.bytes.length - 1);
      if (window.base + window.bytes.length >= to) return to;
      continue;
    }
    at = window.base + found;
    const size = await window.sizeAt(at);
    if (size !== undefined && isIntact(window.bytes, at - window.base, size, salt)) return at;
    at++;
  }
  return to;
}

/** A part of the file in memory. */
class Window {
  bytes: Buffer = Buffer.alloc(0);
  base = 0;
  readonly #file: SpoolFile;
  readonly #end: number;
  readonly #windowBytes: number;
  /** What follows the window is read while its records are looked at. */
  #ahead: { readonly start: number; readonly bytes: Promise<Buffer> } | undefined;

  constructor(file: SpoolFile, end: number, windowBytes: number) {
    this.#file = file;
    this.#end = end;
    this.#windowBytes = windowBytes;
  }

  holds(at: number, length: number): boolean {
    return at >= this.base && at + length <= this.base + this.bytes.length;
  }

  /** Makes `length` bytes from `at` available; false when the file does not have them. */
  async load(at: number, length: number): Promise<boolean> {
    if (at + length > this.#end) return false;
    if (this.holds(at, length)) return true;
    // A new buffer each time: records already handed out still point into the old one.
    let next = await this.#continued(at);
    if (next === undefined || next.length < length) {
      next = await this.#read(at, Math.min(Math.max(length, this.#windowBytes), this.#end - at));
    }
    this.bytes = next;
    this.base = at;
    this.#readAhead(at + next.length);
    return next.length >= length;
  }

  /** The rest of the window from `at` on, and what was read ahead. */
  async #continued(at: number): Promise<Buffer | undefined> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const isNext = ahead !== undefined && at >= this.base && at <= ahead.start;
    if (!isNext) return undefined;
    const rest = this.bytes.subarray(at - this.base);
    return Buffer.concat([rest, await ahead.bytes]);
  }

  #readAhead(start: number): void {
    const length = Math.min(this.#windowBytes, this.#end - start);
    if (length <= 0) return;
    const bytes = this.#read(start, length);
    // Nobody may come for it.
    bytes.catch(() => {});
    this.#ahead = { start, bytes };
  }

  async #read(at: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    return bytes.subarray(0, await this.#file.read(bytes, at));
  }

  /** The size of the record at `at` with all of it in memory, or `undefined` if there is none. */
  async sizeAt(at: number): Promise<number | undefined> {
    if (!(await this.load(at, HEADER_BYTES))) return undefined;
    const size = recordSize(this.bytes, at - this.base);
    return size !== undefined && (await this.load(at, size)) ? size : undefined;
  }
}
