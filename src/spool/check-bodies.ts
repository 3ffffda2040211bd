// Second half of recovery: are the bodies there that the metadata names? Every place must lie inside of its file. The bytes
// themselves are read and compared with their checksum as far as a budget goes, newest first; the rest is checked when it is
// delivered. The bodies of the last batch are always checked, since a power cut may have saved the record and lost the body.

import type { SpoolFile, SpoolFiles } from './files.js';
import { HEADER_BYTES, isIntact, recordSize } from './format.js';
import { largeName } from './incoming.js';
import type { BodyHeader } from './records.js';
import { bodyName } from './segments.js';
import { readHeader, type SpoolEntry, type Survey, withFile } from './survey.js';
import type { PlaceTable } from './tables.js';

/** Records that lie together are read together. */
const STRETCH_BYTES = 1024 * 1024;

/** A body that is missing or damaged. */
export interface LostBody {
  readonly place: number;
  /** The file, if there is one, and the bytes of the record in it. */
  readonly file: SpoolEntry | undefined;
  readonly start: number;
  readonly end: number;
  readonly why: string;
}

/** A body segment that can be read. */
export interface ReadableSegment {
  readonly entry: SpoolEntry;
  readonly salt: number;
}

/** What became of the bodies. */
export interface CheckedBodies {
  readonly lost: readonly LostBody[];
  readonly segments: readonly ReadableSegment[];
}

/** Checks the places that messages need; those of `unproven` in any case. @throws SpoolError when a file cannot be read at all */
export async function checkBodies(
  files: SpoolFiles,
  survey: Survey,
  places: PlaceTable,
  unproven: ReadonlySet<number>,
  budgetBytes: number,
): Promise<CheckedBodies> {
  const check = new Check(places, survey);
  const bySegment = check.whereTheyShouldBe(unproven, budgetBytes);
  const segments: ReadableSegment[] = [];
  for (const entry of survey.bodies) {
    const toRead = bySegment.get(entry.number);
    if (toRead === undefined) continue;
    await withFile(files, entry.path, async (file) => {
      const read = await readHeader<BodyHeader>(file, entry, ['body']);
      if (read === undefined) return check.loseSegment(entry);
      segments.push({ entry, salt: read.header.salt });
      await check.read(file, entry, read.header.salt, toRead);
    });
  }
  return { lost: check.lost, segments };
}

class Check {
  readonly lost: LostBody[] = [];
  readonly #places: PlaceTable;
  readonly #survey: Survey;

  constructor(places: PlaceTable, survey: Survey) {
    this.#places = places;
    this.#survey = survey;
  }

  /** Every segment that is needed, with those of its places that shall be read. */
  whereTheyShouldBe(unproven: ReadonlySet<number>, budgetBytes: number): Map<number, number[]> {
    const places = this.#places;
    const bodies = new Map(this.#survey.bodies.map((entry) => [entry.number, entry]));
    const larges = new Map(this.#survey.larges.map((entry) => [entry.number, entry]));
    const needed = new Map<number, number>();
    for (let place = 0; place < places.top; place++) {
      if (!places.isUsed(place)) continue;
      const segment = places.segment(place);
      if (segment === 0) {
        this.#checkLarge(place, larges.get(places.offset(place)));
        continue;
      }
      const entry = bodies.get(segment);
      const end = places.offset(place) + HEADER_BYTES + places.sizeBytes(place);
      if (entry === undefined) this.#lose(place, undefined, `${bodyName(segment)} is missing`);
      else if (end > entry.sizeBytes) this.#lose(place, entry, `${entry.name} ends before the message does`);
      else needed.set(segment, (needed.get(segment) ?? 0) + HEADER_BYTES + places.sizeBytes(place));
    }
    // Whole segments, newest first, as far as the budget goes; of the one where it ends, what was written last.
    const isRead = new Map<number, number>();
    let budget = budgetBytes;
    for (const segment of [...needed.keys()].sort((a, b) => b - a)) {
      if (budget > 0) isRead.set(segment, needed.get(segment)! - budget);
      budget -= needed.get(segment)!;
    }
    return this.#chosen(needed, isRead, unproven);
  }

  #chosen(
    needed: ReadonlyMap<number, number>,
    isRead: ReadonlyMap<number, number>,
    unproven: ReadonlySet<number>,
  ): Map<number, number[]> {
    const places = this.#places;
    const lost = new Set(this.lost.map(({ place }) => place));
    const chosen = new Map<number, number[]>([...needed.keys()].map((segment) => [segment, []]));
    for (let place = 0; place < places.top; place++) {
      if (!places.isUsed(place) || lost.has(place)) continue;
      const segment = places.segment(place);
      if (isRead.has(segment) || unproven.has(place)) chosen.get(segment)?.push(place);
    }
    for (const [segment, list] of chosen) {
      list.sort((a, b) => places.offset(a) - places.offset(b));
      let tooMuch = isRead.get(segment) ?? 0;
      let first = 0;
      while (first < list.length && tooMuch > 0) tooMuch -= HEADER_BYTES + places.sizeBytes(list[first++]!);
      if (first === 0) continue;
      const early = list.slice(0, first).filter((place) => unproven.has(place));
      chosen.set(segment, [...early, ...list.slice(first)]);
    }
    return chosen;
  }

  async read(file: SpoolFile, entry: SpoolEntry, salt: number, toRead: readonly number[]): Promise<void> {
    const places = this.#places;
    for (let next = 0; next < toRead.length; ) {
      const stretch = [toRead[next++]!];
      const start = places.offset(stretch[0]!);
      while (next < toRead.length && this.#endOf(toRead[next]!) - start <= STRETCH_BYTES)
        stretch.push(toRead[next++]!);
      const bytes = Buffer.allocUnsafe(Math.max(...stretch.map((place) => this.#endOf(place))) - start);
      const count = await file.read(bytes, start);
      for (const place of stretch) {
        const at = places.offset(place) - start;
        if (!isWhole(bytes.subarray(0, count), at, places.sizeBytes(place), salt)) {
          this.#lose(place, entry, 'its checksum does not match');
        }
      }
    }
  }

  loseSegment(entry: SpoolEntry): void {
    const places = this.#places;
    const lost = new Set(this.lost.map(({ place }) => place));
    for (let place = 0; place < places.top; place++) {
      if (places.isUsed(place) && places.segment(place) === entry.number && !lost.has(place)) {
        this.#lose(place, entry, `the header of ${entry.name} cannot be read`);
      }
    }
  }

  #checkLarge(place: number, entry: SpoolEntry | undefined): void {
    const sizeBytes = this.#places.sizeBytes(place);
    if (entry === undefined) {
      this.#lose(place, undefined, `${largeName(this.#places.offset(place))} is missing`);
    } else if (entry.sizeBytes !== sizeBytes) {
      this.#lose(place, entry, `${entry.name} should have ${sizeBytes} bytes and has ${entry.sizeBytes}`);
    }
  }

  #endOf(place: number): number {
    return this.#places.offset(place) + HEADER_BYTES + this.#places.sizeBytes(place);
  }

  #lose(place: number, file: SpoolEntry | undefined, why: string): void {
    const isLarge = this.#places.segment(place) === 0;
    this.lost.push({
      place,
      file,
      start: isLarge ? 0 : this.#places.offset(place),
      end: isLarge ? (file?.sizeBytes ?? 0) : this.#endOf(place),
      why,
    });
  }
}

function isWhole(bytes: Buffer, at: number, sizeBytes: number, salt: number): boolean {
  const size = HEADER_BYTES + sizeBytes;
  return at + size <= bytes.length && recordSize(bytes, at) === size && isIntact(bytes, at, size, salt);
}
