// Room kept back for a full disk: a file that is deleted when what is done cannot be written down otherwise. Removals, changes and
// the files they need go on in its place, so that the queue drains; new mail is refused until there is room for the file again.

import { randomFillSync } from 'node:crypto';
import path from 'node:path';
import type { SpoolFiles } from './files.js';
import type { SpoolLog } from './log.js';
import { isSpoolFile } from './survey.js';

const NAME = 'reserve';
/** Of what the spool has on its disk, and could have, not more than this share. */
const LARGEST_SHARE = 1 / 16;
/** Less would not help. */
const SMALLEST_BYTES = 64 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/** Gives away what the last run has kept back, before anybody has the folder; false when there was nothing. @throws a system error */
export async function releaseFound(files: SpoolFiles, folder: string): Promise<boolean> {
  const isThere = (await files.list(folder)).some(({ name }) => name === NAME);
  if (isThere) await files.remove(path.join(folder, NAME));
  return isThere;
}

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
    // Kept back when the disk was nearly full: now it can be more. `restore` sees to it.
    const free = await this.#files.freeSpace(this.#folder).catch(() => undefined);
    if (free === undefined || free.bytes < 4 * this.#largestBytes) return;
    if (2 * this.#sizeBytes > this.#largestBytes) return;
    this.#sizeBytes = 0;
    this.#isHeld = false;
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

  /**
   * Takes the room back if there is twice as much; true when nothing is missing. If others have filled the disk meanwhile, it is less
   * than before. Never rejects.
   */
  async restore(): Promise<boolean> {
    if (!this.isSpent) return true;
    try {
      const { bytes: free } = await this.#files.freeSpace(this.#folder);
      if (this.#sizeBytes === 0 || free < 2 * this.#sizeBytes) this.#sizeBytes = await this.#share(free);
      if (this.#sizeBytes === 0 || free < 2 * this.#sizeBytes) return false;
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

  /** How much should be kept back. */
  async #share(free: number): Promise<number> {
    let sizeBytes = free;
    for (const file of await this.#files.list(this.#folder))
      if (isSpoolFile(file.name)) sizeBytes += file.sizeBytes;
    sizeBytes = Math.min(this.#largestBytes, Math.floor(sizeBytes * LARGEST_SHARE));
    return sizeBytes < SMALLEST_BYTES ? 0 : sizeBytes;
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
