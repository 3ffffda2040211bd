// Reads the part of PCRE's syntax that V8 can run with the same meaning. Whatever is not plainly in it (and everything
// that is wrong) is left to PCRE2, which also has the better error messages: this parser only ever says "not mine".
// Syntax as in pcre2pattern(3), release 10.42; where releases differ, it is not ours either.

import {
  anyByte,
  type ByteSet,
  caseless,
  complement,
  newline,
  posixClasses,
  rangesOfBytes,
  singleByte,
  typeEscapes,
  union,
} from './byte-set.js';
import type { Assertion, PatternNode, PatternTree } from './pattern-tree.js';

/** Deeper nesting goes to PCRE2, which has its own limit. */
const DEEPEST = 40;
const LARGEST_COUNT = 1000;

/** @returns the tree, or undefined when the pattern has something that is PCRE2's business */
export function parsePattern(source: string, flags: string): PatternTree | undefined {
  // UTF-8 patterns count characters where V8 would count bytes.
  if (flags.includes('u')) return undefined;
  try {
    return new Reader(source).pattern({
      caseless: flags.includes('i'),
      multiline: flags.includes('m'),
      dotAll: flags.includes('s'),
      extended: flags.includes('x'),
      ungreedy: flags.includes('U'),
    });
  } catch (error) {
    if (error instanceof NotOurs) return undefined;
    throw error;
  }
}

/** Thrown at the first thing that is left to PCRE2; never leaves this file. */
class NotOurs extends Error {}

function notOurs(): never {
  throw new NotOurs();
}

interface Settings {
  readonly caseless: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly extended: boolean;
  readonly ungreedy: boolean;
}

const settingLetters: Readonly<Record<string, keyof Settings>> = {
  i: 'caseless',
  m: 'multiline',
  s: 'dotAll',
  x: 'extended',
  U: 'ungreedy',
};

/** Escapes for one byte that are the same inside and outside brackets. */
const byteEscapes: Readonly<Record<string, number>> = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9 };

const assertionEscapes: Readonly<Record<string, Assertion>> = {
  A: 'subjectStart',
  Z: 'subjectEnd',
  z: 'veryEnd',
  b: 'wordBoundary',
  B: 'noWordBoundary',
};

class Reader {
  readonly #source: string;
  #at = 0;
  #groups = 0;
  #depth = 0;
  readonly #names: { name: string; group: number }[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  pattern(settings: Settings): PatternTree {
    const body = this.#choice(settings);
    if (this.#at < this.#source.length) notOurs();
    return { body, groupCount: this.#groups, names: this.#names };
  }

  /** Branches up to a closing parenthesis or the end. `(?i)` holds from where it stands to the end of all branches. */
  #choice(settings: Settings): PatternNode {
    if (++this.#depth > DEEPEST) notOurs();
    const branches: PatternNode[] = [];
    let items: PatternNode[] = [];
    let current = settings;
    const endBranch = () => {
      branches.push(items.length === 1 ? items[0]! : { kind: 'sequence', items });
      items = [];
    };
    for (;;) {
      if (current.extended) this.#skipSpace();
      const char = this.#source[this.#at];
      if (char === undefined || char === ')') break;
      if (char === '|') {
        this.#at++;
        endBranch();
        continue;
      }
      const changed = this.#settings(current);
      if (changed !== undefined) current = changed;
      else items.push(this.#quantified(this.#item(current), current));
    }
    endBranch();
    this.#depth--;
    return branches.length === 1 ? branches[0]! : { kind: 'choice', branches };
  }

  /** White space and comments of the flag x. */
  #skipSpace(): void {
    const skipped = /(?:[\t-\r ]+|#[^\n]*(?:\n|$))*/y;
    skipped.lastIndex = this.#at;
    skipped.exec(this.#source);
    this.#at = skipped.lastIndex;
  }

  /** `(?i-s)` at this place. */
  #settings(from: Settings): Settings | undefined {
    const found = this.#take(/\(\?(?!\))([imsxU]*)(?:-([imsxU]+))?\)/y);
    if (found === undefined) return undefined;
    return changeSettings(from, found[1]!, found[2] ?? '');
  }

  #item(settings: Settings): PatternNode {
    const char = this.#source[this.#at++]!;
    switch (char) {
      case '(':
        return this.#group(settings);
      case '[':
        return { kind: 'bytes', set: this.#brackets(settings) };
      case '.':
        return { kind: 'bytes', set: settings.dotAll ? anyByte : complement(newline) };
      case '^':
        return { kind: 'assertion', what: settings.multiline ? 'lineStart' : 'subjectStart' };
      case '$':
        return { kind: 'assertion', what: settings.multiline ? 'lineEnd' : 'subjectEnd' };
      case '\\':
        return this.#escape(settings);
      case '*':
      case '+':
      case '?':
      case '{':
        return notOurs();
      default:
        return literal(char.charCodeAt(0), settings);
    }
  }

  #group(settings: Settings): PatternNode {
    if (this.#source[this.#at] === '*') notOurs();
    if (this.#source[this.#at] !== '?') return this.#capture(settings);
    const ahead = this.#take(/\?[=!]/y);
    if (ahead !== undefined) {
      const before = this.#groups;
      const body = this.#closed(settings);
      // What a group inside keeps after the look-ahead differs too easily.
      if (this.#groups !== before) notOurs();
      return { kind: 'ahead', negative: ahead[0] === '?!', body };
    }
    const name = this.#take(/\?(?:P?<([A-Za-z_]\w{0,31})>|'([A-Za-z_]\w{0,31})')/y);
    if (name !== undefined) return this.#capture(settings, name[1] ?? name[2]!);
    const plain = this.#take(/\?([imsxU]*)(?:-([imsxU]+))?:/y);
    if (plain !== undefined) return this.#closed(changeSettings(settings, plain[1]!, plain[2] ?? ''));
    return notOurs();
  }

  #capture(settings: Settings, name?: string): PatternNode {
    const number = ++this.#groups;
    if (name !== undefined) {
      if (this.#names.some((known) => known.name === name)) notOurs();
      this.#names.push({ name, group: number });
    }
    return { kind: 'group', number, body: this.#closed(settings) };
  }

  #closed(settings: Settings): PatternNode {
    const body = this.#choice(settings);
    if (this.#source[this.#at++] !== ')') notOurs();
    return body;
  }

  #quantified(body: PatternNode, settings: Settings): PatternNode {
    if (settings.extended) this.#skipSpace();
    const found = this.#take(/[*+?]|\{(\d{1,4})(,(\d{1,4})?)?\}/y);
    if (found === undefined) return body;
    if (body.kind === 'assertion' || body.kind === 'ahead') notOurs();
    const [min, max] = countsOf(found);
    const sign = this.#take(/[+?]/y)?.[0];
    // Possessive; and a quantifier behind white space, or on a quantifier, is an error or changed meaning over time.
    if (sign === '+') notOurs();
    if (settings.extended) this.#skipSpace();
    if (/[*+?{]/y.test(this.#source.charAt(this.#at))) notOurs();
    if (max === 0 || min > max || min > LARGEST_COUNT || (max !== Infinity && max > LARGEST_COUNT)) notOurs();
    return { kind: 'repeat', body, min, max, lazy: (sign === '?') !== settings.ungreedy };
  }

  #escape(settings: Settings): PatternNode {
    const char = this.#source[this.#at++];
    if (char === undefined) return notOurs();
    const what = assertionEscapes[char];
    if (what !== undefined) return { kind: 'assertion', what };
    if (char === 'N' && this.#source[this.#at] !== '{') return { kind: 'bytes', set: complement(newline) };
    const set = typeEscapes[char];
    if (set !== undefined) return { kind: 'bytes', set };
    return literal(this.#escapedByte(char), settings);
  }

  /** The byte of an escape whose letter has been read. */
  #escapedByte(char: string): number {
    const known = byteEscapes[char];
    if (known !== undefined) return known;
    if (char === 'x') {
      const hex = this.#take(/([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,2})\}/y);
      return hex === undefined ? notOurs() : Number.parseInt(hex[1] ?? hex[2]!, 16);
    }
    if (/[A-Za-z0-9]/.test(char)) notOurs();
    return char.charCodeAt(0);
  }

  /** A bracketed class whose `[` has been read. */
  #brackets(settings: Settings): ByteSet {
    const negated = this.#take(/\^/y) !== undefined;
    let set: ByteSet = rangesOfBytes();
    for (let first = true; ; first = false) {
      const char = this.#source[this.#at++];
      if (char === undefined) notOurs();
      if (char === ']' && !first) break;
      set = union(set, this.#classItem(char, settings));
    }
    if (settings.caseless) set = caseless(set);
    return negated ? complement(set) : set;
  }

  #classItem(char: string, settings: Settings): ByteSet {
    if (char === '[' && /[:.=]/.test(this.#source.charAt(this.#at))) {
      const name = this.#take(/:(\^?)(\w+):\]/y);
      const posix = name === undefined ? undefined : posixClasses[name[2]!];
      // Negated and caseless together: PCRE2 folds before it negates.
      if (name === undefined || posix === undefined || (name[1] !== '' && settings.caseless))
        return notOurs();
      this.#noRange();
      return name[1] === '' ? posix : complement(posix);
    }
    if (char === '\\') {
      const set = typeEscapes[this.#source.charAt(this.#at)];
      if (set !== undefined) {
        this.#at++;
        this.#noRange();
        return set;
      }
    }
    const from = this.#classByte(char);
    if (this.#source[this.#at] !== '-' || this.#source[this.#at + 1] === ']') return singleByte(from);
    this.#at++;
    const end = this.#source[this.#at++];
    if (end === undefined || end === '[') return notOurs();
    const to = this.#classByte(end);
    if (to < from) notOurs();
    this.#noRange();
    return rangesOfBytes([from, to]);
  }

  #classByte(char: string): number {
    if (char !== '\\') return char.charCodeAt(0);
    const escaped = this.#source[this.#at++];
    if (escaped === undefined) return notOurs();
    return escaped === 'b' ? 8 : this.#escapedByte(escaped);
  }

  /** A hyphen after a range, a POSIX class or `\d` is a literal, an error or a warning, by release. */
  #noRange(): void {
    if (this.#source[this.#at] === '-' && this.#source[this.#at + 1] !== ']') notOurs();
  }

  /** Reads what a sticky expression matches here. */
  #take(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#source);
    if (found === null) return undefined;
    this.#at = sticky.lastIndex;
    return found;
  }
}

function literal(byte: number, settings: Settings): PatternNode {
  const set = singleByte(byte);
  return { kind: 'bytes', set: settings.caseless ? caseless(set) : set };
}

function countsOf(found: RegExpExecArray): [number, number] {
  switch (found[0]) {
    case '*':
      return [0, Infinity];
    case '+':
      return [1, Infinity];
    case '?':
      return [0, 1];
    default: {
      const min = Number(found[1]);
      if (found[2] === undefined) return [min, min];
      return [min, found[3] === undefined ? Infinity : Number(found[3])];
    }
  }
}

function changeSettings(from: Settings, on: string, off: string): Settings {
  if (on === '' && off === '') return from;
  // `xx` is another setting.
  if (/x.*x/.test(on) || /x.*x/.test(off)) notOurs();
  const changed: Record<keyof Settings, boolean> = { ...from };
  for (const letter of on) changed[settingLetters[letter]!] = true;
  for (const letter of off) changed[settingLetters[letter]!] = false;
  return changed;
}
