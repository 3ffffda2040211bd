// An edited message on disk: the payload of a Version record.
//
//    +-------+----------------------------+-----+-------------------+
//    | count | start f64 LE  | end f64 LE | ... | new bytes         |
//    +-------+----------------------------+-----+-------------------+
//      u32 LE  one pair for each piece            in order
//
// A pair is a range of the message as received; with start -1 it stands for the next `end` of the new bytes.

import type { Pieces } from '#stdlib';

/** True when a message with these pieces is the message as received. */
export function isUntouched(pieces: Pieces, sizeBytes: number): boolean {
  const [piece] = pieces;
  return pieces.length === 1 && piece?.kind === 'range' && piece.start === 0 && piece.end === sizeBytes;
}

/** The payload, without a copy of the new bytes. @throws Error for a piece outside of the message */
export function piecesToPayload(pieces: Pieces, sizeBytes: number): Buffer[] {
  const table = Buffer.allocUnsafe(4 + 16 * pieces.length);
  const parts: Buffer[] = [table];
  table.writeUInt32LE(pieces.length, 0);
  let at = 4;
  for (const piece of pieces) {
    if (piece.kind === 'range') {
      if (!(piece.start >= 0 && piece.start <= piece.end && piece.end <= sizeBytes)) {
        throw new Error(
          `a piece of the message is ${piece.start} to ${piece.end}, outside of its ${sizeBytes} bytes`,
        );
      }
      table.writeDoubleLE(piece.start, at);
      table.writeDoubleLE(piece.end, at + 8);
    } else {
      table.writeDoubleLE(-1, at);
      table.writeDoubleLE(piece.bytes.length, at + 8);
      parts.push(piece.bytes);
    }
    at += 16;
  }
  return parts;
}

/** The other way; the new bytes are views of the payload. */
export function payloadToPieces(payload: Buffer): Pieces {
  const count = payload.readUInt32LE(0);
  let newBytes = 4 + 16 * count;
  return Array.from({ length: count }, (_, i) => {
    const start = payload.readDoubleLE(4 + 16 * i);
    const end = payload.readDoubleLE(12 + 16 * i);
    if (start >= 0) return { kind: 'range', start, end };
    newBytes += end;
    return { kind: 'bytes', bytes: payload.subarray(newBytes - end, newBytes) };
  });
}
