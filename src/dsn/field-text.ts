// Texts of others on their way into a report. Whatever a peer, a sender or a script wrote, it stays in its field: no line end, no
// control character, no byte above ASCII where the report does not allow UTF-8. All text here is one character per byte.

import { isUtf8 } from 'node:buffer';

/** More of a text than this tells nobody anything; replies may be a megabyte. */
const MOST_BYTES = 2000;
/** Where folding tries to break (RFC 5322 §2.1.1). */
const PREFERRED_LENGTH = 76;
/** A word that is longer is broken all the same: no line may have more than 998. */
const LONGEST_WORD = 900;

/** Whether the text is UTF-8 and more than ASCII. */
export function isUtf8Text(text: string): boolean {
  return /[\x80-\xff]/.test(text) && isUtf8(Buffer.from(text, 'latin1'));
}

/** A text in one line: one blank for blanks and control characters, `\xE4` for bytes that may not be there, cut when it is endless. */
export function oneLine(text: string, allowsUtf8: boolean): string {
  const flat = text
    .slice(0, MOST_BYTES * 4)
    .replace(/[\x00-\x20\x7f]+/g, ' ')
    .trim();
  return shownBytes(flat, allowsUtf8);
}

/** The same of an address, in which each blank counts: a quoted local part may have several together. Not so many that no line holds them. */
export function addressLine(text: string, allowsUtf8: boolean): string {
  const flat = text
    .slice(0, MOST_BYTES * 4)
    .replace(/[\x00-\x1f\x7f]/g, ' ')
    .replace(/ {64,}/g, ' ')
    .trim();
  return shownBytes(flat, allowsUtf8);
}

function shownBytes(flat: string, allowsUtf8: boolean): string {
  const cut = flat.length > MOST_BYTES ? `${flat.slice(0, wholeCharacters(flat, MOST_BYTES))}...` : flat;
  if (allowsUtf8 && isUtf8(Buffer.from(cut, 'latin1'))) return cut;
  return cut.replace(
    /[\x80-\xff]/g,
    (byte) => `\\x${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** A field of a report, folded, with its line end. The value is one line; its blanks stay as they are. */
export function reportField(name: string, value: string): string {
  let folded = `${name}:`;
  let length = folded.length;
  for (const [, blanks, word] of value.matchAll(/( *)([^ ]+)/g)) {
    for (const [at, piece] of [...piecesOf(word!)].entries()) {
      const written = `${(at === 0 && blanks) || ' '}${piece}`;
      if (length + written.length > PREFERRED_LENGTH && length > name.length + 1) {
        folded += '\r\n';
        length = 0;
      }
      folded += written;
      length += written.length;
    }
  }
  return `${folded}\r\n`;
}

/** Lines of at most 72 characters, each behind the indent; a word that is longer has a line for itself. */
export function wrapped(text: string, indent: string): string {
  let lines = '';
  let line = '';
  for (const word of wordsOf(text)) {
    if (line !== '' && indent.length + line.length + 1 + word.length > 72) {
      lines += `${indent}${line}\r\n`;
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return `${lines}${indent}${line}\r\n`;
}

function* wordsOf(text: string): Generator<string> {
  for (const word of text.split(' ')) if (word !== '') yield* piecesOf(word);
}

/** A word, or what a line can hold of it and then the rest. */
function* piecesOf(word: string): Generator<string> {
  let start = 0;
  while (word.length - start > LONGEST_WORD) {
    const end = wholeCharacters(word, start + LONGEST_WORD);
    yield word.slice(start, end);
    start = end;
  }
  yield word.slice(start);
}

/** `end`, or a bit before it where that is inside of a character of UTF-8. */
function wholeCharacters(text: string, end: number): number {
  for (let at = end; at > end - 4; at--) if (!/[\x80-\xbf]/.test(text[at] ?? '')) return at;
  return end;
}
