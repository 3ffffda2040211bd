// What looks like HSL but is not: characters that word processors make of quotes and blanks, and operators of other
// languages. They are tokens too, so that each gives one message that names the right spelling, and reading goes on.

import type { CustomPatternMatcherReturn } from 'chevrotain';
import { textProblem } from './strings.js';

/** Operators of other languages: what stands in for them while reading goes on, and what to write. */
export const foreignOperators: Readonly<
  Record<string, { readonly meant: string; readonly instead: string }>
> = {
  '&&': { meant: 'and', instead: 'use "and"' },
  '||': { meant: 'or', instead: 'use "or"' },
  '&&=': { meant: '+=', instead: 'write $x = $x and ...' },
  '||=': { meant: '+=', instead: 'write $x = $x or ..., or use ??=' },
  '|=': { meant: '+=', instead: 'write $x = $x | ...' },
  '&=': { meant: '+=', instead: 'write $x = $x & ...' },
  '^=': { meant: '+=', instead: 'write $x = $x ^ ...' },
  '<<=': { meant: '+=', instead: 'write $x = $x << ...' },
  '>>=': { meant: '+=', instead: 'write $x = $x >> ...' },
  '>>>=': { meant: '+=', instead: 'write $x = $x >>> ...' },
  '<=>': { meant: '==', instead: 'use < and >' },
  '<>': { meant: '!=', instead: 'use "!="' },
  '?->': { meant: '->', instead: 'use "->": a missing property of a missing value is none' },
  '?.': { meant: '->', instead: 'use "->": a missing property of a missing value is none' },
  ':=': { meant: '=', instead: 'use "="' },
};

/** In matching order: the longest first. */
export const foreignOperatorPattern = /&&=|\|\|=|<=>|<<=|>>>=|>>=|&&|\|\||\|=|&=|\^=|<>|\?->|\?\.(?!\.)|:=/;

const names: Readonly<Record<number, string>> = {
  160: 'a no-break space',
  8203: 'a zero-width space',
  8201: 'a thin space',
  8239: 'a narrow no-break space',
  12288: 'an ideographic space',
  65279: 'a byte order mark',
  8216: 'a typographic quote',
  8217: 'a typographic quote',
  8218: 'a typographic quote',
  8220: 'a typographic quote',
  8221: 'a typographic quote',
  8222: 'a typographic quote',
  171: 'a typographic quote',
  187: 'a typographic quote',
  8208: 'a hyphen',
  8209: 'a hyphen',
  8211: 'a dash',
  8212: 'a dash',
  8722: 'a minus sign',
  8230: 'an ellipsis character',
};

const hints: Readonly<Record<string, string>> = {
  'a no-break space': 'Replace it by an ordinary space.',
  'a zero-width space': 'Delete it: it cannot be seen, but it is there.',
  'a thin space': 'Replace it by an ordinary space.',
  'a narrow no-break space': 'Replace it by an ordinary space.',
  'an ideographic space': 'Replace it by an ordinary space.',
  'a byte order mark': 'Save the file as UTF-8 without a byte order mark.',
  'a typographic quote': 'Replace it by a straight quote: ".',
  'a hyphen': 'Replace it by -.',
  'a dash': 'Replace it by -.',
  'a minus sign': 'Replace it by -.',
  'an ellipsis character': 'Replace it by three full stops.',
};

/** How long the UTF-8 sequence at `at` is; 0 when there is none. */
function sequenceLength(text: string, at: number): number {
  const lead = text.charCodeAt(at);
  const length =
    lead >= 0xc2 && lead <= 0xdf
      ? 2
      : lead >= 0xe0 && lead <= 0xef
        ? 3
        : lead >= 0xf0 && lead <= 0xf4
          ? 4
          : 0;
  for (let next = at + 1; next < at + length; next += 1) {
    const byte = text.charCodeAt(next);
    if (!(byte >= 0x80 && byte <= 0xbf)) return 0;
  }
  return length;
}

function codePoint(text: string, at: number, length: number): number {
  let value = text.charCodeAt(at) & (0xff >> (length + 1));
  for (let next = at + 1; next < at + length; next += 1)
    value = (value << 6) | (text.charCodeAt(next) & 0x3f);
  return value;
}

/** The first character of a run of bytes outside ASCII, in words, and what to do about it. */
export function describeForeignBytes(run: string): { readonly what: string; readonly hint?: string } {
  const length = sequenceLength(run, 0);
  const value = length === 0 ? run.charCodeAt(0) : codePoint(run, 0, length);
  const number = `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
  const name = names[value];
  const hint = name === undefined ? undefined : hints[name];
  if (length === 0) {
    const byte = `the byte 0x${value.toString(16).padStart(2, '0')}`;
    return hint === undefined ? { what: byte } : { what: `${byte} (${name} in Latin-1)`, hint };
  }
  if (name !== undefined) return { what: `${name} (${number})`, ...(hint === undefined ? {} : { hint }) };
  return { what: `the character ${run.slice(0, length)} (${number})` };
}

const DOUBLE_QUOTES = ['\xe2\x80\x9c', '\xe2\x80\x9d', '\xe2\x80\x9e'];
const REACH = 400;

/** A text between typographic double quotes, on one line: one message for the pair, and a string to go on with. */
export function matchTypographicString(text: string, start: number): CustomPatternMatcherReturn | null {
  if (text.charCodeAt(start) !== 0xe2 || !DOUBLE_QUOTES.includes(text.slice(start, start + 3))) return null;
  const near = text.slice(start + 3, start + 3 + REACH);
  const close = /\n|\xe2\x80[\x9c\x9d\x9e]/.exec(near);
  if (close === null || close[0] === '\n') return null;
  const match: CustomPatternMatcherReturn = [text.slice(start, start + 3 + close.index + 3)];
  const { what } = describeForeignBytes(text.slice(start, start + 3));
  match.payload = textProblem(
    'HSL1000',
    { what },
    { hint: 'Replace the quotes by straight ones: ".', length: 3 },
  );
  return match;
}

/** `<<<WORD … WORD`: swallowed whole when its end is near enough, else its first line. */
export function matchHeredoc(text: string, start: number): CustomPatternMatcherReturn | null {
  if (!text.startsWith('<<<', start)) return null;
  const head = /^<<<[ \t]*(["']?)([A-Za-z_]\w*)\1/.exec(text.slice(start, start + 100));
  const instead = "use a raw string: 'END'text'END', which may span lines";
  let image = head?.[0] ?? '<<<';
  if (head !== null) {
    const near = text.slice(start, start + 100 * REACH);
    const end = new RegExp(`\\n[ \\t]*${head[2]}\\b`).exec(near);
    if (end !== null) image = near.slice(0, end.index + end[0].length);
  }
  const match: CustomPatternMatcherReturn = [image];
  const length = head?.[0].length ?? 3;
  match.payload = textProblem('HSL1200', { what: 'heredocs', instead }, { length });
  return match;
}
