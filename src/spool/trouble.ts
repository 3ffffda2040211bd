// A disk that fails refuses every message there is: the operator is told once when it begins and once when it is over, not a
// thousand times in between.

import type { SpoolLog } from './log.js';
import { SpoolError } from './spool.js';

/** The same is not told again sooner. */
const QUIET_SECONDS = 60;

/** Tells of one kind of work that fails. */
export class Trouble {
  readonly #log: SpoolLog;
  readonly #folder: string;
  readonly #whatIsRefused: string;
  #since: number | undefined;
  #isOfSpace = false;
  #refused = 0;
  /** When each kind was told: large mail may be refused again and again while small mail is taken. */
  readonly #toldAt = new Map<string, number>();
  #isTold = false;

  /** `whatIsRefused` completes "... until the disk can be written to again". */
  constructor(log: SpoolLog, folder: string, whatIsRefused: string) {
    this.#log = log;
    this.#folder = folder;
    this.#whatIsRefused = whatIsRefused;
  }

  get isOn(): boolean {
    return this.#since !== undefined;
  }

  /** Whether it is a lack of room, as far as the last failure tells. */
  get isOfSpace(): boolean {
    return this.isOn && this.#isOfSpace;
  }

  /** Takes note of a failure; the result is the error to throw, which says that the log has it. */
  tell(error: SpoolError, now: number): SpoolError {
    this.#since ??= now;
    this.#isOfSpace = error.noSpace;
    this.#refused++;
    const kind = error.noSpace ? 'space' : 'fault';
    if (now - (this.#toldAt.get(kind) ?? Number.NEGATIVE_INFINITY) >= QUIET_SECONDS) {
      this.#toldAt.set(kind, now);
      this.#isTold = true;
      this.#log.error(
        { folder: this.#folder, err: error },
        `${error.message}; ${this.#whatIsRefused} until the disk can be written to again`,
      );
    }
    // Of the same words and its cause: an error behind an error would be told as "full: full".
    const cause = error.cause === undefined ? undefined : { cause: error.cause };
    return new SpoolError(error.message, error.noSpace, { ...cause, isTold: true });
  }

  /** The same work has succeeded. */
  well(now: number): void {
    if (this.#since === undefined) return;
    if (this.#isTold) {
      this.#log.info(
        { folder: this.#folder, refused: this.#refused, seconds: Math.round(now - this.#since) },
        'the spool can be written to again',
      );
    }
    this.#since = undefined;
    this.#refused = 0;
    this.#isTold = false;
  }
}
