// Command lines out of whatever chunks arrive. A line ends with CR LF and holds neither otherwise: what ends with LF alone
// is a line too, but a faulty one, so that nothing behind it is ever taken for a part of it.
//
// The search is Buffer.indexOf, never a loop over bytes, and a line becomes a string once.

/** Why a line is no command. */
export type LineFault = 'bare-line-end' | 'too-long' | 'nul';

const CR = 13;
const LF = 10;

export class LineReader {
  #bytes: Buffer | undefined;
  #at = 0;
  /** Inside a line that is too long: bytes of it thrown away so far, else 0. */
  #skipped = 0;
  readonly #longest: number;

  /** `longest` counts the line end (RFC 5321 §4.5.3.1.4). */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** Bytes that wait to be read. */
  get waitingBytes(): number {
    return this.#bytes === undefined ? 0 : this.#bytes.length - this.#at;
  }

  /** Length so far of a line that is too long and has not ended. */
  get skippedBytes(): number {
    return this.#skipped;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    const waiting = this.#bytes;
    this.#bytes = waiting === undefined ? chunk : Buffer.concat([waiting.subarray(this.#at), chunk]);
    this.#at = 0;
  }

  /** Everything that waits: for whoever reads data instead of lines. */
  takeAll(): Buffer | undefined {
    const bytes = this.#bytes;
    if (bytes === undefined) return undefined;
    this.#bytes = undefined;
    return this.#at === 0 ? bytes : bytes.subarray(this.#at);
  }

  /** The next line without its end, one character per byte; undefined when there is no whole line. */
  next(): { readonly text: string } | LineFault | undefined {
    const bytes = this.#bytes;
    if (bytes === undefined) return undefined;
    const start = this.#at;
    const lineFeed = bytes.indexOf(LF, start);
    if (lineFeed === -1) {
      if (this.#skipped > 0 || bytes.length - start >= this.#longest) {
        this.#skipped += bytes.length - start;
        this.#bytes = undefined;
      }
      return undefined;
    }
    this.#at = lineFeed + 1;
    if (this.#at === bytes.length) this.#bytes = undefined;
    if (this.#skipped > 0 || lineFeed + 1 - start > this.#longest) {
      this.#skipped = 0;
      return 'too-long';
    }
    const carriageReturn = bytes.indexOf(CR, start);
    if (carriageReturn !== lineFeed - 1) return 'bare-line-end';
    const text = bytes.toString('latin1', start, carriageReturn);
    return text.includes('\0') ? 'nul' : { text };
  }
}
