// A text made of very many pieces. JavaScript keeps each piece of a text that grows by `+=` until it is read, at several
// times its size: a hundred million pieces would end the process long before the text is too long for us.

/** How much piles up before it is put into one run of bytes. */
const RUN_BYTES = 64 * 1024;

/** Bytes, one per character. */
export class GrowingText {
  #runs: Buffer[] = [];
  #runBytes = 0;
  #last = '';

  get length(): number {
    return this.#runBytes + this.#last.length;
  }

  add(piece: string): void {
    this.#last += piece;
    if (this.#last.length < RUN_BYTES) return;
    this.#runs.push(Buffer.from(this.#last, 'latin1'));
    this.#runBytes += this.#last.length;
    this.#last = '';
  }

  toString(): string {
    if (this.#runs.length === 0) return this.#last;
    return Buffer.concat([...this.#runs, Buffer.from(this.#last, 'latin1')]).toString('latin1');
  }
}
