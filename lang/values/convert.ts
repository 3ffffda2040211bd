// Conversions between the types: string(), number(), boolean() and what the operators do silently (hsl-language 3).
// Guesses of hsl-language 20 that live here: the text of booleans and none (`toText`), the form of very large and very
// small numbers (`numberToText`), what counts as a number (`textToNumber`).

import { HslArray, type Key } from './array.js';
import { HslFunction } from './function.js';
import { HslObject } from './object.js';
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
      return value instanceof HslArray ? arrayToText(value) : referenceToText(value);
  }
}

function referenceToText(value: Exclude<Value, null | boolean | number | string | HslArray>): string {
  if (value instanceof HslObject) return `object(${value.classOf.name})`;
  return value instanceof HslFunction ? 'function' : `resource(${value.type})`;
}

function arrayToText(array: HslArray): string {
  let text = '[';
  let first = true;
  for (const [key, value] of array.entries()) {
    text += `${first ? '' : ','}${elementToText(key)}=>${elementToText(value)}`;
    first = false;
  }
  return `${text}]`;
}

function elementToText(value: Key | Value): string {
  return typeof value === 'string' ? quoteText(value) : toText(value);
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
