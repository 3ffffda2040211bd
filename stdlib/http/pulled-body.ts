// The body of a request that a script makes piece by piece: it is asked for a piece when the connection can take one.

import { Readable } from 'node:stream';

const PIECE_BYTES = 64 * 1024;

export class PulledBody extends Readable {
  #wanted = 0;
  #tell: ((bytes: number) => void) | undefined;

  constructor() {
    super({ highWaterMark: PIECE_BYTES });
    // Whoever destroys it says why elsewhere.
    this.on('error', () => {});
  }

  override _read(bytes: number): void {
    this.#wanted = bytes;
    this.#tell?.(bytes);
    this.#tell = undefined;
  }

  /** Resolves with a number of bytes when a piece is wanted. */
  wanted(): Promise<number> {
    if (this.#wanted > 0) return Promise.resolve(this.#wanted);
    return new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  /** The next piece; an empty one ends the body. */
  give(piece: string): void {
    this.#wanted = 0;
    this.push(piece === '' ? null : Buffer.from(piece, 'latin1'));
  }
}
