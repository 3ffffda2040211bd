// The bytes of a message out of what arrives in the chunks of BDAT (RFC 3030): exactly as many as the command said, dots and
// all. What is only meant to look like the end of a message is noticed, as in data-reader.ts, although nothing can be smuggled
// past this server with it: a server behind us may get the same bytes after DATA.

import type { MessageReader } from './message-reader.js';

const CR = 13;
const LF = 10;
const LF_DOT = Buffer.from('\n.');
const CR_DOT = Buffer.from('\r.');
const LINE_END = Buffer.from('\r\n');
const nothing = Buffer.alloc(0);
/** A dot is judged by two bytes before it and two behind it: so many of the last bytes are kept. */
const context = 4;

/** Takes a message chunk by chunk. */
export class ChunkReader implements MessageReader {
  piece: Buffer = nothing;
  rest: Buffer = nothing;
  hasLookAlike = false;
  /** Bytes of this chunk still to come. */
  #left = 0;
  /** The last bytes of the message so far; its beginning is the beginning of a line. */
  #tail: Buffer = Buffer.from('\0\0\r\n');

  /** A chunk of so many bytes follows. */
  expect(bytes: number): void {
    this.#left = bytes;
  }

  /** @returns true when the chunk is complete; `rest` is what comes behind it */
  feed(given: Buffer): boolean {
    const isOver = given.length >= this.#left;
    this.piece = isOver ? given.subarray(0, this.#left) : given;
    this.rest = isOver ? given.subarray(this.#left) : nothing;
    this.#left -= this.piece.length;
    this.#look(this.piece);
    return isOver;
  }

  /** The message is complete. One that does not end with a line end gets one wherever it is sent with DATA. */
  end(): void {
    this.#look(LINE_END);
  }

  #look(piece: Buffer): void {
    if (piece.length === 0 || this.hasLookAlike) return;
    const seam = Buffer.concat([this.#tail, piece.subarray(0, context)]);
    this.hasLookAlike = holdsLookAlike(seam) || holdsLookAlike(piece);
    this.#tail = Buffer.from((piece.length >= context ? piece : seam).subarray(-context));
  }
}

/** Whether a lone dot that has two bytes on either side stands between line ends that are not both CR LF. */
function holdsLookAlike(bytes: Buffer): boolean {
  for (const mark of [LF_DOT, CR_DOT]) {
    for (let at = bytes.indexOf(mark, 1); at !== -1; at = bytes.indexOf(mark, at + 1)) {
      const next = bytes[at + 2];
      const afterNext = bytes[at + 3];
      if (afterNext === undefined) break;
      if (next !== CR && next !== LF) continue;
      const isBetweenLineEnds = bytes[at] === LF && bytes[at - 1] === CR && next === CR && afterNext === LF;
      if (!isBetweenLineEnds) return true;
    }
  }
  return false;
}
