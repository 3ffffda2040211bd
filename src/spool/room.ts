// How much of the disk the spool may bind. A file of the logs gives its room back when all that lies in it is done, so that on a
// small disk, or on one that is nearly full, files must be small: one that grew to its usual size would take all there is, and
// hold it long after its mail has left.

import type { SpoolFiles } from './files.js';
import type { Reserve } from './reserve.js';

/** Of the room that is left when a file begins, it takes at most this share. */
const BODY_SHARE = 1 / 16;
const META_SHARE = 1 / 64;
/** The same for closed files of the metadata log, until a snapshot takes their place. */
const SNAPSHOT_SHARE = 1 / 32;
/** Smaller files would cost more than they give. */
const SMALLEST_BODY_BYTES = 256 * 1024;
const SMALLEST_META_BYTES = 64 * 1024;
const SMALLEST_SNAPSHOT_BYTES = 128 * 1024;

/** What is asked of the disk, and the sizes where there is plenty. */
export interface RoomOptions {
  readonly files: SpoolFiles;
  readonly folder: string;
  readonly reserve: Reserve;
  readonly bodySegmentBytes: number;
  readonly metaSegmentBytes: number;
  readonly snapshotBytes: number;
}

/** Knows what room there is, and how large files may get in it. */
export class Room {
  readonly #options: RoomOptions;
  #freeBytes: number | undefined;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /** Asks the file system. `undefined` when it does not say: that is no reason to do without. Never rejects. */
  async free(): Promise<number | undefined> {
    const { files, folder } = this.#options;
    const free = await files.freeSpace(folder).catch(() => undefined);
    this.#freeBytes = free?.bytes;
    return free?.bytes;
  }

  /** How large the next file of the body log may get. Never rejects. */
  async bodySegmentBytes(): Promise<number> {
    await this.free();
    return this.#share(this.#options.bodySegmentBytes, BODY_SHARE, SMALLEST_BODY_BYTES);
  }

  /** How large the next file of the metadata log may get. Never rejects. */
  async metaSegmentBytes(): Promise<number> {
    await this.free();
    return this.#share(this.#options.metaSegmentBytes, META_SHARE, SMALLEST_META_BYTES);
  }

  /** How much of the metadata log may be closed before a snapshot is due, by what was free the last time. */
  get snapshotBytes(): number {
    return this.#share(this.#options.snapshotBytes, SNAPSHOT_SHARE, SMALLEST_SNAPSHOT_BYTES);
  }

  /**
   * Whether compaction may write so many bytes: as a rule only beside room of the size that is kept back for what is done, or what
   * is left of it. When it is `urgent`, half of that will do, since more comes back than is taken, and what is kept back is given
   * away for it. Never rejects.
   */
  async isThereFor(sizeBytes: number, urgent: boolean): Promise<boolean> {
    const { reserve } = this.#options;
    const free = await this.free();
    if (free === undefined) return true;
    if (!urgent) return free >= sizeBytes + (reserve.isSpent ? 0 : reserve.sizeBytes);
    const needed = sizeBytes + reserve.sizeBytes / 2;
    if (free >= needed) return true;
    return !reserve.isSpent && free + reserve.sizeBytes >= needed && (await reserve.release());
  }

  #share(usual: number, share: number, smallest: number): number {
    const free = this.#freeBytes;
    return free === undefined ? usual : Math.min(usual, Math.max(smallest, Math.floor(free * share)));
  }
}
