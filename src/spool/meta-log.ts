// The files of the metadata log as they are written: which one is added to, when the next one begins, and what counts in one that
// had to be given up. What stands in it is the group commit's affair (write.ts).
//
// - Every file's header says where the one before it ends. So what a failed batch may have left behind that end never counts.
// - Removals may stand in a file without having been flushed. If that file is given up, the next one's header repeats them.
// - A batch that failed is cut off, and the cut is made proof: else a power cut could bring back what was refused.

import path from 'node:path';
import type { SpoolFile, SpoolFiles } from './files.js';
import type { SpoolLog } from './log.js';
import { type MetaHeader, toPayload } from './records.js';
import type { Room } from './room.js';
import { beginFile, HeaderMayStand, newSalt } from './segment-file.js';
import { type LogEnd, metaName } from './survey.js';

/** The file of the metadata log that is added to. */
export interface MetaFile {
  readonly number: number;
  readonly path: string;
  readonly file: SpoolFile;
  readonly salt: number;
  readonly limitBytes: number;
  /** Where the next batch goes: all before it is written, and but for removals durable. */
  end: number;
}

/** Removals that were written and not flushed: where the first begins, and whose they are. */
interface Unflushed {
  readonly from: number;
  readonly removals: readonly string[];
}

/** What the metadata log needs. */
export interface MetaLogOptions {
  readonly files: SpoolFiles;
  readonly folder: string;
  readonly log: SpoolLog;
  readonly room: Room;
  /** The first numbers that no body segment, and no message in a file of its own, has had. */
  readonly nextBody: () => number;
  readonly nextLarge: () => number;
  /** Called for each file to which nothing is added any more. */
  readonly onClosed: (file: {
    readonly number: number;
    readonly path: string;
    readonly sizeBytes: number;
  }) => void;
}

/** Where the metadata log starts in this run. */
export interface MetaBeginning {
  readonly nextMeta: number;
  readonly previous: LogEnd | undefined;
  /** Messages, as `uuid:number`, that recovery gave up. */
  readonly removed: readonly string[];
}

/** Keeps the files. Only a batch of the group commit calls it, so that nothing here happens at the same time. */
export class MetaLog {
  readonly #options: MetaLogOptions;
  #current: MetaFile | undefined;
  #next = 1;
  #previous: LogEnd | undefined;
  #unflushed: Unflushed | undefined;
  /** Removals in a file that was given up before they were flushed: the next file's header repeats them. */
  #carried: readonly string[] = [];
  #isGrowing = false;
  #isEndWanted = false;

  constructor(options: MetaLogOptions) {
    this.#options = options;
  }

  /** Makes the first file of this run. @throws SpoolError */
  async begin({ nextMeta, previous, removed }: MetaBeginning): Promise<void> {
    this.#next = nextMeta;
    this.#previous = previous;
    this.#current = await this.#newFile(removed);
  }

  /** Bytes in the file that is added to. */
  get sizeBytes(): number {
    return this.#current?.end ?? 0;
  }

  /** Whether removals stand in it, or should, that a power cut could take back. */
  get isInDoubt(): boolean {
    return this.#unflushed !== undefined || this.#carried.length > 0;
  }

  /** The file for the next batch. @throws SpoolError when there can be none */
  async usable(): Promise<MetaFile> {
    const current = this.#current;
    if (current === undefined) {
      this.#current = await this.#newFile([]);
      return this.#current;
    }
    if (current.end < current.limitBytes && !this.#isEndWanted) return current;
    this.#isEndWanted = false;
    await this.#replace(current);
    return this.#current ?? current;
  }

  /** The next batch begins a new file, if one can be had: only a file that has ended can give way to a snapshot. */
  endSoon(): void {
    this.#isEndWanted = true;
  }

  /** Where a batch begins: of what is flushed together a power cut may keep the later records and lose the earlier. */
  batchStart(meta: MetaFile): number {
    return this.#unflushed?.from ?? meta.end;
  }

  /** All that was written is durable. */
  flushed(): void {
    this.#unflushed = undefined;
  }

  /** These removals were written, from that place on at the earliest, and not flushed. */
  notFlushed(from: number, removals: readonly string[]): void {
    this.#unflushed = { from, removals: [...(this.#unflushed?.removals ?? []), ...removals] };
  }

  /** Takes back what a failed batch wrote; `isSuspect` = a flush has failed, and nobody knows what the system still holds. */
  async cut(meta: MetaFile, isSuspect: boolean): Promise<void> {
    try {
      await meta.file.truncate(meta.end);
      await meta.file.sync();
      if (!isSuspect) {
        this.#unflushed = undefined;
        return;
      }
    } catch (error) {
      this.#options.log.warn(
        { file: meta.path, err: error },
        'cannot cut back the metadata log after a failed write; it is given up for a new file',
      );
    }
    await this.#giveUp(meta);
    // Only a header that says where the old file ends makes sure that what is refused now stays so. If there can be none now,
    // the next batch needs it before it is written.
    this.#current = await this.#newFile([]).catch(() => undefined);
  }

  /** Closes the file; the result is where it ends, if all of it is durable. */
  async close(): Promise<LogEnd | undefined> {
    const current = this.#current;
    this.#current = undefined;
    await current?.file.close().catch(() => {});
    return current === undefined || this.#unflushed !== undefined
      ? undefined
      : { number: current.number, end: current.end };
  }

  /** Nothing is added to the file any more; the next one's header tells where it ends. What was not flushed does not count. */
  async #giveUp(meta: MetaFile): Promise<void> {
    this.#previous = { number: meta.number, end: this.#unflushed?.from ?? meta.end };
    this.#carried = [...this.#carried, ...(this.#unflushed?.removals ?? [])];
    this.#unflushed = undefined;
    this.#current = undefined;
    await meta.file.close().catch(() => {});
    this.#options.onClosed({ number: meta.number, path: meta.path, sizeBytes: meta.end });
  }

  /** Goes on in a new file. If there is no room for one, the old one goes on as long as that is safe. */
  async #replace(old: MetaFile): Promise<void> {
    if (this.#unflushed !== undefined && !(await this.#isFlushed(old))) {
      await this.#giveUp(old);
      this.#current = await this.#newFile([]);
      return;
    }
    const before = this.#previous;
    this.#previous = { number: old.number, end: old.end };
    try {
      this.#current = await this.#newFile([]);
      this.#isGrowing = false;
    } catch (error) {
      // A header that may have reached the disk says that the old file ends here: what is added to it now could be cut
      // off by the next recovery.
      if (error instanceof HeaderMayStand) {
        await this.#giveUp(old);
        throw error;
      }
      this.#previous = before;
      if (!this.#isGrowing) {
        this.#options.log.warn(
          { err: error, file: old.path },
          'cannot begin a new file of the metadata log, the old one grows',
        );
      }
      this.#isGrowing = true;
      return;
    }
    await old.file.close().catch(() => {});
    this.#options.onClosed({ number: old.number, path: old.path, sizeBytes: old.end });
  }

  /** The next file's header will say that all of this one counts. */
  async #isFlushed(meta: MetaFile): Promise<boolean> {
    try {
      await meta.file.sync();
    } catch (error) {
      this.#options.log.warn(
        { err: error, file: meta.path },
        'the metadata log cannot be flushed; it is given up for a new file',
      );
      return false;
    }
    this.#unflushed = undefined;
    return true;
  }

  async #newFile(removed: readonly string[]): Promise<MetaFile> {
    const { files, folder, room, nextBody, nextLarge } = this.#options;
    const limitBytes = await room.metaSegmentBytes();
    const number = this.#next;
    const name = path.join(folder, metaName(number));
    const salt = newSalt();
    const gone = [...removed, ...this.#carried];
    const header: MetaHeader = {
      log: 'meta',
      number,
      salt,
      ...(this.#previous === undefined ? undefined : { previous: this.#previous }),
      nextBody: nextBody(),
      nextLarge: nextLarge(),
      ...(gone.length === 0 ? undefined : { removed: gone }),
    };
    const { file, sizeBytes } = await beginFile(files, folder, name, toPayload(header));
    this.#next++;
    this.#carried = [];
    return { number, path: name, file, salt, limitBytes, end: sizeBytes };
  }
}
