// The fields that describe a part: a value, then parameters (RFC 2045 §5.1, RFC 2183), which may be cut into sections and
// carry a character set (RFC 2231). Read as senders write them: comments, blanks and missing quotes are taken as meant.

import { textToBytes } from '#lang';
import { decodeCharset } from '../../encodings/charset.js';
import { trimBlanks, unfold } from './header-text.js';

/** Of more parameters than this the rest is not read. */
const MOST_PARAMETERS = 256;

/** A parameter in more sections than this is cut there. */
const MOST_SECTIONS = 1000;

/** One parameter before its character set is known. */
interface Section {
  readonly index: number;
  readonly isExtended: boolean;
  readonly text: string;
}

/** A value and its parameters, all bytes as written. */
export interface ContentField {
  /** What stands before the first `;`, in lower case, without comments and quotes. */
  readonly value: string;
  readonly parameters: ReadonlyMap<string, readonly Section[]>;
}

/** Reads the raw value of a Content-Type or Content-Disposition field, folding included. */
export function parseContentField(raw: string): ContentField {
  // A CR of its own is a blank, as delivery makes it one.
  const text = unfold(raw).replaceAll('\r', ' ');
  const scanner = new Scanner(text);
  const value = scanner.upTo(';').replaceAll('"', '').toLowerCase();
  const parameters = new Map<string, Section[]>();
  for (let count = 0; scanner.at < text.length && count < MOST_PARAMETERS; count++) {
    scanner.at++;
    const name = scanner.upTo('=;');
    const found = text[scanner.at] === '=' ? scanner.value() : '';
    const parts = /^(.*?)(?:\*(\d{1,4}))?(\*)?$/s.exec(name.toLowerCase())!;
    if (parts[1] === '') continue;
    const section: Section = {
      index: parts[2] === undefined ? -1 : Number(parts[2]),
      isExtended: parts[3] !== undefined,
      text: found,
    };
    const sections = parameters.get(parts[1]!);
    if (sections === undefined) parameters.set(parts[1]!, [section]);
    else sections.push(section);
  }
  return { value, parameters };
}

/**
 * The value of a parameter as bytes in UTF-8 where its character set is known, else as written. What names its character
 * set goes before what does not; of two alike the first counts.
 */
export function parameterOf(field: ContentField, name: string): string | undefined {
  const sections = field.parameters.get(name.toLowerCase());
  if (sections === undefined) return undefined;
  const whole = sections.find(({ index, isExtended }) => index === -1 && isExtended);
  if (whole !== undefined) return decodeExtended(whole.text);
  return joinSections(sections) ?? sections.find(({ index }) => index === -1)?.text;
}

/** Sections 0, 1, 2 … up to the first gap; undefined when there is no section 0. */
function joinSections(sections: readonly Section[]): string | undefined {
  const byIndex = new Map<number, Section>();
  for (const section of sections)
    if (section.index >= 0 && !byIndex.has(section.index)) byIndex.set(section.index, section);
  const first = byIndex.get(0);
  if (first === undefined) return undefined;
  const { charset, text } = splitCharset(first);
  let bytes = first.isExtended ? percentToBytes(text) : text;
  for (let index = 1; index < MOST_SECTIONS; index++) {
    const section = byIndex.get(index);
    if (section === undefined) break;
    bytes += section.isExtended ? percentToBytes(section.text) : section.text;
  }
  return inUtf8(bytes, charset);
}

function decodeExtended(text: string): string {
  const split = splitCharset({ index: 0, isExtended: true, text });
  return inUtf8(percentToBytes(split.text), split.charset);
}

/** `charset'language'text`, when the quotes are there. */
function splitCharset({ text, isExtended }: Section): { readonly charset: string; readonly text: string } {
  const match = isExtended ? /^([^']*)'[^']*'(.*)$/s.exec(text) : null;
  return match === null ? { charset: '', text } : { charset: match[1]!, text: match[2]! };
}

function percentToBytes(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function inUtf8(bytes: string, charset: string): string {
  if (charset === '' || !/[\x80-\xff]|\x1b/.test(bytes)) return bytes;
  const decoded = decodeCharset(bytes, charset);
  return decoded === undefined ? bytes : textToBytes(decoded);
}

/** Walks over a field's text; comments are skipped where they may stand (RFC 5322 §3.2.2). */
class Scanner {
  at = 0;
  /** A parenthesis was not closed: those behind it are letters too, or each would cost a look at all the rest. */
  #hasOpenComment = false;

  constructor(readonly text: string) {}

  /** The text up to one of the `ends`, which is not taken; without comments and blanks around it. */
  upTo(ends: string): string {
    let found = '';
    while (this.at < this.text.length) {
      const char = this.text[this.at]!;
      if (ends.includes(char)) break;
      if (char === '(' && !this.#hasOpenComment) this.#skipComment();
      else {
        found += char;
        this.at++;
      }
    }
    return trimBlanks(found);
  }

  /** What follows the `=`: a quoted text, or anything up to the next `;`. */
  value(): string {
    this.at++;
    const blanks = /[^ \t\r\n]/g;
    blanks.lastIndex = this.at;
    this.at = blanks.exec(this.text)?.index ?? this.text.length;
    if (this.text[this.at] !== '"') return this.upTo(';');
    let found = '';
    for (this.at++; this.at < this.text.length && this.text[this.at] !== '"'; this.at++) {
      if (this.text[this.at] === '\\' && this.at + 1 < this.text.length) this.at++;
      found += this.text[this.at]!;
    }
    // What stands behind the closing quote is a comment or a mistake.
    const end = this.text.indexOf(';', this.at);
    this.at = end === -1 ? this.text.length : end;
    return found;
  }

  /** A comment that never ends is no comment. */
  #skipComment(): void {
    let depth = 0;
    for (let at = this.at; at < this.text.length; at++) {
      const char = this.text[at];
      if (char === '\\') at++;
      else if (char === '(') depth++;
      else if (char === ')' && --depth === 0) {
        this.at = at + 1;
        return;
      }
    }
    this.#hasOpenComment = true;
  }
}
