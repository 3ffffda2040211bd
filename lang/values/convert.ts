// Conversions between the types: string(), number(), boolean() and what the operators do silently (hsl-language 3).
// Guesses of hsl-language 20 that live here: the text of booleans and none (`toText`), the form of very large and very
// small numbers (`numberToText`), what counts as a number (`textToNumber`).

import { HslArray, type Key } from './array.js';
import { HslFunction } from './function.js';
import { HslObject } from './object.js';
import { ScriptFault } from './script-fault.js';
import type { Value } from './value.js';

/** Truthiness (hsl-language 3.1). NaN is true. */
export function toBoolean(value: Value): boolean {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'number':
      return value !== 0;
    case 'string':
      return value !== '';
    default:
      return value !== null && (!(value instanceof HslArray) || value.length > 0);
  }
}

/** `number(x)` (hsl-language 3.3). */
export function toNumber(value: Value): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return textToNumber(value);
  return value === true ? 1 : 0;
}

const DECIMAL = /^[ \t\r\n\v\f]*[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t\r\n\v\f]*$/;
const HEXADECIMAL = /^[ \t\r\n\v\f]*([+-]?)0[xX]([0-9a-fA-F]+)[ \t\r\n\v\f]*$/;

/** The number that the whole text is; 0 when it is none. */
export function textToNumber(text: string): number {
  if (DECIMAL.test(text)) return Number(text);
  const hexadecimal = HEXADECIMAL.exec(text);
  if (hexadecimal === null) return 0;
  const magnitude = Number(`0x${hexadecimal[2]}`);
  return hexadecimal[1] === '-' ? -magnitude : magnitude;
}

/** The shortest text that reads back as the same number; integers up to 1e21 in full. */
export function numberToText(number: number): string {
  if (Number.isFinite(number)) return String(number);
  if (Number.isNaN(number)) return 'nan';
  return number > 0 ? 'inf' : '-inf';
}

/** `string(x)`: what echo and interpolation print (hsl-language 3.2). */
export function toText(value: Value): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return numberToText(value);
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      if (value === null) return 'none';
      return value instanceof HslArray ? new ArrayText().of(value) : referenceToText(value);
  }
}

function referenceToText(value: Exclude<Value, null | boolean | number | string | HslArray>): string {
  if (value instanceof HslObject) return `object(${value.classOf.name})`;
  return value instanceof HslFunction ? 'function' : `resource(${value.type})`;
}

/** Longer texts of arrays are refused: they come from arrays that hold one another many times over. */
const MAX_ARRAY_TEXT = 2 ** 28;

// An array that is held in several places of another is written once and its text reused: `$a = [$a, $a]` forty times
// over is small in memory, and its text must end in an exception, not in a machine without memory.
class ArrayText {
  #known: Map<HslArray, string> | undefined = undefined;

  of(array: HslArray): string {
    if (!array.shared) return this.#write(array);
    const known = this.#known?.get(array);
    if (known !== undefined) return known;
    const text = this.#write(array);
    this.#known ??= new Map();
    this.#known.set(array, text);
    return text;
  }

  #write(array: HslArray): string {
    const parts: string[] = [];
    let length = 0;
    for (const [key, value] of array.entries()) {
      const part = `${this.#element(key)}=>${this.#element(value)}`;
      length += part.length;
      if (length > MAX_ARRAY_TEXT) throw new ScriptFault('the text of the array would be too long');
      parts.push(part);
    }
    return `[${parts.join(',')}]`;
  }

  #element(value: Key | Value): string {
    if (typeof value === 'string') return quoteText(value);
    return value instanceof HslArray ? this.of(value) : toText(value);
  }
}

const NEEDS_ESCAPE = /["\\\x00-\x1f\x7f]/g;

/** A string as arrays print it: in double quotes, with `"`, `\` and control bytes escaped. */
export function quoteText(text: string): string {
  return `"${text.replace(NEEDS_ESCAPE, escapeByte)}"`;
}

function escapeByte(byte: string): string {
  switch (byte) {
    case '"':
      return '\\"';
    case '\\':
      return '\\\\';
    case '\n':
      return '\\n';
    case '\r':
      return '\\r';
    case '\t':
      return '\\t';
    default:
      return `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
  }
}
