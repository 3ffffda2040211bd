// A part that is packed with gzip. It is unpacked while it arrives, and no faster than it is taken: what a few bytes can swell
// to is the taker's to limit.

import { createGunzip, type Gunzip } from 'node:zlib';
import type { PartTaker } from './form.js';
import { RequestProblem } from './request-problem.js';

export class PackedPart implements PartTaker {
  readonly #name: string;
  readonly #gunzip: Gunzip = createGunzip();
  readonly #whole: Promise<void>;

  /** `name` is that of the part as it was sent; `stop` hears of what ends the reading. */
  constructor(name: string, taker: PartTaker, stop: (problem: Error) => void) {
    this.#name = name;
    this.#gunzip.on('data', (piece: Buffer) => {
      try {
        const storing = taker.take(piece);
        if (storing === undefined) return;
        this.#gunzip.pause();
        storing.then(() => this.#gunzip.resume(), stop);
      } catch (error) {
        stop(error as Error);
      }
    });
    this.#whole = new Promise((resolve, reject) => {
      this.#gunzip.on('end', () => {
        try {
          resolve(taker.end());
        } catch (error) {
          reject(error);
        }
      });
      this.#gunzip.on('error', (error) => {
        const problem = this.#problemOf(error);
        stop(problem);
        reject(problem);
      });
    });
    // Whoever waits for the end hears of it; before the end nobody does.
    this.#whole.catch(() => {});
  }

  take(piece: Buffer): Promise<void> | undefined {
    if (this.#gunzip.write(piece)) return undefined;
    return new Promise((resolve) => this.#gunzip.once('drain', resolve));
  }

  end(): Promise<void> {
    this.#gunzip.end();
    return this.#whole;
  }

  /** The reading is over. */
  abort(): void {
    this.#gunzip.destroy();
  }

  #problemOf(error: NodeJS.ErrnoException): Error {
    if (error.code?.startsWith('Z_') !== true) return error;
    return new RequestProblem(400, `the part "${this.#name}" is no whole gzip data: ${error.message}`);
  }
}
