// An edited message as the client reads messages: chunk by chunk, and whole when it is small.

import { type MessageSource, type Pieces, piecesSize } from '#stdlib';
import type { MessageReader } from '../spool/spool.js';

const CHUNK_BYTES = 64 * 1024;
const WHOLE_BYTES = 1024 * 1024;

/** Reads a message with its edits. */
export function piecesReader(source: MessageSource, pieces: Pieces): MessageReader {
  const sizeBytes = piecesSize(pieces);
  const chunks = () => chunksOf(source, pieces);
  return {
    sizeBytes,
    chunks,
    whole: () => (sizeBytes > WHOLE_BYTES ? undefined : collect(chunks(), sizeBytes)),
  };
}

async function* chunksOf(source: MessageSource, pieces: Pieces): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    if (piece.kind === 'bytes') {
      yield piece.bytes;
      continue;
    }
    for (let start = piece.start; start < piece.end; start += CHUNK_BYTES) {
      const end = Math.min(start + CHUNK_BYTES, piece.end);
      const bytes = source.isComplete ? source.head.subarray(start, end) : await source.read(start, end);
      if (bytes.length !== end - start) throw new Error('the message is shorter than it was');
      yield bytes;
    }
  }
}

async function collect(chunks: AsyncIterable<Buffer>, sizeBytes: number): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all, sizeBytes);
}
