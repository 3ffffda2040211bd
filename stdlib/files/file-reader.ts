// A place in a file, for reading on from there: by bytes, by lines. Reads ahead by blocks, so that lines of a large file
// cost a call each and not a wait each.

import type { FileContent } from './file-content.js';

/** What one read from the disk asks for at least. */
const BLOCK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

/** Says how many bytes are about to be held; may throw to refuse them. */
export type Reserve = (bytes: number) => void;

export class FileReader {
  readonly content: FileContent;
  position = 0;
  #block: Buffer = Buffer.alloc(0);
  #blockStart = 0;

  constructor(content: FileContent) {
    this.content = content;
  }

  /** At most `most` bytes from here on; empty at the end. At once when they are in memory. */
  read(most: number, reserve: Reserve): string | Promise<string> {
    const end = Math.min(this.position + most, this.content.sizeBytes);
    if (end <= this.position) return '';
    reserve(end - this.position);
    const held = this.#held(end);
    if (held !== undefined) return this.#advance(held, held.length);
    const bytes = this.content.read(this.position, end);
    return Buffer.isBuffer(bytes)
      ? this.#advance(bytes, bytes.length)
      : bytes.then((read) => this.#advance(read, read.length));
  }

  /** The rest of the line without its end, which is LF or CRLF; undefined at the end of the file. */
  readLine(reserve: Reserve): string | undefined | Promise<string | undefined> {
    const at = this.position - this.#blockStart;
    const lineFeed = at >= 0 && at <= this.#block.length ? this.#block.indexOf(LINE_FEED, at) : -1;
    return lineFeed === -1
      ? this.#readLineSlowly(reserve)
      : this.#line(this.#block.subarray(at, lineFeed), 1);
  }

  async #readLineSlowly(reserve: Reserve): Promise<string | undefined> {
    const parts: Buffer[] = [];
    let from = this.position;
    while (from < this.content.sizeBytes) {
      const to = Math.min(from + BLOCK_BYTES, this.content.sizeBytes);
      reserve(to - from);
      const block = await this.content.read(from, to);
      // Shorter than it was: whoever made the file cut it.
      if (block.length === 0) break;
      const lineFeed = block.indexOf(LINE_FEED);
      if (lineFeed !== -1) {
        this.#block = block;
        this.#blockStart = from;
        parts.push(block.subarray(0, lineFeed));
        return this.#line(Buffer.concat(parts), 1);
      }
      parts.push(block);
      from += block.length;
    }
    return parts.length === 0 ? undefined : this.#line(Buffer.concat(parts), 0);
  }

  #line(bytes: Buffer, endBytes: 0 | 1): string {
    const line = this.#advance(bytes, bytes.length + endBytes);
    return endBytes === 1 && line.endsWith('\r') ? line.slice(0, -1) : line;
  }

  #advance(bytes: Buffer, count: number): string {
    this.position += count;
    return bytes.toString('latin1');
  }

  #held(end: number): Buffer | undefined {
    const from = this.position - this.#blockStart;
    const to = end - this.#blockStart;
    return from >= 0 && to <= this.#block.length ? this.#block.subarray(from, to) : undefined;
  }
}
