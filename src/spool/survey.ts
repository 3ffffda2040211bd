// What lies in a spool folder at start: files sorted by what they are, and their headers.

import path from 'node:path';
import { type SpoolFile, type SpoolFiles, spoolError } from './files.js';
import {
  foreignVersion,
  HEADER_BYTES,
  isIntact,
  RecordKind,
  recordHeader,
  recordSize,
  VERSION,
} from './format.js';
import { type BodyHeader, fromPayload, type MetaHeader } from './records.js';
import { SpoolError } from './spool.js';

/** A file of the spool. */
export interface SpoolEntry {
  readonly path: string;
  readonly name: string;
  readonly number: number;
  readonly sizeBytes: number;
}

/** The folder's files by kind, each in the order of its numbers. */
export interface Survey {
  readonly folder: string;
  readonly bodies: readonly SpoolEntry[];
  readonly metas: readonly SpoolEntry[];
  readonly snapshots: readonly SpoolEntry[];
  readonly larges: readonly SpoolEntry[];
  /** Half-made files that never counted. */
  readonly leftovers: readonly SpoolEntry[];
  /** Where the log ended when the spool was last closed in order. */
  readonly closed: LogEnd | undefined;
}

/** A file of the metadata log and where what counts in it ends. */
export interface LogEnd {
  readonly number: number;
  readonly end: number;
}

const NAME = /^(body|meta|snapshot|large|incoming)-(\d{8,})\.(log|body|tmp)$/;

/** Whether a file is one of the spool's, by its name, and goes when what is in it is done. */
export function isSpoolFile(name: string): boolean {
  return NAME.test(name);
}

/** The name of a file of the metadata log. */
export function metaName(number: number): string {
  return `meta-${String(number).padStart(8, '0')}.log`;
}

/** The name of a snapshot, complete or in the making. */
export function snapshotName(number: number, extension: 'log' | 'tmp'): string {
  return `snapshot-${String(number).padStart(8, '0')}.${extension}`;
}

/** Lists a spool folder. Files with other names are not ours and are left alone. */
export async function surveyFolder(files: SpoolFiles, folder: string): Promise<Survey> {
  const byKind = new Map<string, SpoolEntry[]>();
  let closed: LogEnd | undefined;
  for (const { name, sizeBytes } of await files.list(folder)) {
    if (name === CLOSED_NAME) closed = await readClosed(files, folder, sizeBytes);
    const match = NAME.exec(name);
    if (match === null) continue;
    const kind = match[3] === 'tmp' ? 'leftover' : match[1]!;
    const entries = byKind.get(kind) ?? [];
    entries.push({ path: path.join(folder, name), name, number: Number(match[2]), sizeBytes });
    byKind.set(kind, entries);
  }
  const sorted = (kind: string) => (byKind.get(kind) ?? []).sort((a, b) => a.number - b.number);
  return {
    folder,
    bodies: sorted('body'),
    metas: sorted('meta'),
    snapshots: sorted('snapshot'),
    larges: sorted('large'),
    leftovers: sorted('leftover'),
    closed,
  };
}

/** A file's header, and where its records begin. */
export interface ReadHeader<H> {
  readonly header: H;
  readonly start: number;
}

/** The file that a spool which was closed in order leaves: what its metadata log ends with. */
export const CLOSED_NAME = 'closed';

/** Notes where the metadata log ends, so that the next start can tell an end that has rotted from one that was torn. */
export async function writeClosed(files: SpoolFiles, folder: string, end: LogEnd): Promise<void> {
  const payload = Buffer.from(JSON.stringify(end), 'utf8');
  const file = await files.open(path.join(folder, CLOSED_NAME), 'create');
  try {
    await file.write([recordHeader(RecordKind.Closed, [payload], 0, 0), payload], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.syncFolder(folder);
}

/** The last note; one of an earlier run says nothing of what came since, and one that cannot be read says nothing at all. */
async function readClosed(files: SpoolFiles, folder: string, sizeBytes: number): Promise<LogEnd | undefined> {
  const record = Buffer.alloc(sizeBytes);
  await withFile(files, path.join(folder, CLOSED_NAME), (file) => file.read(record, 0));
  const isWhole =
    sizeBytes > HEADER_BYTES && recordSize(record, 0) === sizeBytes && isIntact(record, 0, sizeBytes, 0);
  return isWhole ? fromPayload<LogEnd>(record.subarray(HEADER_BYTES)) : undefined;
}

/** Reads the first record of a file; `undefined` when it is not whole, or that of another file than its name says. */
export async function readHeader<H extends MetaHeader | BodyHeader>(
  file: SpoolFile,
  { number, sizeBytes }: Pick<SpoolEntry, 'number' | 'sizeBytes'>,
  logs: readonly H['log'][],
): Promise<ReadHeader<H> | undefined> {
  const first = Buffer.alloc(HEADER_BYTES);
  if ((await file.read(first, 0)) < HEADER_BYTES) return undefined;
  await refuseForeign(file, first, sizeBytes);
  const size = recordSize(first, 0);
  if (size === undefined || size > sizeBytes || first[3] !== RecordKind.SegmentHeader) return undefined;
  const record = Buffer.alloc(size);
  if ((await file.read(record, 0)) < size || !isIntact(record, 0, size, 0)) return undefined;
  const header = fromPayload<H>(record.subarray(HEADER_BYTES));
  return logs.includes(header.log) && header.number === number ? { header, start: size } : undefined;
}

/** A whole header of another version is no damage: moving it aside would cost the mail. @throws SpoolError */
async function refuseForeign(file: SpoolFile, first: Buffer, sizeBytes: number): Promise<void> {
  const version = foreignVersion(first);
  const size = HEADER_BYTES + first.readUInt32LE(4);
  if (version === undefined || size > sizeBytes) return;
  const record = Buffer.alloc(size);
  if ((await file.read(record, 0)) < size || !isIntact(record, 0, size, 0)) return;
  throw new SpoolError(
    `the spool was written in format ${version}, this argonite reads format ${VERSION}; ` +
      'start the version that wrote it and let it deliver what is there, or give this one a spool.path of its own',
    false,
  );
}

/**
 * True when a file without a whole header is no more than the beginning of one: the process ended while making it. Records come
 * only after the header is durable, and always have a byte that a header's JSON never has; a header of full length, or one
 * that can be read in spite of its checksum, has rotted.
 */
export async function isHalfMade(file: SpoolFile, sizeBytes: number): Promise<boolean> {
  if (sizeBytes < HEADER_BYTES) return true;
  const bytes = Buffer.alloc(sizeBytes);
  await file.read(bytes, 0);
  const json = bytes.subarray(HEADER_BYTES);
  if (json.some((byte) => byte >= 0x80)) return false;
  if (json.includes(0)) return true;
  return recordSize(bytes, 0) !== sizeBytes && !isJson(json);
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('latin1'));
    return true;
  } catch {
    return false;
  }
}

/** Opens a file for as long as `use` runs. @throws SpoolError */
export async function withFile<T>(
  files: SpoolFiles,
  name: string,
  use: (file: SpoolFile) => Promise<T>,
  how: 'read' | 'rewrite' = 'read',
): Promise<T> {
  let file: SpoolFile;
  try {
    file = await files.open(name, how);
  } catch (error) {
    throw spoolError('open', name, error);
  }
  try {
    return await use(file);
  } catch (error) {
    throw spoolError(how === 'read' ? 'read' : 'write in', name, error);
  } finally {
    await file.close().catch(() => {});
  }
}
