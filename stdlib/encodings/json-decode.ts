// JSON text (RFC 8259) as values. Our own parser, because JavaScript's would sort keys that look like numbers to the
// front, knows no comments, and has no limit on nesting.

import { isUtf8 } from 'node:buffer';
import { HslArray, textToBytes, type Value } from '#lang';
import { DEEPEST_NESTING } from '../limits.js';

export type Decoded = { readonly value: Value } | { readonly problem: string; readonly line: number };

/** Stands where a list has no object. */
const NO_OBJECT = HslArray.empty();

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

/** What values take in memory, roughly: an array itself, an element of it beside its text. */
const ARRAY_BYTES = 64;
const ELEMENT_BYTES = 32;

/** Values between two looks of whoever reads in stretches. */
const STRETCH = 4096;

/** The value of `bytes`, or what is wrong in which line. A later duplicate of a key wins. */
export function decodeJson(bytes: string, allowComments: boolean): Decoded {
  const reading = readJson(bytes, allowComments, () => {});
  let step = reading.next();
  while (!step.done) step = reading.next();
  return step.value;
}

/**
 * `decodeJson` in stretches of about a millisecond: between them the caller may do something else.
 * @param reserve hears of the memory that the values take; it may throw
 */
export function* readJson(
  bytes: string,
  allowComments: boolean,
  reserve: (bytes: number, elements: number) => void,
): Generator<undefined, Decoded> {
  const text = bytes.startsWith('\xef\xbb\xbf') ? bytes.slice(3) : bytes;
  const parser = new JsonParser(text, allowComments);
  try {
    if (!isUtf8(Buffer.from(text, 'latin1'))) throw new BadJson('the text is not UTF-8');
    for (let from = 0; ; ) {
      const isDone = parser.read(STRETCH);
      reserve(parser.arrays * ARRAY_BYTES + parser.values * ELEMENT_BYTES + parser.at - from, parser.values);
      from = parser.at;
      parser.arrays = 0;
      parser.values = 0;
      if (isDone) return { value: parser.end() };
      yield;
    }
  } catch (error) {
    if (!(error instanceof BadJson)) throw error;
    return { problem: error.message, line: text.slice(0, parser.at).split('\n').length };
  }
}

/** An array whose end has not been read. */
interface OpenArray {
  /** The elements, for `[`. */
  readonly list: Value[] | undefined;
  /** The object, for `{`. */
  readonly object: HslArray;
  /** Of the value to come. */
  key: string;
}

class JsonParser {
  readonly #text: string;
  readonly #allowComments: boolean;
  readonly #open: OpenArray[] = [];
  #whole: Value = null;
  at = 0;
  /** Read since somebody set them to 0. */
  values = 0;
  arrays = 0;

  constructor(text: string, allowComments: boolean) {
    this.#text = text;
    this.#allowComments = allowComments;
  }

  /** Reads some more values. @returns whether the outermost one is whole */
  read(count: number): boolean {
    for (this.values = 0; this.values < count; ) {
      this.values++;
      const value = this.#value();
      if (value !== undefined && this.#put(value)) return true;
    }
    return false;
  }

  /** The value, when nothing stands behind it. */
  end(): Value {
    this.#skipBlanks();
    if (this.at < this.#text.length) this.#fail('the end of the text');
    return this.#whole;
  }

  /** A value that is whole, or undefined when it has begun and its first element is to come. */
  #value(): Value | undefined {
    this.#skipBlanks();
    switch (this.#text[this.at]) {
      case '{':
        this.#enter();
        if (this.#takes('}')) return HslArray.empty();
        this.#open.push({ list: undefined, object: HslArray.empty(), key: this.#key() });
        return undefined;
      case '[':
        this.#enter();
        if (this.#takes(']')) return HslArray.empty();
        this.#open.push({ list: [], object: NO_OBJECT, key: '' });
        return undefined;
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

  /** Puts a value where it belongs, and closes the arrays that end behind it. @returns whether all are closed */
  #put(value: Value): boolean {
    let whole = value;
    for (let open = this.#open.at(-1); open !== undefined; open = this.#open.at(-1)) {
      const { list, object } = open;
      if (list === undefined) object.set(open.key, whole);
      else list.push(whole);
      if (this.#takes(',')) {
        if (list === undefined) open.key = this.#key();
        return false;
      }
      if (!this.#takes(list === undefined ? '}' : ']'))
        this.#fail(list === undefined ? '"," or "}"' : '"," or "]"');
      this.#open.pop();
      whole = list === undefined ? object : HslArray.fromList(list);
    }
    this.#whole = whole;
    return true;
  }

  /** A key and its colon. */
  #key(): string {
    this.#skipBlanks();
    if (this.#text[this.at] !== '"') this.#fail('a key in double quotes');
    const key = this.#string();
    if (!this.#takes(':')) this.#fail('":" behind the key');
    return key;
  }

  #enter(): void {
    if (this.#open.length >= DEEPEST_NESTING)
      throw new BadJson(`it nests deeper than ${DEEPEST_NESTING} levels`);
    this.arrays++;
    this.at++;
  }

  #string(): string {
    this.at++;
    let text = '';
    for (;;) {
      STRING_RUN.lastIndex = this.at;
      STRING_RUN.test(this.#text);
      text += this.#text.slice(this.at, STRING_RUN.lastIndex);
      this.at = STRING_RUN.lastIndex;
      const next = this.#text[this.at];
      if (next === '"') {
        this.at++;
        return text;
      }
      if (next !== '\\') this.#fail('the closing quote of a string');
      text += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text[this.at + 1] ?? '';
    const simple = SIMPLE_ESCAPES[letter];
    if (simple !== undefined) {
      this.at += 2;
      return simple;
    }
    const first = this.#codeUnit();
    // Two surrogates make one character.
    if (first < 0xd800 || first > 0xdbff || !this.#text.startsWith('\\u', this.at))
      return textToBytes(String.fromCharCode(first));
    const at = this.at;
    const second = this.#codeUnit();
    if (second >= 0xdc00 && second <= 0xdfff) return textToBytes(String.fromCharCode(first, second));
    this.at = at;
    return textToBytes(String.fromCharCode(first));
  }

  /** `\uXXXX`. */
  #codeUnit(): number {
    const digits = this.#text.slice(this.at + 2, this.at + 6);
    if (this.#text[this.at + 1] !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits))
      this.#fail('an escape such as \\n or \\u0041');
    this.at += 6;
    return Number.parseInt(digits, 16);
  }

  #number(): number {
    NUMBER.lastIndex = this.at;
    const digits = NUMBER.exec(this.#text)?.[0];
    if (digits === undefined) this.#fail('a value');
    const number = Number(digits);
    if (!Number.isFinite(number)) throw new BadJson(`the number ${digits} is too large`);
    this.at += digits.length;
    return number;
  }

  #word<T extends Value>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.at)) this.#fail('a value');
    this.at += word.length;
    return value;
  }

  #takes(mark: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.at] !== mark) return false;
    this.at++;
    return true;
  }

  #skipBlanks(): void {
    this.#skip(BLANKS);
    // A loop, because one regular expression for many comments would end on its own stack.
    while (this.#allowComments && this.#text[this.at] === '/') {
      if (this.#text[this.at + 1] === '/') this.#skip(REST_OF_LINE);
      else if (this.#text[this.at + 1] === '*') {
        const end = this.#text.indexOf('*/', this.at + 2);
        if (end === -1) throw new BadJson('a comment has no end');
        this.at = end + 2;
      } else return;
      this.#skip(BLANKS);
    }
  }

  #skip(run: RegExp): void {
    run.lastIndex = this.at;
    run.test(this.#text);
    this.at = run.lastIndex;
  }

  #fail(expected: string): never {
    const found = this.at < this.#text.length ? JSON.stringify(this.#text[this.at]) : 'the end of the text';
    throw new BadJson(`found ${found} where ${expected} was expected`);
  }
}
