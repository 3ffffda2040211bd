// A received message as a place to read bytes from, and an edited one as a list of pieces of it. Nothing here copies a
// body: an edit names byte ranges of the original and holds only the bytes that are new (dependencies.md 5).

/** The bytes of a message as it was received. */
export interface MessageSource {
  readonly sizeBytes: number;
  /** The first bytes, always in memory: the whole message when `isComplete`, else at least its header section (to 1 MiB). */
  readonly head: Buffer;
  readonly isComplete: boolean;
  /** Bytes `start` to `end` (exclusive); from memory or disk. */
  read(start: number, end: number): Promise<Buffer>;
}

/** A stretch of an edited message: a range of the original, or new bytes. */
export type Piece =
  | { readonly kind: 'range'; readonly start: number; readonly end: number }
  | { readonly kind: 'bytes'; readonly bytes: Buffer };

/** A message as it is to be delivered: the original with its edits. One whole range means untouched. */
export type Pieces = readonly Piece[];

export function piecesSize(pieces: Pieces): number {
  let size = 0;
  for (const piece of pieces) size += piece.kind === 'range' ? piece.end - piece.start : piece.bytes.length;
  return size;
}
