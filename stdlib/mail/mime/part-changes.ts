// What a script did to a part besides its header fields. Records are never written in place, so a snapshot keeps them by
// reference.

import type { Pieces } from '../message-source.js';
import type { MimePart } from './document.js';

/** A part that was put in: made by a script, or taken from a message as it was at that moment. */
export interface InsertedPart {
  readonly kind: 'inserted';
  /** Whole fields. */
  readonly header: Buffer;
  /** What follows the empty line; ranges are of the message that it was put into. */
  readonly body: Pieces;
  /** The part that was told to put it in, and on which side of itself. */
  readonly anchor: MimePart;
  readonly side: Side;
}

export type Side = 'before' | 'after';

/** A new multipart around a part. */
export interface Wrap {
  /** `multipart/mixed`. */
  readonly type: string;
  /** The value of its Content-Type field, boundary included. */
  readonly contentType: string;
  readonly boundary: string;
  readonly before: readonly InsertedPart[];
  readonly after: readonly InsertedPart[];
}

export interface PartChanges {
  /** How many changes were made. */
  readonly count: number;
  /** The new body in its transfer encoding. */
  readonly body?: Buffer;
  readonly preamble?: Buffer;
  readonly epilogue?: Buffer;
  /** The parts of a multipart, when some were put in. */
  readonly children?: readonly (MimePart | InsertedPart)[];
  /** Innermost first. */
  readonly wraps: readonly Wrap[];
  readonly replacement?: InsertedPart | 'removed';
}

export const UNCHANGED: PartChanges = { count: 0, wraps: [] };

/** Puts `inserted` beside its anchor, where a part of that type holds it already, or in a new multipart around it. */
export function insertBeside(inserted: InsertedPart, contentType: string, boundary: string): void {
  const { anchor: part, side } = inserted;
  const type = contentType.replace(/[ \t]*;.*$/s, '').toLowerCase();
  const { wraps } = part.changes;
  const innermost = wraps[0];
  if (innermost?.type === type) {
    part.change({ wraps: [withInserted(innermost, inserted), ...wraps.slice(1)] });
  } else if (innermost === undefined && part.parent?.isMultipart && part.parent.type === type) {
    const siblings = part.parent.changes.children ?? part.parent.children;
    part.parent.change({ children: siblings.toSpliced(placeBeside(siblings, inserted), 0, inserted) });
  } else if (part.isMultipart && part.type === type && part.changes.replacement === undefined) {
    const children = part.changes.children ?? part.children;
    part.change({ children: children.toSpliced(placeWithin(children, inserted), 0, inserted) });
  } else {
    const wrap: Wrap = {
      type,
      contentType: `${contentType};\r\n\tboundary="${boundary}"`,
      boundary,
      before: side === 'before' ? [inserted] : [],
      after: side === 'after' ? [inserted] : [],
    };
    part.change({ wraps: [wrap, ...wraps] });
  }
}

function withInserted(wrap: Wrap, inserted: InsertedPart): Wrap {
  const { side } = inserted;
  return { ...wrap, [side]: [...wrap[side], inserted] };
}

/** Several that one part put in keep the order of the calls. */
function placeBeside(siblings: readonly (MimePart | InsertedPart)[], { anchor, side }: InsertedPart): number {
  let place = siblings.indexOf(anchor);
  if (side === 'after') for (place++; isFrom(siblings[place], anchor, side); ) place++;
  return place;
}

function placeWithin(children: readonly (MimePart | InsertedPart)[], { anchor, side }: InsertedPart): number {
  if (side === 'after') return children.length;
  let place = 0;
  while (isFrom(children[place], anchor, side)) place++;
  return place;
}

function isFrom(child: MimePart | InsertedPart | undefined, anchor: MimePart, side: Side): boolean {
  return child?.kind === 'inserted' && child.anchor === anchor && child.side === side;
}
