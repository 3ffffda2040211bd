// The files of the body log: which there are, how much of each is still needed, and when one may go. A segment is deleted
// when nothing living lies in it and nothing will be added; a reader that is at it keeps its descriptor until it is through.

import path from 'node:path';
import { type SpoolFile, type SpoolFiles, spoolError } from './files.js';
import { HEADER_BYTES } from './format.js';
import type { SpoolLog } from './log.js';

/** The name of a body segment. */
export function bodyName(number: number): string {
  return `body-${String(number).padStart(8, '0')}.log`;
}

/** One file of the body log. */
export interface BodySegment {
  readonly number: number;
  readonly path: string;
  readonly salt: number;
  sizeBytes: number;
  liveBytes: number;
  liveCount: number;
  /** Nothing is added any more. */
  isClosed: boolean;
  /** Holds damaged bytes that a person may want: it is neither compacted nor deleted. */
  isPinned: boolean;
  file: SpoolFile | undefined;
  readers: number;
  isDeleted: boolean;
}

/** All body segments. */
export class BodySegments {
  readonly #files: SpoolFiles;
  readonly #folder: string;
  readonly #log: SpoolLog;
  readonly #segments = new Map<number, BodySegment>();
  /** Openings under way, so that two readers of one segment do not open it twice. */
  readonly #opening = new Map<number, Promise<SpoolFile>>();
  readonly #deleting = new Set<Promise<void>>();
  /** Deleted in all but name: tried again with the next one. */
  readonly #undeleted = new Set<BodySegment>();
  /** Called when a closed segment has become emptier. */
  onEmptier: (segment: BodySegment) => void = () => {};
  /** Makes durable what says that nothing lives in a segment any more. */
  beforeDelete: () => Promise<void> = async () => {};

  constructor(files: SpoolFiles, folder: string, log: SpoolLog) {
    this.#files = files;
    this.#folder = folder;
    this.#log = log;
  }

  /** Takes a segment in that exists, or was just made and is open. */
  add(
    number: number,
    salt: number,
    sizeBytes: number,
    isClosed: boolean,
    file: SpoolFile | undefined,
  ): BodySegment {
    const segment: BodySegment = {
      number,
      path: path.join(this.#folder, bodyName(number)),
      salt,
      sizeBytes,
      liveBytes: 0,
      liveCount: 0,
      isClosed,
      isPinned: false,
      file,
      readers: 0,
      isDeleted: false,
    };
    this.#segments.set(number, segment);
    return segment;
  }

  get(number: number): BodySegment {
    const segment = this.#segments.get(number);
    if (segment === undefined) throw new Error(`body segment ${number} is not known`);
    return segment;
  }

  all(): IterableIterator<BodySegment> {
    return this.#segments.values();
  }

  /** A body of so many bytes lives in the segment. */
  live(number: number, sizeBytes: number): void {
    const segment = this.get(number);
    segment.liveBytes += HEADER_BYTES + sizeBytes;
    segment.liveCount++;
  }

  /** It lives no longer. */
  dead(number: number, sizeBytes: number): void {
    const segment = this.get(number);
    segment.liveBytes -= HEADER_BYTES + sizeBytes;
    segment.liveCount--;
    this.#consider(segment);
  }

  /** Nothing will be added to it. */
  close(segment: BodySegment): void {
    segment.isClosed = true;
    this.#consider(segment);
  }

  /** Reads a stretch of a segment. */
  async read(segment: BodySegment, target: Buffer, offset: number): Promise<number> {
    segment.readers++;
    try {
      segment.file ??= await this.#opened(segment);
      return await segment.file.read(target, offset);
    } catch (error) {
      throw spoolError('read', segment.path, error);
    } finally {
      segment.readers--;
      if (segment.isDeleted && segment.readers === 0) await this.#closeFile(segment);
    }
  }

  /** Gives all descriptors back, when files that are being deleted are gone. */
  async closeFiles(): Promise<void> {
    await Promise.all(this.#deleting);
    for (const segment of this.#segments.values()) await this.#closeFile(segment);
  }

  #opened(segment: BodySegment): Promise<SpoolFile> {
    let opening = this.#opening.get(segment.number);
    if (opening === undefined) {
      opening = this.#files.open(segment.path, 'read').finally(() => this.#opening.delete(segment.number));
      this.#opening.set(segment.number, opening);
    }
    return opening;
  }

  #consider(segment: BodySegment): void {
    if (!segment.isClosed || segment.isPinned) return;
    if (segment.liveCount > 0) {
      this.onEmptier(segment);
      return;
    }
    if (segment.isDeleted) return;
    segment.isDeleted = true;
    this.#segments.delete(segment.number);
    const deleting = this.#delete(segment).finally(() => this.#deleting.delete(deleting));
    this.#deleting.add(deleting);
  }

  async #delete(segment: BodySegment): Promise<void> {
    const isFirst = this.#undeleted.size === 0;
    this.#undeleted.add(segment);
    try {
      // What died in it must stay dead: a message that came back without its body would look lost.
      await this.beforeDelete();
      for (const each of [...this.#undeleted]) {
        this.#undeleted.delete(each);
        await this.#files.remove(each.path).catch((error: unknown) => {
          this.#undeleted.add(each);
          throw error;
        });
      }
    } catch (error) {
      // The next start finds that nothing needs it and tries again.
      if (isFirst) {
        this.#log.warn(
          { file: segment.path, err: error },
          'cannot delete a body segment that is no longer needed yet',
        );
      }
    }
    if (segment.readers === 0) await this.#closeFile(segment);
  }

  async #closeFile(segment: BodySegment): Promise<void> {
    const file = segment.file;
    segment.file = undefined;
    await file?.close().catch(() => {});
  }
}
