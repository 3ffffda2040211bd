// How a file of either log begins: with its header, which is durable, together with the file's name, before anything is added.

import { randomInt } from 'node:crypto';
import { type SpoolFile, type SpoolFiles, spoolError } from './files.js';
import { HEADER_BYTES, RecordKind, recordHeader } from './format.js';
import { SpoolError } from './spool.js';

/** A file that records can be added to, and how many bytes its header takes. */
export interface BegunFile {
  readonly file: SpoolFile;
  readonly sizeBytes: number;
}

/** A new file could not be begun, but its header may be on the disk. */
export class HeaderMayStand extends SpoolError {
  constructor(cause: SpoolError) {
    super(cause.message, cause.noSpace, { cause });
  }
}

/** Makes a file. A failure leaves none behind, or says that it may have. @throws SpoolError, HeaderMayStand */
export async function beginFile(
  files: SpoolFiles,
  folder: string,
  name: string,
  header: Buffer,
): Promise<BegunFile> {
  let file: SpoolFile | undefined;
  let isWritten = false;
  try {
    file = await files.open(name, 'create');
    await file.write([recordHeader(RecordKind.SegmentHeader, [header], 0, 0), header], 0);
    isWritten = true;
    await file.sync();
    await files.syncFolder(folder);
    return { file, sizeBytes: HEADER_BYTES + header.length };
  } catch (error) {
    const isGone = file === undefined || (await isUndone(files, file, name));
    const failure = spoolError('begin', name, error);
    throw isWritten || !isGone ? new HeaderMayStand(failure) : failure;
  }
}

async function isUndone(files: SpoolFiles, file: SpoolFile, name: string): Promise<boolean> {
  await file.close().catch(() => {});
  try {
    await files.remove(name);
    return true;
  } catch {
    return false;
  }
}

/** A number that nobody outside can know. */
export function newSalt(): number {
  return randomInt(0, 0x100000000);
}
