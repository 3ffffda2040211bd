// Texts in a script: where a string, a raw string or a pattern literal ends, and what it means. The matchers are the
// custom patterns of tokens.ts; they never fail on an opening quote. A text that is not closed properly becomes a token
// as well, so that reading goes on behind it, and carries a TextProblem that the lexer turns into a diagnostic.

import type { CustomPatternMatcherReturn } from 'chevrotain';
import { type Diagnostic, makeDiagnostic } from '../diagnostics/diagnostic.js';
import type { MessageCode, MessageParams } from '../diagnostics/messages.js';
import type { SourceFile } from '../source/source-file.js';

/** What is wrong with one token: a finding that only waits for the token's place. */
export type TextProblem = (
  file: SourceFile,
  token: { readonly start: number; readonly end: number },
) => Diagnostic;

/** A problem of a token, or of `length` bytes from `start` in it. */
export function textProblem<C extends MessageCode>(
  code: C,
  params: MessageParams<C>,
  more: { readonly hint?: string | undefined; readonly start?: number; readonly length?: number } = {},
): TextProblem {
  return (file, token) => {
    const start = token.start + (more.start ?? 0);
    const end = more.length === undefined ? token.end : start + more.length;
    return makeDiagnostic(code, file, { start, end }, params, more.hint);
  };
}

const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const BACKSLASH = 0x5c;

// A text without an end is searched to the end of the file. To keep reading linear, only so many are given up at
// their line's end; the next one swallows the rest of the file.
const UNCLOSED_LIMIT = 16;
let unclosed = 0;

/** Must be called before a file is tokenized: the count of unclosed texts is per file. */
export function forgetUnclosedTexts(): void {
  unclosed = 0;
}

function found(image: string, problem?: TextProblem): CustomPatternMatcherReturn {
  const match: CustomPatternMatcherReturn = [image];
  if (problem !== undefined) match.payload = problem;
  return match;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  if (end === -1) return text.length;
  return text.charCodeAt(end - 1) === 0x0d && end - 1 > at ? end - 1 : end;
}

function endOfUnclosed(text: string, at: number): number {
  unclosed += 1;
  return unclosed > UNCLOSED_LIMIT ? text.length : endOfLine(text, at);
}

/** Matches a double-quoted string at `start`. */
export function matchString(text: string, start: number): CustomPatternMatcherReturn | null {
  if (text.charCodeAt(start) !== QUOTE) return null;
  for (let at = start + 1; at < text.length; at += 1) {
    const byte = text.charCodeAt(at);
    if (byte === QUOTE) return found(text.slice(start, at + 1));
    if (byte === BACKSLASH) at += 1;
  }
  return found(text.slice(start, endOfUnclosed(text, start)), textProblem('HSL1002', {}, { length: 1 }));
}

/** Matches a raw string `'W'text'W'` at `start`. */
export function matchRawString(text: string, start: number): CustomPatternMatcherReturn | null {
  if (text.charCodeAt(start) !== APOSTROPHE) return null;
  let at = start + 1;
  while (at < text.length) {
    const byte = text.charCodeAt(at);
    if (byte < 0x21 || byte > 0x7e || byte === APOSTROPHE) break;
    at += 1;
  }
  if (text.charCodeAt(at) !== APOSTROPHE) return notRaw(text, start, at);
  const delimiter = text.slice(start, at + 1);
  const end = text.indexOf(delimiter, at + 1);
  if (end !== -1) return found(text.slice(start, end + delimiter.length));
  const hint =
    delimiter.length > 2
      ? `${delimiter} opens a raw string that ends at the next ${delimiter}. For a plain string write "${delimiter.slice(1, -1)}".`
      : undefined;
  unclosed += 1;
  const stop =
    unclosed > UNCLOSED_LIMIT ? text.length : delimiter.length > 2 ? at + 1 : endOfLine(text, start);
  const problem = textProblem('HSL1003', { closing: delimiter }, { hint, length: delimiter.length });
  return found(text.slice(start, stop), problem);
}

/** Somebody meant a string of another language: `'two words'`. */
function notRaw(text: string, start: number, from: number): CustomPatternMatcherReturn {
  const lineEnd = endOfLine(text, start);
  const close = text.indexOf("'", from);
  const end = close === -1 || close >= lineEnd ? lineEnd : close + 1;
  const hint = "Strings stand in double quotes; a raw string is written ''text'' or 'W'text'W'.";
  return found(text.slice(start, end), textProblem('HSL1004', {}, { hint }));
}

/** Matches a pattern literal `#/body/flags` at `start`. */
export function matchPattern(text: string, start: number): CustomPatternMatcherReturn | null {
  if (text.charCodeAt(start) !== 0x23 || text.charCodeAt(start + 1) !== 0x2f) return null;
  const lineEnd = endOfLine(text, start);
  let at = start + 2;
  while (at < lineEnd && text.charCodeAt(at) !== 0x2f) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  if (at >= lineEnd) return found(text.slice(start, lineEnd), textProblem('HSL1006', {}));
  const bodyEnd = at;
  at += 1;
  while (at < lineEnd && /\w/.test(text.charAt(at))) at += 1;
  const image = text.slice(start, at);
  if (bodyEnd === start + 2) return found(image, textProblem('HSL1007', {}));
  const badFlag = /[^imsuxUX]/.exec(text.slice(bodyEnd + 1, at));
  if (badFlag === null) return found(image);
  const place = { start: bodyEnd + 1 - start + badFlag.index, length: 1 };
  return found(image, textProblem('HSL1008', { flag: badFlag[0] }, place));
}

/** Body and flags of a pattern literal's token. */
export function readPattern(image: string): { readonly body: string; readonly flags: string } {
  const end = image.lastIndexOf('/');
  return { body: image.slice(2, Math.max(2, end)), flags: image.slice(end + 1) };
}

/** The value of a raw string's token. */
export function readRawString(image: string): string {
  const delimiterLength = image.indexOf("'", 1) + 1;
  return image.slice(delimiterLength, image.length - delimiterLength);
}

/** A variable inside a string; offsets are relative to the token. */
export interface InterpolatedName {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

const simpleEscapes: Readonly<Record<string, string>> = {
  '\\': '\\',
  '"': '"',
  $: '$',
  n: '\n',
  r: '\r',
  t: '\t',
};

const special = /\\(?:x([0-9A-Fa-f]{2})|([\\"$nrt]))|\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/g;

/** The parts of a double-quoted string's token: texts with their escapes resolved, and interpolated names. */
export function readString(image: string): readonly (string | InterpolatedName)[] {
  const end = image.length > 1 && image.endsWith('"') ? image.length - 1 : image.length;
  // Most strings hold neither escapes nor variables.
  if (!image.includes('\\') && !image.includes('$')) return end > 1 ? [image.slice(1, end)] : [];
  const parts: (string | InterpolatedName)[] = [];
  let text = '';
  let last = 1;
  special.lastIndex = 1;
  for (let match = special.exec(image); match !== null; match = special.exec(image)) {
    if (match.index >= end) break;
    text += image.slice(last, match.index);
    last = special.lastIndex;
    const [whole, hex, escaped, bare, braced] = match;
    const name = bare ?? braced;
    if (hex !== undefined) text += String.fromCharCode(Number.parseInt(hex, 16));
    else if (escaped !== undefined) text += simpleEscapes[escaped] ?? escaped;
    else if (name !== undefined) {
      if (text !== '') parts.push(text);
      text = '';
      parts.push({ name, start: match.index, end: match.index + whole.length });
    }
  }
  text += image.slice(last, Math.max(last, end));
  if (text !== '') parts.push(text);
  return parts;
}
