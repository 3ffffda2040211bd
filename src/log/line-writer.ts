// Lines to a file descriptor, many with one write, and never more than one write at a time. A busy server logs several
// lines a millisecond; a write for each, or the general stream that did this before, costs more than making the line
// (3.6 µs and 0.7 µs of CPU a line; test/perf/accept.ts shows it as 2 % of a message).
//
// A reader that is slow costs memory, not mail: the thread that writes waits, the event loop does not.

import { write, writeSync } from 'node:fs';

/** What waits is written when it is this long, */
const ENOUGH_CHARACTERS = 4096;
/** and not later than this. */
const LATEST_MS = 20;
/** A pipe that is full says so at once when somebody made it non-blocking. */
const AGAIN_MS = 20;
/** So long the end waits for a reader. */
const LAST_WORDS_MS = 1000;

/** Writes lines in batches. */
export class LineWriter {
  readonly #descriptor: number;
  #waiting = '';
  /** What the system has not taken yet of the write under way. */
  #underWay: Buffer | undefined;
  #planned: NodeJS.Timeout | undefined;
  /** The write under way waits for room in a pipe. */
  #retry: NodeJS.Timeout | undefined;
  /** Nobody can read any more. */
  #isBroken = false;
  #onEmpty: (() => void)[] = [];

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Takes a line with its line end. */
  write(line: string): void {
    if (this.#isBroken) return;
    this.#waiting += line;
    if (this.#underWay !== undefined) return;
    if (this.#waiting.length >= ENOUGH_CHARACTERS) this.#begin();
    else this.#planned ??= setTimeout(() => this.#begin(), LATEST_MS);
  }

  /** Resolves when everything is written, or nobody reads. */
  flush(): Promise<void> {
    this.#begin();
    if (this.#underWay === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const late = setTimeout(resolve, LAST_WORDS_MS);
      this.#onEmpty.push(() => {
        clearTimeout(late);
        resolve();
      });
    });
  }

  /** Writes what waits before it returns, where the system takes it: for a process that ends at once. */
  flushSync(): void {
    clearTimeout(this.#planned);
    const waiting = Buffer.from(this.#waiting);
    this.#waiting = '';
    // A write that is with a thread comes to its end by itself.
    let left = this.#retry === undefined ? waiting : Buffer.concat([this.#underWay!, waiting]);
    clearTimeout(this.#retry);
    try {
      while (left.length > 0) left = left.subarray(writeSync(this.#descriptor, left));
    } catch {
      // Nobody reads, or not now: the end of the process does not wait for that.
    }
  }

  #begin(): void {
    if (this.#underWay !== undefined || this.#waiting === '') return;
    clearTimeout(this.#planned);
    this.#planned = undefined;
    const bytes = Buffer.from(this.#waiting);
    this.#waiting = '';
    this.#put(bytes);
  }

  #put(bytes: Buffer): void {
    this.#retry = undefined;
    this.#underWay = bytes;
    write(this.#descriptor, bytes, 0, bytes.length, null, (error, count) => {
      if (error === null && count < bytes.length) this.#put(bytes.subarray(count));
      else if (error?.code === 'EAGAIN') {
        this.#retry = setTimeout(() => this.#put(bytes), AGAIN_MS);
      } else {
        this.#underWay = undefined;
        this.#isBroken = error !== null;
        if (this.#isBroken) this.#waiting = '';
        // What came meanwhile has waited long enough.
        this.#begin();
        if (this.#underWay === undefined) for (const tell of this.#onEmpty.splice(0)) tell();
      }
    });
  }
}
