// Bytes that scripts read as a file: on disk, in the spool, in memory. A FileResource (`$message["file"]`, an import, a
// message's `toFile()`) carries one.

/** The word scripts see for a file they can hand to `File()`; its payload is a FileContent. */
export const FILE_RESOURCE = 'FileResource';

export interface FileContent {
  /** Where it is, if it is a file of its own; what `getPath()` answers. */
  readonly path: string | undefined;
  readonly sizeBytes: number;
  /** Bytes `start` to `end` (exclusive). Rejects when they cannot be read. */
  read(start: number, end: number): Buffer | Promise<Buffer>;
  /** Gives back what it holds open; what is in memory has nothing to give back. */
  close?(): void;
}

/** Bytes in memory as a file. */
export function bytesToFile(bytes: Buffer, path?: string): FileContent {
  return { path, sizeBytes: bytes.length, read: (start, end) => bytes.subarray(start, end) };
}
