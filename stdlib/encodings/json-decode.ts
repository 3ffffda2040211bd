// JSON text (RFC 8259) as values. Our own parser, because JavaScript's would sort keys that look like numbers to the
// front, knows no comments, and has no limit on nesting.

import { isUtf8 } from 'node:buffer';
import { HslArray, textToBytes, type Value } from '#lang';
import { DEEPEST_NESTING } from '../limits.js';

export type Decoded = { readonly value: Value } | { readonly problem: string; readonly line: number };

/** Thrown inside and caught at the top. */
class BadJson extends Error {}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** Bytes of a string up to its end, its next escape, or a byte that may not stand there. */
const STRING_RUN = /[^"\\\x00-\x1f]*/y;
const BLANKS = /[ \t\r\n]*/y;
const REST_OF_LINE = /[^\r\n]*/y;

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** The value of `bytes`, or what is wrong in which line. A later duplicate of a key wins. */
export function decodeJson(bytes: string, allowComments: boolean): Decoded {
  const parser = new JsonParser(bytes.startsWith('\xef\xbb\xbf') ? bytes.slice(3) : bytes, allowComments);
  return parser.parse();
}

class JsonParser {
  readonly #text: string;
  readonly #allowComments: boolean;
  #at = 0;

  constructor(text: string, allowComments: boolean) {
    this.#text = text;
    this.#allowComments = allowComments;
  }

  parse(): Decoded {
    try {
      if (!isUtf8(Buffer.from(this.#text, 'latin1'))) throw new BadJson('the text is not UTF-8');
      const value = this.#value(0);
      this.#skipBlanks();
      if (this.#at < this.#text.length) this.#fail('the end of the text');
      return { value };
    } catch (error) {
      if (!(error instanceof BadJson)) throw error;
      return { problem: error.message, line: this.#text.slice(0, this.#at).split('\n').length };
    }
  }

  #value(depth: number): Value {
    this.#skipBlanks();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): HslArray {
    this.#enter(depth);
    const array = HslArray.empty();
    if (this.#takes('}')) return array;
    do {
      this.#skipBlanks();
      if (this.#text[this.#at] !== '"') this.#fail('a key in double quotes');
      const key = this.#string();
      if (!this.#takes(':')) this.#fail('":" behind the key');
      array.set(key, this.#value(depth + 1));
    } while (this.#takes(','));
    if (!this.#takes('}')) this.#fail('"," or "}"');
    return array;
  }

  #array(depth: number): HslArray {
    this.#enter(depth);
    const values: Value[] = [];
    if (this.#takes(']')) return HslArray.fromList(values);
    do values.push(this.#value(depth + 1));
    while (this.#takes(','));
    if (!this.#takes(']')) this.#fail('"," or "]"');
    return HslArray.fromList(values);
  }

  #enter(depth: number): void {
    if (depth >= DEEPEST_NESTING) throw new BadJson(`it nests deeper than ${DEEPEST_NESTING} levels`);
    this.#at++;
  }

  #string(): string {
    this.#at++;
    let text = '';
    for (;;) {
      STRING_RUN.lastIndex = this.#at;
      STRING_RUN.test(this.#text);
      text += this.#text.slice(this.#at, STRING_RUN.lastIndex);
      this.#at = STRING_RUN.lastIndex;
      const next = this.#text[this.#at];
      if (next === '"') {
        this.#at++;
        return text;
      }
      if (next !== '\\') this.#fail('the closing quote of a string');
      text += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? '';
    const simple = SIMPLE_ESCAPES[letter];
    if (simple !== undefined) {
      this.#at += 2;
      return simple;
    }
    const first = this.#codeUnit();
    // Two surrogates make one character.
    if (first < 0xd800 || first > 0xdbff || !this.#text.startsWith('\\u', this.#at))
      return textToBytes(String.fromCharCode(first));
    const at = this.#at;
    const second = this.#codeUnit();
    if (second >= 0xdc00 && second <= 0xdfff) return textToBytes(String.fromCharCode(first, second));
    this.#at = at;
    return textToBytes(String.fromCharCode(first));
  }

  /** `\uXXXX`. */
  #codeUnit(): number {
    const digits = this.#text.slice(this.#at + 2, this.#at + 6);
    if (this.#text[this.#at + 1] !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits))
      this.#fail('an escape such as \\n or \\u0041');
    this.#at += 6;
    return Number.parseInt(digits, 16);
  }

  #number(): number {
    NUMBER.lastIndex = this.#at;
    const digits = NUMBER.exec(this.#text)?.[0];
    if (digits === undefined) this.#fail('a value');
    const number = Number(digits);
    if (!Number.isFinite(number)) throw new BadJson(`the number ${digits} is too large`);
    this.#at += digits.length;
    return number;
  }

  #word<T extends Value>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('a value');
    this.#at += word.length;
    return value;
  }

  #takes(mark: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  #skipBlanks(): void {
    this.#skip(BLANKS);
    // A loop, because one regular expression for many comments would end on its own stack.
    while (this.#allowComments && this.#text[this.#at] === '/') {
      if (this.#text[this.#at + 1] === '/') this.#skip(REST_OF_LINE);
      else if (this.#text[this.#at + 1] === '*') {
        const end = this.#text.indexOf('*/', this.#at + 2);
        if (end === -1) throw new BadJson('a comment has no end');
        this.#at = end + 2;
      } else return;
      this.#skip(BLANKS);
    }
  }

  #skip(run: RegExp): void {
    run.lastIndex = this.#at;
    run.test(this.#text);
    this.#at = run.lastIndex;
  }

  #fail(expected: string): never {
    const found = this.#at < this.#text.length ? JSON.stringify(this.#text[this.#at]) : 'the end of the text';
    throw new BadJson(`found ${found} where ${expected} was expected`);
  }
}
