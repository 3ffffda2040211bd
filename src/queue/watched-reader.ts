// A message on its way out of the spool. Delivery reports a message that cannot be read as a passing trouble, which most are; when its
// bytes are damaged no later try can mend it, and the queue wants to know.

import { DamagedMessageError, type MessageReader } from '../spool/spool.js';

/** Reads like the reader it is made of, and remembers damage. */
export class WatchedReader implements MessageReader {
  readonly #reader: MessageReader;
  /** What was found to be damaged. */
  damage: DamagedMessageError | undefined;

  constructor(reader: MessageReader) {
    this.#reader = reader;
  }

  get sizeBytes(): number {
    return this.#reader.sizeBytes;
  }

  whole(): Promise<Buffer> | undefined {
    return this.#reader.whole()?.catch((error: unknown) => this.#note(error));
  }

  async *chunks(): AsyncGenerator<Buffer> {
    try {
      yield* this.#reader.chunks();
    } catch (error) {
      this.#note(error);
    }
  }

  #note(error: unknown): never {
    if (error instanceof DamagedMessageError) this.damage = error;
    throw error;
  }
}
