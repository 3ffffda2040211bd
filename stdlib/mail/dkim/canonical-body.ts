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
    let isPlain = !hasBlank && !hasCr && this.#lines === 0;
    for (let i = start; i < end; i++) {
      const byte = chunk[i]!;
      // The usual byte in the usual state: everything else is below.
      if (byte > SPACE && isPlain) {
        scratch[used++] = byte;
        continue;
      }
      if (byte === LF) {
        this.#lines++;
        hasBlank = false;
        hasCr = false;
        isPlain = false;
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
      if (byte === CR) {
        hasCr = true;
        isPlain = false;
      } else if (byte === SPACE || byte === TAB) {
        hasBlank = true;
        isPlain = false;
      } else {
        used = this.#writePending(used, hasBlank, end - i);
        scratch[used++] = byte;
        hasBlank = false;
        isPlain = true;
      }
    }
    this.#hasBlank = hasBlank;
    this.#hasCr = hasCr;
    if (used > 0) this.#isEmpty = false;
    this.#used = used;
  }

  #simpleBlock(chunk: Buffer, start: number, end: number): void {
    let used = 0;
    let hasCr = this.#hasCr;
    let isPlain = !hasCr && this.#lines === 0;
    for (let i = start; i < end; i++) {
      const byte = chunk[i]!;
      if (byte > CR && isPlain) {
        scratch[used++] = byte;
        continue;
      }
      if (byte === LF) {
        this.#lines++;
        hasCr = false;
        isPlain = false;
        continue;
      }
      if (hasCr) {
        used = this.#writePending(used, false, end - i);
        scratch[used++] = this.#bareCr;
      }
      hasCr = byte === CR;
      if (hasCr) isPlain = false;
      else {
        used = this.#writePending(used, false, end - i);
        scratch[used++] = byte;
        isPlain = true;
      }
    }
    this.#hasCr = hasCr;
    this.#used = used;
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
