// The body log as it is written: which file the bodies of a batch go to, and what becomes of it when that fails. Nothing counts in
// it that the metadata log does not name, so that a failure here costs room and no more.

import path from 'node:path';
import { type SpoolFile, type SpoolFiles, spoolError } from './files.js';
import { HEADER_BYTES, type RecordKind, recordHeader } from './format.js';
import type { SpoolLog } from './log.js';
import { type BodyHeader, toPayload } from './records.js';
import type { Room } from './room.js';
import { beginFile, newSalt } from './segment-file.js';
import { type BodySegment, type BodySegments, bodyName } from './segments.js';

/** A file with less than this in it is not worth leaving for the sake of room. */
const WORTH_LEAVING_BYTES = 64 * 1024;
/** Nor is one of which more than this share lives. */
const LIVELY_SHARE = 0.75;

/** Bytes for the body log. */
export interface BodyRecord {
  readonly kind: typeof RecordKind.Body | typeof RecordKind.Version;
  readonly payload: readonly Buffer[];
  readonly sizeBytes: number;
}

/** Where a body record was put. */
export interface LogPlace {
  readonly segment: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Bodies to write; their places are set when they are written. */
export interface BodyEntry {
  readonly bodies: readonly BodyRecord[];
  places: readonly LogPlace[];
}

/** The bodies of a batch: where they begin in which segment. */
export interface WrittenBodies {
  readonly segment: BodySegment;
  readonly file: SpoolFile;
  readonly start: number;
}

/** The file that is written to. */
interface OpenSegment {
  readonly segment: BodySegment;
  readonly file: SpoolFile;
  readonly limitBytes: number;
}

/** What the body log needs. */
export interface BodyLogOptions {
  readonly files: SpoolFiles;
  readonly folder: string;
  readonly log: SpoolLog;
  readonly segments: BodySegments;
  readonly room: Room;
}

/** Writes bodies. Only a batch of the group commit calls it, so that nothing here happens at the same time. */
export class BodyLog {
  readonly #options: BodyLogOptions;
  #open: OpenSegment | undefined;
  #next = 1;

  constructor(options: BodyLogOptions) {
    this.#options = options;
  }

  /** Says where the numbers of this run begin. */
  begin(next: number): void {
    this.#next = next;
  }

  /** The first number that no segment has had yet. */
  get next(): number {
    return this.#next;
  }

  /** Writes the bodies of a batch in one go, without flushing them; `undefined` when it has none. @throws SpoolError */
  async write(entries: readonly BodyEntry[]): Promise<WrittenBodies | undefined> {
    if (!entries.some((entry) => entry.bodies.length > 0)) return undefined;
    const { segment, file } = await this.#usable();
    const start = segment.sizeBytes;
    const buffers: Buffer[] = [];
    let offset = start;
    for (const entry of entries) {
      if (entry.bodies.length === 0) continue;
      entry.places = entry.bodies.map((body) => {
        buffers.push(recordHeader(body.kind, body.payload, start, segment.salt), ...body.payload);
        const place = { segment: segment.number, offset, sizeBytes: body.sizeBytes };
        offset += HEADER_BYTES + body.sizeBytes;
        return place;
      });
    }
    try {
      await file.write(buffers, start);
    } catch (error) {
      await this.cut({ segment, file, start }, false);
      throw spoolError('write in', segment.path, error);
    }
    segment.sizeBytes = offset;
    return { segment, file, start };
  }

  /** Takes back what a failed batch wrote. After a flush that failed nobody knows what the system still holds: a new file follows. */
  async cut({ segment, file, start }: WrittenBodies, isSuspect: boolean): Promise<void> {
    let isCut = false;
    try {
      await file.truncate(start);
      segment.sizeBytes = start;
      isCut = true;
    } catch (error) {
      this.#options.log.warn(
        { file: segment.path, err: error },
        'cannot cut back the body log after a failed write; it is given up for a new file',
      );
    }
    if (!isCut || isSuspect) this.#leave();
  }

  /** Begins a new file with the next body if much of this one is dead: only a file that has ended gives its room back. */
  leaveWhatIsDead(): void {
    if (this.#open === undefined) return;
    const { sizeBytes, liveBytes } = this.#open.segment;
    if (sizeBytes >= WORTH_LEAVING_BYTES && liveBytes < sizeBytes * LIVELY_SHARE) this.#leave();
  }

  /** Forgets the file: the segments, which have its descriptor, close it. */
  end(): void {
    this.#open = undefined;
  }

  #leave(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) this.#options.segments.close(open.segment);
  }

  async #usable(): Promise<OpenSegment> {
    if (this.#open !== undefined) {
      if (this.#open.segment.sizeBytes < this.#open.limitBytes) return this.#open;
      this.#leave();
    }
    const { files, folder, segments, room } = this.#options;
    const limitBytes = await room.bodySegmentBytes();
    // The number is used up even if this fails: a record of an earlier failure may name it.
    const number = this.#next++;
    const salt = newSalt();
    const header: BodyHeader = { log: 'body', number, salt };
    const { file, sizeBytes } = await beginFile(
      files,
      folder,
      path.join(folder, bodyName(number)),
      toPayload(header),
    );
    this.#open = { segment: segments.add(number, salt, sizeBytes, false, file), file, limitBytes };
    return this.#open;
  }
}
