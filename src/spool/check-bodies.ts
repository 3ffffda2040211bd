// Second half of recovery: are the bodies there that the metadata names? Every place must lie inside of its file. The bytes
// themselves are read and compared with their checksum as far as a budget goes, newest first; the rest is checked when it is
// delivered. The bodies of the last batch are always checked, since a power cut may have saved the record and lost the body.

import type { SpoolFile, SpoolFiles } from './files.js';
import { HEADER_BYTES, isIntact, recordSize } from './format.js';
import type { BodyHeader, StoredPlace } from './records.js';
import type { LiveTransaction } from './replay.js';
import { readHeader, type SpoolEntry, type Survey, withFile } from './survey.js';

/** Records that lie together are read together. */
const STRETCH_BYTES = 1024 * 1024;

/** A body that is missing or damaged. */
export interface LostBody {
  readonly transaction: LiveTransaction;
  /** The messages that need it. */
  readonly numbers: readonly number[];
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

interface Need {
  readonly transaction: LiveTransaction;
  readonly numbers: readonly number[];
  readonly place: StoredPlace;
}

/** Checks what the living transactions need. @throws SpoolError when a file cannot be read at all */
export async function checkBodies(
  files: SpoolFiles,
  survey: Survey,
  transactions: Iterable<LiveTransaction>,
  budgetBytes: number,
): Promise<CheckedBodies> {
  const bySegment = new Map<number, Need[]>();
  for (const transaction of transactions) {
    for (const need of needsOf(transaction)) {
      const needs = bySegment.get(need.place[0]) ?? [];
      needs.push(need);
      bySegment.set(need.place[0], needs);
    }
  }
  const lost: LostBody[] = [];
  const segments: ReadableSegment[] = [];
  checkLarge(survey, bySegment.get(0) ?? [], lost);
  bySegment.delete(0);
  const entries = new Map(survey.bodies.map((entry) => [entry.number, entry]));
  let budget = budgetBytes;
  for (const number of [...bySegment.keys()].sort((a, b) => b - a)) {
    const needs = bySegment.get(number)!.sort((a, b) => b.place[1] - a.place[1]);
    const entry = entries.get(number);
    if (entry === undefined) {
      for (const need of needs) lost.push(lostBody(need, undefined, `body segment ${number} is missing`));
      continue;
    }
    await withFile(files, entry.path, async (file) => {
      const read = await readHeader<BodyHeader>(file, entry, ['body']);
      if (read === undefined) {
        for (const need of needs)
          lost.push(lostBody(need, entry, `the header of ${entry.name} cannot be read`));
        return;
      }
      segments.push({ entry, salt: read.header.salt });
      budget = await checkSegment(file, entry, read.header.salt, needs, budget, lost);
    });
  }
  return { lost, segments };
}

function* needsOf(transaction: LiveTransaction): Generator<Need> {
  const { record, messages } = transaction;
  yield { transaction, numbers: messages.map((message) => message.n), place: record.body };
  for (const [i, place] of (record.versions ?? []).entries()) {
    const numbers = messages.filter((message) => message.v === i).map((message) => message.n);
    if (numbers.length > 0) yield { transaction, numbers, place };
  }
}

function checkLarge(survey: Survey, needs: readonly Need[], lost: LostBody[]): void {
  const entries = new Map(survey.larges.map((entry) => [entry.number, entry]));
  for (const need of needs) {
    const [, number, sizeBytes] = need.place;
    const entry = entries.get(number);
    if (entry === undefined) lost.push(lostBody(need, undefined, `large message ${number} is missing`));
    else if (entry.sizeBytes !== sizeBytes) {
      lost.push(
        lostBody(need, entry, `${entry.name} should have ${sizeBytes} bytes and has ${entry.sizeBytes}`),
      );
    }
  }
}

/** The result is what is left of the budget. */
async function checkSegment(
  file: SpoolFile,
  entry: SpoolEntry,
  salt: number,
  needs: readonly Need[],
  budgetBytes: number,
  lost: LostBody[],
): Promise<number> {
  let budget = budgetBytes;
  const toRead: Need[] = [];
  for (const need of needs) {
    const [, offset, sizeBytes] = need.place;
    if (offset + HEADER_BYTES + sizeBytes > entry.sizeBytes) {
      lost.push(lostBody(need, entry, `${entry.name} ends before the message does`));
    } else if (need.transaction.isUnproven || budget > 0) {
      budget -= HEADER_BYTES + sizeBytes;
      toRead.push(need);
    }
  }
  // Newest first was for the budget; on disk they lie the other way round.
  toRead.reverse();
  for (let next = 0; next < toRead.length; ) {
    const stretch = [toRead[next++]!];
    const start = stretch[0]!.place[1];
    while (next < toRead.length && endOf(toRead[next]!.place) - start <= STRETCH_BYTES)
      stretch.push(toRead[next++]!);
    const bytes = Buffer.allocUnsafe(Math.max(...stretch.map(({ place }) => endOf(place))) - start);
    const count = await file.read(bytes, start);
    for (const need of stretch) {
      if (!isWhole(bytes.subarray(0, count), need.place[1] - start, need.place[2], salt)) {
        lost.push(lostBody(need, entry, 'its checksum does not match'));
      }
    }
  }
  return budget;
}

function endOf([, offset, sizeBytes]: StoredPlace): number {
  return offset + HEADER_BYTES + sizeBytes;
}

function isWhole(bytes: Buffer, at: number, sizeBytes: number, salt: number): boolean {
  const size = HEADER_BYTES + sizeBytes;
  return at + size <= bytes.length && recordSize(bytes, at) === size && isIntact(bytes, at, size, salt);
}

function lostBody(need: Need, file: SpoolEntry | undefined, why: string): LostBody {
  const isLarge = need.place[0] === 0;
  return {
    transaction: need.transaction,
    numbers: need.numbers,
    file,
    start: isLarge ? 0 : need.place[1],
    end: isLarge ? (file?.sizeBytes ?? 0) : need.place[1] + HEADER_BYTES + need.place[2],
    why,
  };
}
