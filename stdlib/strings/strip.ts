// Bytes taken off the ends of a text, and letter case. US-ASCII only: other bytes may be half of a UTF-8 sequence.

/** What is stripped when the script names no bytes: space, TAB, CR, LF. */
export const BLANKS = ' \t\r\n';

/** `text` without the leading, trailing or both kinds of bytes that `set` names. */
export function stripText(text: string, set: string, side: 'both' | 'left' | 'right'): string {
  let start = 0;
  let end = text.length;
  if (side !== 'right') while (start < end && set.includes(text[start]!)) start++;
  if (side !== 'left') while (end > start && set.includes(text[end - 1]!)) end--;
  return text.slice(start, end);
}

const onlyAscii = /^[\x00-\x7f]*$/;

/** A to Z as a to z. */
export function lowerAscii(text: string): string {
  return onlyAscii.test(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (run) => run.toLowerCase());
}

/** a to z as A to Z. */
export function upperAscii(text: string): string {
  return onlyAscii.test(text) ? text.toUpperCase() : text.replace(/[a-z]+/g, (run) => run.toUpperCase());
}
