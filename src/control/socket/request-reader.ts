// Requests out of a stream of bytes, however they are cut. What it keeps: no memory is taken for a body before its bytes have come,
// and after the first mistake nothing more is read.

import { type CommandLetter, commands, isCommandLetter } from '../commands.js';
import { LENGTH_BYTES, LONGEST_BODY, protocolVersion } from './frames.js';

/** A request as it came. */
export interface RawRequest {
  readonly letter: CommandLetter;
  /** Undefined: the command has none. */
  readonly body: Buffer | undefined;
}

/** What a stream holds next. */
export type Read = { readonly kind: 'request'; readonly request: RawRequest } | ReadProblem;

/** The stream cannot be understood from here on. */
export interface ReadProblem {
  readonly kind: 'problem';
  readonly problem: string;
}

/** Pieces below this are put together. */
const SMALL_BYTES = 64 * 1024;

type Step = 'version' | 'letter' | 'length' | 'body' | 'broken';

/** Reads one stream. */
export class RequestReader {
  #step: Step = 'version';
  /** What has come and not been understood yet. */
  #chunks: Buffer[] = [];
  #bytes = 0;
  #letter: CommandLetter = 'q';
  #bodyBytes = 0;

  /** Bytes in memory. */
  get heldBytes(): number {
    return this.#bytes;
  }

  /** A request has begun and is not whole. */
  get isInside(): boolean {
    return this.#bytes > 0 || this.#step === 'length' || this.#step === 'body';
  }

  /** Takes bytes. */
  push(chunk: Buffer): void {
    if (this.#step === 'broken') return;
    this.#bytes += chunk.length;
    // Who sends a byte at a time must not cost an object for each.
    let last = chunk;
    for (let before = this.#chunks.at(-1); before !== undefined; before = this.#chunks.at(-1)) {
      if (before.length > last.length || before.length + last.length > SMALL_BYTES) break;
      this.#chunks.pop();
      last = Buffer.concat([before, last]);
    }
    this.#chunks.push(last);
  }

  /** The next request, if it is whole. */
  next(): Read | undefined {
    for (;;) {
      switch (this.#step) {
        case 'broken':
          return undefined;
        case 'version': {
          const bytes = this.#take(2);
          if (bytes === undefined) return undefined;
          if (bytes[0] !== protocolVersion.major) return this.#broken('unsupported version');
          this.#step = 'letter';
          break;
        }
        case 'letter': {
          const bytes = this.#take(1);
          if (bytes === undefined) return undefined;
          const letter = String.fromCharCode(bytes[0]!);
          if (!isCommandLetter(letter))
            return this.#broken(`unknown command 0x${bytes[0]!.toString(16).padStart(2, '0')}`);
          this.#letter = letter;
          if (!commands[letter].hasBody) {
            return { kind: 'request', request: { letter, body: undefined } };
          }
          this.#step = 'length';
          break;
        }
        case 'length': {
          const bytes = this.#take(LENGTH_BYTES);
          if (bytes === undefined) return undefined;
          const length = bytes.readBigUInt64LE();
          if (length > BigInt(LONGEST_BODY))
            return this.#broken(`a body of ${length} bytes; expected at most ${LONGEST_BODY}`);
          this.#bodyBytes = Number(length);
          this.#step = 'body';
          break;
        }
        case 'body': {
          const body = this.#take(this.#bodyBytes);
          if (body === undefined) return undefined;
          this.#step = 'letter';
          return { kind: 'request', request: { letter: this.#letter, body } };
        }
      }
    }
  }

  #broken(problem: string): ReadProblem {
    this.#step = 'broken';
    this.#chunks = [];
    this.#bytes = 0;
    return { kind: 'problem', problem };
  }

  /** So many bytes, if they have come. */
  #take(count: number): Buffer | undefined {
    if (this.#bytes < count) return undefined;
    const first = this.#chunks[0] ?? Buffer.alloc(0);
    if (first.length < count) {
      const all = Buffer.concat(this.#chunks);
      this.#chunks = [all];
      return this.#take(count);
    }
    this.#bytes -= count;
    if (first.length === count) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(count);
    return first.subarray(0, count);
  }
}
