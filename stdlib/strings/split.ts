// Taking texts apart and finding things in them. Positions and lengths count bytes.

import { MOST_ELEMENTS } from '../limits.js';

/**
 * Parts of `text` between delimiters. A positive limit leaves the rest in the last part, a negative one counts from
 * the right and leaves it in the first. An empty delimiter splits into bytes. Stops one part behind MOST_ELEMENTS, so
 * that the caller can refuse without having made them all.
 */
export function splitText(text: string, delimiter: string, limit: number): string[] {
  const parts = text.split(delimiter, MOST_ELEMENTS + 1);
  const most = Math.abs(limit);
  if (most === 0 || parts.length <= most) return parts;
  if (limit > 0) return [...parts.slice(0, most - 1), parts.slice(most - 1).join(delimiter)];
  const rest = parts.length - most + 1;
  return [parts.slice(0, rest).join(delimiter), ...parts.slice(rest)];
}

/** Pieces of `length` bytes, the first one of `firstLength`. */
export function chunkText(text: string, length: number, firstLength: number): string[] {
  const pieces: string[] = [];
  let size = firstLength;
  for (let at = 0; at < text.length; at += size, size = length) {
    pieces.push(text.slice(at, at + size));
  }
  return pieces;
}

/** First position of `part` at or after `offset`; a negative offset counts from the end. -1 if missing. */
export function findText(text: string, part: string, offset: number): number {
  const start = offset < 0 ? Math.max(0, text.length + offset) : offset;
  return start > text.length ? -1 : text.indexOf(part, start);
}

/** Last position of `part` in `text` without its last `skip` bytes. -1 if missing. */
export function findLastText(text: string, part: string, skip: number): number {
  const end = text.length - Math.max(0, skip);
  return end < part.length ? -1 : text.lastIndexOf(part, end - part.length);
}

/** How often `part`, which is not empty, occurs in `text`; occurrences do not overlap. */
export function countText(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count++;
  return count;
}

/** `length` bytes from `offset`; negative numbers count from the end, what lies outside is empty. */
export function sliceText(text: string, offset: number, length: number | undefined): string {
  const start = offset < 0 ? Math.max(0, text.length + offset) : offset;
  if (length === undefined) return text.slice(start);
  const end = length < 0 ? text.length + length : start + length;
  return end <= start ? '' : text.slice(start, end);
}
