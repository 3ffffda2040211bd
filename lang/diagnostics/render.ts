// Diagnostics for people: the place, the message, the line of source with a caret under it, what to do about it.
//
//   hook.hsl:3:10: error: unexpected ")"; expected an expression [HSL1100]
//     3 | echo (1 + );
//       |           ^
//     hint: …
//
// Source text may hold anything, also bytes that would steer a terminal: whatever cannot be printed is shown escaped.
// Text is bytes here as everywhere in the language; whole UTF-8 sequences are kept, so a caret counts them as one.

import { lineText, type Position, positionAt, type SourceFile, type Span } from '../source/source-file.js';
import type { Diagnostic } from './diagnostic.js';

export interface RenderOptions {
  /** Colours for a terminal. */
  readonly colour?: boolean;
  /** Columns of the source line that are shown; a longer one is cut around the place. */
  readonly width?: number;
}

const TAB = '    ';
const DEFAULT_WIDTH = 100;
/** Include statements that are listed; a longer chain is cut in the middle of nowhere anyway. */
const MOST_INCLUDES = 5;

/** One line: `file:line:col: error HSLnnnn: message. Hint`. The linter's text format. */
export function renderLine(diagnostic: Diagnostic): string {
  const { severity, code, hint } = diagnostic;
  const message = sentence(diagnostic);
  return `${placeText(diagnostic.file, diagnostic.span)}: ${severity} ${code}: ${message}${hint === undefined ? '' : `. ${printable(hint)}`}`;
}

/** Several lines, with the source. No line end at the end. */
export function render(diagnostic: Diagnostic, options: RenderOptions = {}): string {
  const paint = options.colour ? painted : plain;
  const { severity, code, file, span, hint, includedFrom } = diagnostic;
  const shade = severity === 'error' ? 'red' : 'yellow';
  const head = `${placeText(file, span)}: ${paint(`${severity}:`, shade)} ${paint(sentence(diagnostic), 'bold')} ${paint(`[${code}]`, 'dim')}`;
  const lines = [head, ...frame(file, span, options.width ?? DEFAULT_WIDTH, (text) => paint(text, shade))];
  if (hint !== undefined) lines.push(`  ${paint('hint:', 'blue')} ${printable(hint)}`);
  const includes = includedFrom ?? [];
  for (const place of includes.slice(0, MOST_INCLUDES)) {
    lines.push(`  included from ${placeText(place.file, place.span)}`);
  }
  if (includes.length > MOST_INCLUDES) lines.push(`  and ${includes.length - MOST_INCLUDES} more`);
  return lines.join('\n');
}

/** All of them, a blank line between two. */
export function renderAll(diagnostics: readonly Diagnostic[], options: RenderOptions = {}): string {
  return diagnostics.map((diagnostic) => render(diagnostic, options)).join('\n\n');
}

/** `file:line:column`, as editors and terminals know it. */
export function placeText(file: SourceFile, span: Span): string {
  const { line, column } = positionAt(file, span.start);
  return `${printable(file.name)}:${line}:${column}`;
}

function sentence(diagnostic: Diagnostic): string {
  return printable(diagnostic.message);
}

// --- The code frame -----------------------------------------------------------------------------------------------

function frame(file: SourceFile, span: Span, width: number, paint: (text: string) => string): string[] {
  const start = positionAt(file, span.start);
  const text = lineText(file, start.line);
  const cells = cellsOf(text);
  const { from, to } = marked(file, span, start, text.length);
  const first = cellAt(cells, from);
  // Something is always marked, also at the end of a line.
  const last = Math.max(first + 1, cellAt(cells, to));
  const view = cut(cells, first, last, width);
  const gutter = String(start.line);
  const margin = ' '.repeat(gutter.length);
  const carets = `${' '.repeat(view.before)}${paint('^'.repeat(Math.max(1, view.marked)))}`;
  return [`  ${gutter} | ${view.text}`, `  ${margin} | ${carets}`];
}

/** Byte offsets in the line; what goes on in later lines is marked to the line's end. */
function marked(
  file: SourceFile,
  span: Span,
  start: Position,
  length: number,
): { readonly from: number; readonly to: number } {
  const end = positionAt(file, span.end);
  const from = Math.min(start.column - 1, length);
  const to = end.line === start.line ? Math.min(end.column - 1, length) : length;
  return { from, to };
}

/** What one character of the line takes on screen, and where it begins in bytes. */
interface Cell {
  readonly offset: number;
  readonly shown: string;
}

function cellsOf(text: string): Cell[] {
  const cells: Cell[] = [];
  for (let at = 0; at < text.length; ) {
    const length = utf8Length(text, at);
    const shown = showCharacter(text.slice(at, at + length));
    // One cell per column on screen; all cells of one character begin at its first byte.
    for (const column of shown.length > 1 && length === 1 ? shown : [shown])
      cells.push({ offset: at, shown: column });
    at += length;
  }
  return cells;
}

function cellAt(cells: readonly Cell[], offset: number): number {
  const at = cells.findIndex((cell) => cell.offset >= offset);
  return at === -1 ? cells.length : at;
}

function cut(
  cells: readonly Cell[],
  first: number,
  last: number,
  width: number,
): { readonly text: string; readonly before: number; readonly marked: number } {
  let from = 0;
  let to = cells.length;
  if (cells.length > width) {
    // A third of what is shown stands before the place.
    from = Math.max(0, Math.min(first - Math.floor(width / 3), cells.length - width));
    to = Math.min(cells.length, from + width);
  }
  const head = from > 0 ? '...' : '';
  const tail = to < cells.length ? '...' : '';
  const text = cells
    .slice(from, to)
    .map((cell) => cell.shown)
    .join('');
  return {
    text: `${head}${text}${tail}`,
    before: head.length + first - from,
    marked: Math.min(last, Math.max(to, first + 1)) - first,
  };
}

// --- Bytes on a terminal --------------------------------------------------------------------------------------------

function utf8Length(text: string, at: number): number {
  const lead = text.charCodeAt(at);
  if (lead < 0xc2 || lead > 0xf4) return 1;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (let next = at + 1; next < at + length; next += 1) {
    const byte = text.charCodeAt(next);
    if (!(byte >= 0x80 && byte <= 0xbf)) return 1;
  }
  return length;
}

function showCharacter(bytes: string): string {
  if (bytes === '\t') return TAB;
  const code = bytes.charCodeAt(0);
  if (bytes.length === 1) {
    return code >= 0x20 && code <= 0x7e ? bytes : `\\x${(code & 0xff).toString(16).padStart(2, '0')}`;
  }
  const character = decode(bytes);
  // Control characters, format characters (they turn the direction of text) and lone surrogates stay bytes.
  return /[\p{C}\p{Zl}\p{Zp}]/u.test(character) ? escapeAll(bytes) : character;
}

function decode(bytes: string): string {
  try {
    return decodeURIComponent(escapeAll(bytes).replaceAll('\\x', '%'));
  } catch {
    return escapeAll(bytes);
  }
}

function escapeAll(bytes: string): string {
  return Array.from(bytes, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
}

/** A text that came from a script or file name, safe for a terminal or a log line. */
export function printable(text: string): string {
  // Our own words may hold an ellipsis or a dash; only what is a byte, or steers, is looked at.
  let shown = '';
  for (let at = 0; at < text.length; ) {
    if (text.charCodeAt(at) > 0xff) {
      shown += text.charAt(at);
      at += 1;
      continue;
    }
    const length = utf8Length(text, at);
    const bytes = text.slice(at, at + length);
    shown += bytes === '\t' ? ' ' : showCharacter(bytes);
    at += length;
  }
  return shown;
}

// --- Colours --------------------------------------------------------------------------------------------------------

type Paint = 'red' | 'yellow' | 'blue' | 'bold' | 'dim';

const codes: Readonly<Record<Paint, number>> = { red: 31, yellow: 33, blue: 34, bold: 1, dim: 2 };

function painted(text: string, paint: Paint): string {
  return `\x1b[${codes[paint]}m${text}\x1b[0m`;
}

function plain(text: string): string {
  return text;
}
