// Values as JSON text (RFC 8259), byte strings as UTF-8.

import { isUtf8 } from 'node:buffer';
import { bytesToText, HslArray, ScriptFault, textToBytes, type Value } from '#lang';
import { DEEPEST_NESTING, MOST_ELEMENTS } from '../limits.js';
import { GrowingText } from '../strings/growing-text.js';

export interface JsonStyle {
  /** Characters beyond ASCII as `\uXXXX`, in surrogate pairs where needed. */
  readonly ensureAscii: boolean;
  /** Lines and four blanks per level. */
  readonly pretty: boolean;
}

/** Thrown inside and caught at the top: the value has no JSON form. */
class NoJson extends Error {}

/** How much text may pile up before `reserve` hears of it: arrays can share parts, so a small value can be a long text. */
const RESERVE_STEP = 64 * 1024;

/** Values between two looks of whoever writes in stretches. */
const STRETCH = 4096;

/**
 * The text as UTF-8 bytes; undefined for what JSON cannot say: bytes that are no UTF-8, functions, objects, NaN,
 * infinities, keys that are neither number nor string, nesting beyond DEEPEST_NESTING. @throws ScriptFault for more than
 * MOST_ELEMENTS values, which a small array can have that holds others in many places
 */
export function encodeJson(
  value: Value,
  style: JsonStyle,
  reserve: (bytes: number) => void,
): string | undefined {
  const writing = writeJson(value, style, reserve);
  let step = writing.next();
  while (!step.done) step = writing.next();
  return step.value;
}

/** `encodeJson` in stretches of about a millisecond: between them the caller may do something else. */
export function* writeJson(
  value: Value,
  style: JsonStyle,
  reserve: (bytes: number) => void,
): Generator<undefined, string | undefined> {
  const writer = new JsonWriter(style, reserve);
  try {
    writer.put(value);
    while (writer.write(STRETCH)) yield;
    return writer.end();
  } catch (error) {
    if (error instanceof NoJson) return undefined;
    throw error;
  }
}

/** An array of which not all has been written. */
interface OpenArray {
  readonly entries: Iterator<readonly [Value, Value]>;
  readonly isList: boolean;
  /** What stands before the next element. */
  separator: string;
}

class JsonWriter {
  readonly #style: JsonStyle;
  readonly #reserve: (bytes: number) => void;
  readonly #text = new GrowingText();
  readonly #open: OpenArray[] = [];
  #reserved = 0;
  #values = 0;

  constructor(style: JsonStyle, reserve: (bytes: number) => void) {
    this.#style = style;
    this.#reserve = reserve;
  }

  end(): string {
    this.#reserve(this.#text.length - this.#reserved);
    return this.#text.toString();
  }

  /** Writes so many elements of the arrays begun. @returns whether there are more */
  write(count: number): boolean {
    for (let written = 0; written < count; written++) {
      const open = this.#open.at(-1);
      if (open === undefined) return false;
      const next = open.entries.next();
      if (next.done) this.#close(open);
      else this.#element(open, next.value);
    }
    return true;
  }

  #element(open: OpenArray, [key, item]: readonly [Value, Value]): void {
    this.#add(open.separator);
    open.separator = `,${this.#lineStart()}`;
    if (!open.isList) {
      if (typeof key !== 'number' && typeof key !== 'string') throw new NoJson();
      this.#add(typeof key === 'number' ? `"${key}"` : quote(key, this.#style.ensureAscii, this.#reserve));
      this.#add(this.#style.pretty ? ': ' : ':');
    }
    this.put(item);
  }

  #close(open: OpenArray): void {
    this.#open.pop();
    this.#add(this.#lineStart() + (open.isList ? ']' : '}'));
  }

  /** A scalar, or the beginning of an array. */
  put(value: Value): void {
    if (++this.#values > MOST_ELEMENTS)
      throw new ScriptFault(`json_encode: the value has more than ${MOST_ELEMENTS} elements`);
    if (value === null) this.#add('null');
    else if (typeof value === 'string') this.#add(quote(value, this.#style.ensureAscii, this.#reserve));
    else if (typeof value === 'boolean') this.#add(value ? 'true' : 'false');
    else if (typeof value === 'number') {
      if (!Number.isFinite(value)) throw new NoJson();
      this.#add(String(value));
    } else if (value instanceof HslArray) this.#begin(value);
    else throw new NoJson();
  }

  #begin(array: HslArray): void {
    if (this.#open.length >= DEEPEST_NESTING) throw new NoJson();
    if (array.length === 0) {
      this.#add('[]');
      return;
    }
    const { isList } = array;
    const open = { entries: array.entries()[Symbol.iterator](), isList, separator: '' };
    this.#open.push(open);
    open.separator = (isList ? '[' : '{') + this.#lineStart();
  }

  /** Where an element of the innermost array begins. */
  #lineStart(): string {
    return this.#style.pretty ? `\n${'    '.repeat(this.#open.length)}` : '';
  }

  #add(part: string): void {
    this.#text.add(part);
    const { length } = this.#text;
    if (length - this.#reserved <= RESERVE_STEP) return;
    this.#reserve(length - this.#reserved);
    this.#reserved = length;
  }
}

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const ASCII = /^[\x00-\x7f]*$/;

/** Longer texts are reserved at their largest before they are escaped: `\u0000` for each byte. */
const LARGE_BYTES = 1024 * 1024;

function quote(bytes: string, ensureAscii: boolean, reserve: (bytes: number) => void): string {
  if (PLAIN.test(bytes)) return `"${bytes}"`;
  if (bytes.length > LARGE_BYTES) reserve(bytes.length * 6);
  if (ASCII.test(bytes)) return JSON.stringify(bytes);
  if (!isUtf8(Buffer.from(bytes, 'latin1'))) throw new NoJson();
  const quoted = JSON.stringify(bytesToText(bytes));
  if (!ensureAscii) return textToBytes(quoted);
  return quoted.replace(/[\x80-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
