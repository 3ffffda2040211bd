// Line ends of a submitted message, as they must be in the spool and on the wire (RFC 5321 §2.3.8): a bare LF becomes CR LF,
// a last line without an end gets one. A bare CR becomes a blank, as Postfix's cleanup does: some servers take it for a
// line end and some do not, and mail is smuggled through that difference.

const CR = 13;
const LF = 10;
const BLANK = 32;
const nothing = Buffer.alloc(0);
const carriageReturn = Buffer.from('\r');
const lineEnd = Buffer.from('\r\n');

export class LineEnds {
  /** The last byte was a CR; what follows decides what it is. */
  #holdsCarriageReturn = false;
  #isEmpty = true;
  #endsLine = false;

  /** The next bytes as they must be; the given ones may be changed. */
  feed(given: Buffer): Buffer {
    if (given.length === 0) return nothing;
    this.#isEmpty = false;
    let chunk = this.#holdsCarriageReturn ? Buffer.concat([carriageReturn, given]) : given;
    this.#holdsCarriageReturn = chunk[chunk.length - 1] === CR;
    if (this.#holdsCarriageReturn) chunk = chunk.subarray(0, -1);
    if (chunk.length === 0) return nothing;
    this.#endsLine = chunk[chunk.length - 1] === LF;
    const bare: number[] = [];
    let cr = chunk.indexOf(CR);
    for (let lf = chunk.indexOf(LF); lf !== -1; lf = chunk.indexOf(LF, lf + 1)) {
      while (cr !== -1 && cr < lf - 1) cr = blankOut(chunk, cr);
      if (cr !== -1 && cr === lf - 1) cr = chunk.indexOf(CR, lf + 1);
      else bare.push(lf);
    }
    while (cr !== -1) cr = blankOut(chunk, cr);
    return bare.length === 0 ? chunk : withCarriageReturns(chunk, bare);
  }

  /** What is missing at the end. */
  end(): Buffer {
    return this.#isEmpty || (this.#endsLine && !this.#holdsCarriageReturn) ? nothing : lineEnd;
  }
}

/** Puts a blank over a bare CR; returns where the next CR is. */
function blankOut(chunk: Buffer, at: number): number {
  chunk[at] = BLANK;
  return chunk.indexOf(CR, at + 1);
}

function withCarriageReturns(chunk: Buffer, bare: readonly number[]): Buffer {
  const result = Buffer.allocUnsafe(chunk.length + bare.length);
  let from = 0;
  let to = 0;
  for (const at of bare) {
    to += chunk.copy(result, to, from, at);
    result[to++] = CR;
    from = at;
  }
  chunk.copy(result, to, from);
  return result;
}
