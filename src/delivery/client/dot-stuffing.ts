// Puts a stored message into the form it has between DATA's 354 and the final dot (RFC 5321 §4.5.2), in bulk.
//
// Invariant: whatever is stored, the peer sees exactly one end of data, however it reads line ends. On the wire CR and LF
// stand only as CRLF (RFC 5321 §2.3.8): a bare LF in the stored message becomes CRLF, a bare CR becomes a space. If they
// were sent as they are, a peer that takes LF.LF or CR.CR for the end of data would read the rest of the message as
// commands (smuggling), and strict peers would refuse the message. The cost is that a signature over such a message
// breaks, which it does at the next hop anyway. A CR alone does not become a line end, because CR CR LF, which broken
// software does write, would then end a header section too early.

const DOT = 46;
const LF = 10;
const CR = 13;

const dot = Buffer.from('.');
const space = Buffer.from(' ');
const nothing = Buffer.alloc(0);
const lineEnd = Buffer.from('\r\n');
const endOfData = Buffer.from('.\r\n');
const lineEndAndEndOfData = Buffer.from('\r\n.\r\n');

/** Stuffs one message given in chunks cut anywhere. A chunk that needs no change is passed through without a copy. */
export class DotStuffer {
  readonly #dot: Buffer | undefined;
  #atLineStart = true;
  // A CR that ended a chunk is held back until the next byte tells whether it is half of a CRLF.
  #holdsCr = false;

  /** `stuffs` false: only the line ends are put right, as BDAT wants it (RFC 3030 §2). */
  constructor(stuffs = true) {
    this.#dot = stuffs ? dot : undefined;
  }

  /** The bytes to send for the next chunk of the message. */
  push(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk;
    const out: Buffer[] = [];
    let sent = 0; // everything before this index is in `out`
    if (this.#holdsCr) {
      this.#holdsCr = false;
      if (chunk[0] === LF) {
        out.push(lineEnd);
        sent = 1;
        this.#atLineStart = true;
      } else {
        out.push(space);
        this.#atLineStart = false;
      }
    }
    let lineStart = sent;
    const mark = this.#dot;
    if (mark !== undefined && this.#atLineStart && chunk[lineStart] === DOT) out.push(mark);

    let cr = chunk.indexOf(CR, lineStart); // the first CR not yet dealt with, -1 if none is left
    for (;;) {
      const lf = chunk.indexOf(LF, lineStart);
      // The last byte of the chunk is left out: it may be half of a CRLF.
      const searchEnd = lf === -1 ? chunk.length - 1 : lf;
      while (cr !== -1 && cr < searchEnd && cr !== lf - 1) {
        out.push(chunk.subarray(sent, cr), space);
        sent = cr + 1;
        cr = chunk.indexOf(CR, sent);
      }
      if (lf === -1) break;
      if (cr !== -1 && cr === lf - 1) {
        cr = chunk.indexOf(CR, lf + 1);
      } else {
        out.push(chunk.subarray(sent, lf), lineEnd);
        sent = lf + 1;
      }
      lineStart = lf + 1;
      if (mark !== undefined && chunk[lineStart] === DOT) {
        out.push(chunk.subarray(sent, lineStart), mark);
        sent = lineStart;
      }
    }

    this.#holdsCr = sent < chunk.length && chunk[chunk.length - 1] === CR;
    if (lineStart < chunk.length) this.#atLineStart = false;
    else if (lineStart > 0) this.#atLineStart = true;
    if (out.length === 0 && !this.#holdsCr) return chunk;
    out.push(chunk.subarray(sent, this.#holdsCr ? chunk.length - 1 : chunk.length));
    return out.length === 1 ? (out[0] as Buffer) : Buffer.concat(out);
  }

  /** The line end that the last line lacks; without dots there is nothing else at the end. */
  lastLineEnd(): Buffer {
    return this.#atLineStart && !this.#holdsCr ? nothing : lineEnd;
  }

  /** What ends the message: the final dot, after a line end if the last line has none. */
  end(): Buffer {
    return this.#atLineStart && !this.#holdsCr ? endOfData : lineEndAndEndOfData;
  }
}
