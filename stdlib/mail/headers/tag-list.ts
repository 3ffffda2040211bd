// Tag lists, `v=1; a=rsa-sha256`: DKIM signatures and keys, ARC, DMARC and BIMI records (RFC 6376 §3.2).

/** More is no tag list; a signature with a copy of every field (`z=`) stays far below. */
const LONGEST_LIST = 1024 * 1024;
const MOST_TAGS = 1000;

const TAG = /^[ \t\r\n]*([A-Za-z][A-Za-z0-9_]*)[ \t\r\n]*=(.*)$/s;

/**
 * The tags with their values, in the order of the text. White space around values is removed, folding inside them undone.
 * Undefined for what is no tag list: no tag, a part without `=`, a tag twice, a control character.
 */
export function parseTagList(text: string): Map<string, string> | undefined {
  if (text.length > LONGEST_LIST) return undefined;
  const parts = text.split(';', MOST_TAGS + 2);
  // One `;` may end the list.
  if (/^[ \t\r\n]*$/.test(parts.at(-1)!)) parts.pop();
  if (parts.length === 0 || parts.length > MOST_TAGS) return undefined;
  const tags = new Map<string, string>();
  for (const part of parts) {
    const match = TAG.exec(part);
    if (match === null) return undefined;
    const [, name, rest] = match as unknown as [string, string, string];
    const value = trimWhiteSpace(rest).replace(/\r?\n(?=[ \t])/g, '');
    if (tags.has(name) || /[\x00-\x08\x0a-\x1f\x7f]/.test(value)) return undefined;
    tags.set(name, value);
  }
  return tags;
}

/** By hand: a pattern for blanks at the end tries every blank inside. */
function trimWhiteSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhiteSpace(text.charCodeAt(start))) start++;
  while (end > start && isWhiteSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isWhiteSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}
