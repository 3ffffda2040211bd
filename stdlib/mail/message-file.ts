// Messages as files and files as messages: an edited message that scripts read like a file, its pieces read where they
// lie; and a file that is looked at as a message, its body left where it is.

import type { FileContent } from '../files/file-content.js';
import { type MessageSource, type Pieces, piecesSize } from './message-source.js';
import { readPieces } from './mime/document.js';

/** Of a larger file this much is kept in memory: the header section must fit. */
const HEAD_BYTES = 1024 * 1024;

/** An edited message as a file, as it was at that moment. */
export function piecesToFile(source: MessageSource, pieces: Pieces): FileContent {
  const sizeBytes = piecesSize(pieces);
  // Where each piece begins in the edited message.
  const starts: number[] = [];
  let size = 0;
  for (const piece of pieces) {
    starts.push(size);
    size += piece.kind === 'bytes' ? piece.bytes.length : piece.end - piece.start;
  }
  return {
    path: undefined,
    sizeBytes,
    read: (start, end) =>
      readPieces(source, cut(pieces, starts, Math.max(0, start), Math.min(end, sizeBytes))),
  };
}

/** Bytes `start` to `end` of the edited message, as pieces. */
function cut(pieces: Pieces, starts: readonly number[], start: number, end: number): Pieces {
  const found: Pieces[number][] = [];
  for (let index = placeOf(starts, start); index < pieces.length && starts[index]! < end; index++) {
    const piece = pieces[index]!;
    const from = Math.max(0, start - starts[index]!);
    const to = end - starts[index]!;
    if (piece.kind === 'bytes') found.push({ kind: 'bytes', bytes: piece.bytes.subarray(from, to) });
    else if (piece.start + from < piece.end)
      found.push({ kind: 'range', start: piece.start + from, end: Math.min(piece.end, piece.start + to) });
  }
  return found;
}

/** The last piece that begins at `at` or before. */
function placeOf(starts: readonly number[], at: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A file as the source of a message. */
export async function fileToSource(content: FileContent): Promise<MessageSource> {
  const { sizeBytes } = content;
  const head = await content.read(0, Math.min(sizeBytes, HEAD_BYTES));
  return {
    sizeBytes,
    head,
    isComplete: head.length === sizeBytes,
    read: async (start, end) => content.read(start, end),
  };
}
