// `spool.minfree`: mail is refused before the disk is quite full. The file system is asked in the background, at most once a
// second while mail comes in, since `receive()` cannot wait and a system call for each message would be dear.

import type { FreeSpace, SpoolFiles } from './files.js';
import type { SpoolLog } from './log.js';
import { SpoolError } from './spool.js';

const FRESH_SECONDS = 1;

/** Watches the room left on the spool's file system. */
export class SpaceWatch {
  readonly #files: SpoolFiles;
  readonly #folder: string;
  readonly #minimum: FreeSpace;
  readonly #now: () => number;
  readonly #log: SpoolLog;
  #free: FreeSpace | undefined;
  #isTold = false;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(files: SpoolFiles, folder: string, minimum: FreeSpace, now: () => number, log: SpoolLog) {
    this.#files = files;
    this.#folder = folder;
    this.#minimum = minimum;
    this.#now = now;
    this.#log = log;
  }

  /** Asks the file system now. */
  async refresh(): Promise<void> {
    if (this.#minimum.bytes === 0 && this.#minimum.inodes === 0) return;
    this.#askedAt = this.#now();
    try {
      this.#free = await this.#files.freeSpace(this.#folder);
      this.#isTold = false;
    } catch (error) {
      // Not knowing is no reason to refuse mail: a full disk will say so itself.
      this.#free = undefined;
      if (this.#isTold) return;
      this.#isTold = true;
      this.#log.warn({ folder: this.#folder, err: error }, 'cannot tell how much room the spool has left');
    }
  }

  /** Whether so many bytes more would leave enough. What is not known is no reason to refuse. */
  hasRoomFor(sizeBytes: number): boolean {
    const free = this.#known();
    return (
      free === undefined ||
      (free.bytes - sizeBytes >= this.#minimum.bytes && free.inodes >= this.#minimum.inodes)
    );
  }

  /** Refuses when there is too little room. @throws SpoolError */
  check(): void {
    const free = this.#known();
    if (free === undefined) return;
    const { bytes, inodes } = free;
    if (bytes < this.#minimum.bytes)
      throw this.#tooLittle(`${bytes} bytes`, `${this.#minimum.bytes}`, 'bytes');
    if (inodes < this.#minimum.inodes) {
      throw this.#tooLittle(`${inodes} inodes`, `${this.#minimum.inodes}`, 'inodes');
    }
  }

  /** The last answer; undefined when nobody asks for room. */
  #known(): FreeSpace | undefined {
    if (this.#minimum.bytes === 0 && this.#minimum.inodes === 0) return undefined;
    if (Math.abs(this.#now() - this.#askedAt) >= FRESH_SECONDS) void this.refresh();
    return this.#free;
  }

  #tooLittle(found: string, expected: string, key: string): SpoolError {
    return new SpoolError(
      `the file system of the spool ${this.#folder} has ${found} left, spool.minfree.${key} asks for ${expected}`,
      true,
    );
  }
}
