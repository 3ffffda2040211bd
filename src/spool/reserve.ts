// Room kept back for a full disk: a file that is deleted when what is done cannot be written down otherwise. Removals, changes and
// the files they need go on in its place, so that the queue drains; new mail is refused until there is room for the file again.

import { randomFillSync } from 'node:crypto';
import path from 'node:path';
import type { SpoolFiles } from './files.js';
import type { SpoolLog } from './log.js';

const NAME = 'reserve';
/** Of a small disk not more than this share. */
const LARGEST_SHARE = 1 / 16;
/** Less would not help. */
const SMALLEST_BYTES = 64 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/** The room that is kept back in a spool folder. */
export class Reserve {
  readonly #files: SpoolFiles;
  readonly #path: string;
  readonly #folder: string;
  readonly #log: SpoolLog;
  readonly #largestBytes: number;
  #sizeBytes = 0;
  #isHeld = false;
  #isWanted = false;
  /** The log says that new mail is refused. */
  #isTold = false;

  /** With `largestBytes` 0 nothing is kept back. */
  constructor(files: SpoolFiles, folder: string, log: SpoolLog, largestBytes: number) {
    this.#files = files;
    this.#folder = folder;
    this.#path = path.join(folder, NAME);
    this.#log = log;
    this.#largestBytes = largestBytes;
  }

  /** The room should be there and is not: what the disk has left belongs to what is done. */
  get isSpent(): boolean {
    return this.#isWanted && !this.#isHeld;
  }

  /** Bytes that are kept back, or would be. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Finds what the last run has left. */
  async find(): Promise<void> {
    if (this.#largestBytes === 0) return;
    this.#isWanted = true;
    const found = (await this.#files.list(this.#folder)).find(({ name }) => name === NAME);
    if (found === undefined || found.sizeBytes < SMALLEST_BYTES) return;
    this.#sizeBytes = found.sizeBytes;
    this.#isHeld = true;
  }

  /** Gives the room away; false when there was none. */
  async release(): Promise<boolean> {
    if (!this.#isHeld) return false;
    this.#isHeld = false;
    try {
      await this.#files.remove(this.#path);
    } catch (error) {
      this.#log.warn({ err: error, file: this.#path }, 'cannot give away the room that the spool keeps back');
      return false;
    }
    this.#log.warn(
      { folder: this.#folder, bytes: this.#sizeBytes },
      'the disk of the spool is full: room that was kept back serves to write down what is done; new mail is refused until there is room again',
    );
    this.#isTold = true;
    return true;
  }

  /** Says that there is no room to keep back, at a start, when nobody has spent it. */
  tellMissing(): void {
    this.#isTold = true;
    this.#log.warn(
      { folder: this.#folder },
      'the disk of the spool is full, or nearly: no room can be kept back to write down what is done; new mail is refused until there is room',
    );
  }

  /** Takes the room back if there is twice as much; true when nothing is missing. Never rejects. */
  async restore(): Promise<boolean> {
    if (!this.isSpent) return true;
    try {
      const free = await this.#files.freeSpace(this.#folder);
      if (this.#sizeBytes === 0) {
        this.#sizeBytes = Math.min(this.#largestBytes, Math.floor(free.bytes * LARGEST_SHARE));
        if (this.#sizeBytes < SMALLEST_BYTES) this.#sizeBytes = 0;
      }
      if (this.#sizeBytes === 0 || free.bytes < 2 * this.#sizeBytes) return false;
      await this.#fill();
    } catch {
      await this.#files.remove(this.#path).catch(() => {});
      return false;
    }
    this.#isHeld = true;
    if (this.#isTold) {
      this.#isTold = false;
      this.#log.info(
        { folder: this.#folder, bytes: this.#sizeBytes },
        'the disk of the spool has room for new mail again',
      );
    }
    return true;
  }

  async #fill(): Promise<void> {
    const file = await this.#files.open(this.#path, 'create');
    try {
      // A file system that packs would keep no room for zeros.
      const chunk = randomFillSync(Buffer.allocUnsafe(Math.min(CHUNK_BYTES, this.#sizeBytes)));
      for (let at = 0; at < this.#sizeBytes; at += chunk.length) {
        await file.write([chunk.subarray(0, Math.min(chunk.length, this.#sizeBytes - at))], at);
      }
    } finally {
      await file.close();
    }
  }
}
