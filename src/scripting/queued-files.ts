// A queued message as scripts read it: `$message["file"]`, with the message as it was received and as it goes out. Nothing is read,
// or even looked up, before a script asks.

import type { FileContent } from '#stdlib';
import type { MessageId, MessageReader, Spool } from '../spool/spool.js';

/** The files of `$message["file"]`. */
export interface QueuedFiles {
  readonly original: FileContent;
  readonly modified: FileContent;
}

/** The files of a message in the spool. */
export function queuedFiles(spool: Pick<Spool, 'open' | 'openOriginal'>, id: MessageId): QueuedFiles {
  return {
    original: new SpooledFile(() => spool.openOriginal(id)),
    modified: new SpooledFile(() => spool.open(id)),
  };
}

/** A message in the spool as a file. Reading on is cheap; going back in a large one begins anew. */
export class SpooledFile implements FileContent {
  readonly path = undefined;
  readonly #open: () => MessageReader;
  #reader: MessageReader | undefined;
  #chunks: AsyncIterator<Buffer> | undefined;
  /** What the iterator has given last, and where that begins. */
  #chunk: Buffer = Buffer.alloc(0);
  #chunkStart = 0;
  /** One read at a time: they share the iterator. */
  #last: Promise<unknown> = Promise.resolve();

  /** `open` may throw: the message may be gone by then. */
  constructor(open: () => MessageReader) {
    this.#open = open;
  }

  get sizeBytes(): number {
    return this.#found.sizeBytes;
  }

  read(start: number, end: number): Promise<Buffer> {
    const reading = this.#last.then(() => this.#readNow(start, end));
    this.#last = reading.catch(() => {});
    return reading;
  }

  close(): void {
    this.#rewind();
  }

  get #found(): MessageReader {
    this.#reader ??= this.#open();
    return this.#reader;
  }

  async #readNow(start: number, end: number): Promise<Buffer> {
    const whole = await this.#found.whole();
    if (whole !== undefined) return whole.subarray(start, end);
    if (start < this.#chunkStart) this.#rewind();
    const parts: Buffer[] = [];
    for (let at = start; at < end; ) {
      const chunkEnd = this.#chunkStart + this.#chunk.length;
      if (at >= chunkEnd) {
        if (!(await this.#nextChunk())) break;
        continue;
      }
      const part = this.#chunk.subarray(at - this.#chunkStart, end - this.#chunkStart);
      parts.push(part);
      at += part.length;
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  async #nextChunk(): Promise<boolean> {
    this.#chunks ??= this.#found.chunks()[Symbol.asyncIterator]();
    const { value, done } = await this.#chunks.next();
    if (done === true) return false;
    this.#chunkStart += this.#chunk.length;
    this.#chunk = value;
    return true;
  }

  #rewind(): void {
    void this.#chunks?.return?.();
    this.#chunks = undefined;
    this.#chunk = Buffer.alloc(0);
    this.#chunkStart = 0;
  }
}
