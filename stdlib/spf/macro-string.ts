// Macros in SPF records (RFC 7208 §7): read once with the record, expanded when a term is evaluated.

import { SpfError } from './result.js';

/** The letters that a record may use; c, r and t are for explanations only (§7.3). */
const RECORD_LETTERS = 'slodipvh';

/** `%{d2r-}`: a value, split, turned round, shortened. */
interface Expansion {
  readonly letter: string;
  /** Written in upper case: the value is escaped as in a URL. */
  readonly isEscaped: boolean;
  /** The right-most parts that are kept; undefined keeps all. */
  readonly parts: number | undefined;
  readonly isReversed: boolean;
  readonly delimiters: string;
}

/** Literal text and expansions, in order. */
export type MacroString = readonly (string | Expansion)[];

/** The values of the letters; `p` costs look-ups and is asked for only when it is used. */
export type MacroValues = Readonly<
  Record<Exclude<'s' | 'l' | 'o' | 'd' | 'i' | 'p' | 'v' | 'h', 'p'>, string>
>;

/** Longer ones make no domain name, and many of them cost memory. */
const LONGEST_SPECIFICATION = 2048;
const LONGEST_NAME = 253;

/** Reads text that may hold macros. @throws SpfError permerror */
export function parseMacroString(text: string, letters = RECORD_LETTERS): MacroString {
  const pieces: (string | Expansion)[] = [];
  const macro = /%(?:([%_-])|\{([a-z])(\d*)(r?)([.\-+,/_=]*)\})/iy;
  for (let at = 0; at < text.length; ) {
    if (text[at] !== '%') {
      const next = text.indexOf('%', at);
      const literal = text.slice(at, next === -1 ? text.length : next);
      if (/[^\x21-\x7e]/.test(literal)) throw syntax(`"${text}" holds other characters than visible ASCII`);
      pieces.push(literal);
      at += literal.length;
      continue;
    }
    macro.lastIndex = at;
    const found = macro.exec(text);
    if (found === null)
      throw syntax(`"${text.slice(at, at + 20)}" is no macro; expected %{letter}, %%, %_ or %-`);
    pieces.push(found[1] === undefined ? makeExpansion(found, letters) : escapes[found[1]]!);
    at = macro.lastIndex;
  }
  return pieces;
}

const escapes: Readonly<Record<string, string>> = { '%': '%', _: ' ', '-': '%20' };

function makeExpansion(found: RegExpExecArray, letters: string): Expansion {
  const [text, , written = '', digits = '', reverse = '', delimiters = ''] = found;
  const letter = written.toLowerCase();
  if (!letters.includes(letter)) throw syntax(`the macro "${text}" is not known here`);
  if (digits !== '' && !(Number(digits) > 0)) throw syntax(`the macro "${text}" keeps no part`);
  return {
    letter,
    isEscaped: written !== letter,
    parts: digits === '' ? undefined : Number(digits),
    isReversed: reverse !== '',
    delimiters: delimiters === '' ? '.' : delimiters,
  };
}

/** Reads a domain-spec: it ends in a macro, or in a dot and a top level name (§7.1). @throws SpfError permerror */
export function parseDomainSpec(text: string, term: string): MacroString {
  if (text === '') throw syntax(`"${term}" names no domain`);
  if (text.length > LONGEST_SPECIFICATION) throw syntax('a domain has more than 2048 characters');
  const pieces = parseMacroString(text);
  if (!/%(?:[%_-]|\{[^}]*\})$/.test(text) && !endsInTopLabel(text))
    throw syntax(`"${term}" does not end in a top level domain`);
  return pieces;
}

function endsInTopLabel(text: string): boolean {
  const bare = text.replace(/\.$/, '');
  const dot = bare.lastIndexOf('.');
  const label = bare.slice(dot + 1);
  return dot !== -1 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i.test(label) && /[a-z-]/i.test(label);
}

/** Whether expanding needs the validated name of the client. */
export function usesValidatedName(macros: MacroString): boolean {
  return macros.some((piece) => typeof piece !== 'string' && piece.letter === 'p');
}

/** The text, with what is known put in. */
export function expandMacros(macros: MacroString, values: MacroValues, validatedName = 'unknown'): string {
  const known: Readonly<Record<string, string>> = { ...values, p: validatedName };
  return macros
    .map((piece) => (typeof piece === 'string' ? piece : expand(piece, known[piece.letter]!)))
    .join('');
}

/** The domain name that a domain-spec stands for: cut from the left to 253 characters, without the final dot (§7.3). */
export function expandDomain(macros: MacroString, values: MacroValues, validatedName?: string): string {
  let name = expandMacros(macros, values, validatedName).replace(/\.$/, '');
  while (name.length > LONGEST_NAME) {
    const dot = name.indexOf('.', name.length - LONGEST_NAME - 1);
    // One label alone is too long: no name, and nobody will find it.
    if (dot === -1) return name;
    name = name.slice(dot + 1);
  }
  return name;
}

function expand({ parts, isReversed, delimiters, isEscaped }: Expansion, value: string): string {
  let split = splitAt(value, delimiters);
  if (isReversed) split = split.reverse();
  if (parts !== undefined) split = split.slice(-parts);
  const joined = split.join('.');
  return isEscaped ? escapeUrl(joined) : joined;
}

function splitAt(value: string, delimiters: string): string[] {
  const parts = [''];
  for (const character of value) {
    if (delimiters.includes(character)) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

/** All but the unreserved characters of RFC 3986 §2.3. */
function escapeUrl(bytes: string): string {
  return bytes.replace(
    /[^A-Za-z0-9\-._~]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function syntax(message: string): SpfError {
  return new SpfError('permerror', message);
}
