// The bytes of a message out of what arrives after DATA: finds the one true end, CR LF . CR LF, takes the stuffed dots
// out (RFC 5321 §4.5.2), and notices what is only meant to look like an end.
//
// A lone dot between line ends of which one is a bare CR or LF ends a message for some servers and not for others; that
// difference is how mail is smuggled. Here it never ends a message, and a message that has one is not accepted.
//
// Only dots at the beginning of a line matter, so the search is for those, with Buffer.indexOf. Between chunks at most
// two bytes wait (`.` or `.CR`): the line end before a dot belongs to the message and can go on at once.

import type { MessageReader } from './message-reader.js';

const CR = 13;
const LF = 10;
const DOT = 46;
const LF_DOT = Buffer.from('\n.');
const CR_DOT = Buffer.from('\r.');
const nothing = Buffer.alloc(0);

/** Takes the message that follows DATA. */
export class DataReader implements MessageReader {
  /** The message's bytes of the chunk just fed; it may lie inside that chunk. */
  piece: Buffer = nothing;
  /** The bytes behind the end, once it was found. */
  rest: Buffer = nothing;
  /** A lone dot with a bare CR or LF beside it was seen. */
  hasLookAlike = false;

  #held: Buffer = nothing;
  // The last two bytes before `held`. The line end of the DATA command counts: a dot right behind it begins a line.
  #beforeLast = CR;
  #last = LF;

  /**
   * Reads a chunk; its bytes may be moved. Sets `piece`.
   * @returns true when the end was found; then `rest` is set as well
   */
  feed(given: Buffer): boolean {
    const chunk = this.#held.length === 0 ? given : Buffer.concat([this.#held, given]);
    this.#held = nothing;

    // Look-alikes after a bare CR are found apart, in the untouched bytes; usually there are none.
    let bareCarriageReturn = -1;
    for (let at = chunk.indexOf(CR_DOT); at !== -1; at = chunk.indexOf(CR_DOT, at + 1)) {
      const next = chunk[at + 2];
      if (next === CR || next === LF) {
        bareCarriageReturn = at;
        break;
      }
    }

    // `to` is where the next kept bytes go: dots that are dropped leave a gap, which is closed by moving what follows.
    let to = 0;
    let from = 0;
    let dot = chunk[0] === DOT ? 0 : nextDot(chunk, 0);
    let end = -1;
    while (dot !== -1) {
      const kind = this.#lineEndBefore(chunk, dot);
      const next = chunk[dot + 1];
      if (next === undefined) {
        if (kind === 'none') break;
        return this.#hold(chunk, to, from, dot, bareCarriageReturn);
      }
      if (kind === 'crlf') {
        if (next === CR) {
          const afterNext = chunk[dot + 2];
          if (afterNext === undefined) return this.#hold(chunk, to, from, dot, bareCarriageReturn);
          if (afterNext === LF) {
            end = dot;
            break;
          }
          this.hasLookAlike = true;
        } else if (next === LF) {
          this.hasLookAlike = true;
        }
        to = move(chunk, to, from, dot);
        from = dot + 1;
      } else if (kind !== 'none' && (next === CR || next === LF)) {
        this.hasLookAlike = true;
      }
      dot = nextDot(chunk, dot + 1);
    }

    const contentEnd = end === -1 ? chunk.length : end;
    if (bareCarriageReturn !== -1 && bareCarriageReturn < contentEnd) this.hasLookAlike = true;
    if (end !== -1) this.rest = chunk.subarray(end + 3);
    else {
      // A dot behind a bare CR at the very end must wait too: what follows decides.
      const lastAt = chunk.length - 1;
      if (chunk[lastAt] === DOT && this.#lineEndBefore(chunk, lastAt) === 'cr')
        return this.#hold(chunk, to, from, lastAt, bareCarriageReturn);
      this.#remember(chunk, contentEnd);
    }
    to = move(chunk, to, from, contentEnd);
    this.piece = to === chunk.length ? chunk : chunk.subarray(0, to);
    return end !== -1;
  }

  /** Everything before `at` goes on; the rest waits for the next chunk. */
  #hold(chunk: Buffer, to: number, from: number, at: number, bareCarriageReturn: number): false {
    if (bareCarriageReturn !== -1) this.hasLookAlike = true;
    this.#held = Buffer.from(chunk.subarray(at));
    this.#remember(chunk, at);
    this.piece = chunk.subarray(0, move(chunk, to, from, at));
    return false;
  }

  #remember(chunk: Buffer, end: number): void {
    if (end === 0) return;
    this.#beforeLast = end >= 2 ? chunk[end - 2]! : this.#last;
    this.#last = chunk[end - 1]!;
  }

  #lineEndBefore(chunk: Buffer, at: number): 'crlf' | 'lf' | 'cr' | 'none' {
    const last = at >= 1 ? chunk[at - 1]! : this.#last;
    if (last === CR) return 'cr';
    if (last !== LF) return 'none';
    const beforeLast = at >= 2 ? chunk[at - 2]! : at === 1 ? this.#last : this.#beforeLast;
    return beforeLast === CR ? 'crlf' : 'lf';
  }
}

/** The next dot behind a line feed, from `at` on. */
function nextDot(chunk: Buffer, at: number): number {
  const found = chunk.indexOf(LF_DOT, at);
  return found === -1 ? -1 : found + 1;
}

/** Moves the bytes `from` to `end` down to `to`; returns where the next ones go. */
function move(chunk: Buffer, to: number, from: number, end: number): number {
  if (to !== from) chunk.copyWithin(to, from, end);
  return to + (end - from);
}
