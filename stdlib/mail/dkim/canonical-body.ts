// The body as it is hashed (RFC 6376 §3.4.3, §3.4.4), from chunks cut anywhere and in bounded memory: what is held back
// is a count of empty lines and two flags.
//
// Line ends are read as they are on the wire: LF ends a line with or without CR before it, because delivery sends CRLF
// for both. A CR elsewhere is what the caller says it is: delivery sends a space for it (dot-stuffing.ts), so a signer
// reads it as one; a verifier takes it as it came. What the message ends with is a line, whether or not its end is there.

import type { Canonicalization } from './signature-tags.js';

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;

/** What a CR that is not half of a CRLF stands for. */
export type BareCr = 'space' | 'itself';

/** Takes canonical bytes; they are valid during the call only. */
export type TakeBytes = (bytes: Buffer) => void;

/** How much is read before what came of it is handed on. */
const BLOCK = 16 * 1024;
/** Room for what a block can become (an LF becomes two bytes), and for some held-back lines. */
const SCRATCH = 4 * BLOCK;

// One for all: it is empty again whenever `push` returns.
const scratch = Buffer.allocUnsafeSlow(SCRATCH);

export class CanonicalBody {
  readonly #isRelaxed: boolean;
  readonly #bareCr: number;
  readonly #take: TakeBytes;
  /** Line ends not written yet: they go if nothing follows. */
  #lines = 0;
  /** Relaxed: blanks came before, in this line. */
  #hasBlank = false;
  #hasCr = false;
  #isEmpty = true;
  #used = 0;

  constructor(canonicalization: Canonicalization, bareCr: BareCr, take: TakeBytes) {
    this.#isRelaxed = canonicalization === 'relaxed';
    this.#bareCr = bareCr === 'space' ? SPACE : CR;
    this.#take = take;
  }

  push(chunk: Buffer): void {
    for (let start = 0; start < chunk.length; start += BLOCK) {
      const end = Math.min(start + BLOCK, chunk.length);
      if (this.#isRelaxed) this.#relaxedBlock(chunk, start, end);
      else this.#simpleBlock(chunk, start, end);
      this.#flush();
    }
  }

  /** Writes the last line end. */
  end(): void {
    // A relaxed body without text is nothing at all; a simple one is a single line end.
    if (this.#isRelaxed && this.#isEmpty) return;
    scratch[this.#used++] = CR;
    scratch[this.#used++] = LF;
    this.#flush();
  }

  #relaxedBlock(chunk: Buffer, start: number, end: number): void {
    let used = 0;
    let hasBlank = this.#hasBlank;
    let hasCr = this.#hasCr;
    for (let i = start; i < end; i++) {
      if (!hasBlank && !hasCr) {
        const runEnd = relaxedRun(chunk, i, end);
        used = this.#writeRun(used, chunk, i, runEnd, end);
        i = runEnd;
        if (i === end) break;
      }
      const byte = chunk[i]!;
      if (byte === LF) {
        this.#lines++;
        hasBlank = false;
        hasCr = false;
        continue;
      }
      if (hasCr) {
        hasCr = false;
        if (this.#bareCr === SPACE) hasBlank = true;
        else {
          used = this.#writePending(used, hasBlank, end - i);
          hasBlank = false;
          scratch[used++] = CR;
        }
      }
      if (byte === CR) hasCr = true;
      else if (byte === SPACE || byte === TAB) hasBlank = true;
      else {
        used = this.#writePending(used, hasBlank, end - i);
        scratch[used++] = byte;
        hasBlank = false;
      }
    }
    this.#hasBlank = hasBlank;
    this.#hasCr = hasCr;
    if (used > 0) this.#isEmpty = false;
    this.#used = used;
  }

  #simpleBlock(chunk: Buffer, start: number, end: number): void {
    const block = start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end);
    const runs = new SimpleRuns(block);
    let used = 0;
    let hasCr = this.#hasCr;
    for (let i = 0; i < block.length; i++) {
      if (!hasCr) {
        const runEnd = runs.endOf(i);
        used = this.#writeRun(used, block, i, runEnd, block.length);
        i = runEnd;
        if (i === block.length) break;
      }
      const byte = block[i]!;
      if (byte === LF) {
        this.#lines++;
        hasCr = false;
        continue;
      }
      if (hasCr) {
        used = this.#writePending(used, false, block.length - i);
        scratch[used++] = this.#bareCr;
      }
      hasCr = byte === CR;
      if (!hasCr) {
        used = this.#writePending(used, false, block.length - i);
        scratch[used++] = byte;
      }
    }
    this.#hasCr = hasCr;
    if (used > 0) this.#isEmpty = false;
    this.#used = used;
  }

  /** Writes bytes that are canonical as they are, but for the line ends they end with: those are held back. */
  #writeRun(used: number, chunk: Buffer, start: number, end: number, blockEnd: number): number {
    let textEnd = end;
    while (textEnd > start && chunk[textEnd - 1] === LF) textEnd -= 2;
    let at = used;
    if (textEnd > start) {
      at = this.#writePending(at, false, blockEnd - start);
      // Below so many bytes, calling `copy` costs more than it saves.
      if (textEnd - start >= 32) at += chunk.copy(scratch, at, start, textEnd);
      else for (let i = start; i < textEnd; i++) scratch[at++] = chunk[i]!;
    }
    this.#lines += (end - textEnd) / 2;
    return at;
  }

  /** Writes held-back line ends and a blank. Leaves room for the `left` bytes of the block. @returns the bytes in use */
  #writePending(used: number, hasBlank: boolean, left: number): number {
    let at = used;
    if (this.#lines > 0) {
      // A line end is one byte of this block, or was held back by an earlier one: those may be any number.
      const limit = SCRATCH - 2 * left - 4;
      for (; this.#lines > 0; this.#lines--) {
        if (at >= limit) {
          this.#isEmpty = false;
          this.#take(scratch.subarray(0, at));
          at = 0;
        }
        scratch[at++] = CR;
        scratch[at++] = LF;
      }
    }
    if (hasBlank) scratch[at++] = SPACE;
    return at;
  }

  #flush(): void {
    if (this.#used > 0) this.#take(scratch.subarray(0, this.#used));
    this.#used = 0;
  }
}

// Nearly all of a message is canonical as it is. These find how far, so that it can be copied as a whole: a loop that
// writes every byte by itself took twice as long (test/perf/dkim).

/** The end of what relaxed leaves alone: text, single blanks between text, line ends. */
function relaxedRun(chunk: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = chunk[at]!;
    if (byte > SPACE) at++;
    else if (byte === SPACE && at + 1 < end && chunk[at + 1]! > SPACE) at += 2;
    else if (byte === CR && at + 1 < end && chunk[at + 1] === LF) at += 2;
    else break;
  }
  return at;
}

/** Finds what simple leaves alone: everything but a CR or LF without the other. */
class SimpleRuns {
  // The next ones, remembered: a block of nothing but one of them would otherwise be searched for the other at each byte.
  #carriageReturn = -1;
  #lineFeed = -1;

  constructor(readonly block: Buffer) {}

  /** The end of the run that begins at `start`; starts come in order. */
  endOf(start: number): number {
    const { block } = this;
    for (let at = start; ; at = this.#lineFeed + 1) {
      if (this.#carriageReturn < at) this.#carriageReturn = this.#find(CR, at);
      if (this.#lineFeed < at) this.#lineFeed = this.#find(LF, at);
      const carriageReturn = this.#carriageReturn;
      if (carriageReturn < this.#lineFeed - 1) return carriageReturn;
      if (this.#lineFeed === block.length) return Math.min(carriageReturn, block.length);
      if (carriageReturn !== this.#lineFeed - 1 || carriageReturn < at) return this.#lineFeed;
    }
  }

  #find(byte: number, from: number): number {
    const found = this.block.indexOf(byte, from);
    return found === -1 ? this.block.length : found;
  }
}
