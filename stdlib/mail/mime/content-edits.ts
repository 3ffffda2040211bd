// Raw edits of the original message (`modifyContent`): bytes at a place are replaced by others. They lie under all other
// changes: wherever a range of the original is copied, it is copied with them.

import type { Piece, Pieces } from '../message-source.js';
import { pushRange } from './header-edits.js';

/** Bytes `start` to `end` of the original are `bytes`. */
export interface ContentEdit {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

/**
 * The edits with a new one, in order, none touching another's bytes. Where the new one overlaps earlier ones it wins:
 * what they replaced outside of it stays replaced.
 */
export function withContentEdit(edits: readonly ContentEdit[], added: ContentEdit): readonly ContentEdit[] {
  const { start, end } = added;
  const before: ContentEdit[] = [];
  const after: ContentEdit[] = [];
  for (const edit of edits) {
    if (edit.end <= start) before.push(edit);
    else if (edit.start >= end) after.push(edit);
    else {
      if (edit.start < start) before.push({ ...edit, end: start });
      if (edit.end > end) after.push({ start: end, end: edit.end, bytes: Buffer.alloc(0) });
    }
  }
  return [...before, added, ...after];
}

/** The pieces of a message of `sizeBytes`, with the edits in every range. */
export function applyContentEdits(pieces: Pieces, edits: readonly ContentEdit[], sizeBytes: number): Pieces {
  if (edits.length === 0) return pieces;
  const out: Piece[] = [];
  for (const piece of pieces) {
    if (piece.kind === 'bytes') {
      out.push(piece);
      continue;
    }
    let at = piece.start;
    for (const edit of edits) {
      // New bytes go where the byte stood that they begin at; those at the message's end, behind its last.
      const isHere =
        edit.start >= piece.start &&
        (edit.start < piece.end || (edit.start === sizeBytes && piece.end === sizeBytes));
      if (edit.end < piece.start || edit.start > piece.end) continue;
      pushRange(out, at, Math.min(Math.max(at, edit.start), piece.end));
      if (isHere && edit.bytes.length > 0) out.push({ kind: 'bytes', bytes: edit.bytes });
      at = Math.max(at, Math.min(edit.end, piece.end));
    }
    pushRange(out, at, piece.end);
  }
  return out;
}
