// Values as JSON text (RFC 8259), byte strings as UTF-8.

import { isUtf8 } from 'node:buffer';
import { bytesToText, HslArray, textToBytes, type Value } from '#lang';
import { DEEPEST_NESTING } from '../limits.js';

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

/**
 * The text as UTF-8 bytes; undefined for what JSON cannot say: bytes that are no UTF-8, functions, objects, NaN,
 * infinities, keys that are neither number nor string, nesting beyond DEEPEST_NESTING.
 */
export function encodeJson(
  value: Value,
  style: JsonStyle,
  reserve: (bytes: number) => void,
): string | undefined {
  let text = '';
  let reserved = 0;

  const write = (part: string): void => {
    text += part;
    if (text.length - reserved > RESERVE_STEP) {
      reserve(text.length - reserved);
      reserved = text.length;
    }
  };

  const writeValue = (item: Value, depth: number): void => {
    if (item === null) write('null');
    else if (typeof item === 'string') write(quote(item, style.ensureAscii, reserve));
    else if (typeof item === 'boolean') write(item ? 'true' : 'false');
    else if (typeof item === 'number') {
      if (!Number.isFinite(item)) throw new NoJson();
      write(String(item));
    } else if (item instanceof HslArray) writeArray(item, depth);
    else throw new NoJson();
  };

  const writeArray = (array: HslArray, depth: number): void => {
    if (depth >= DEEPEST_NESTING) throw new NoJson();
    const isList = array.isList;
    if (array.length === 0) {
      write('[]');
      return;
    }
    const lineStart = style.pretty ? `\n${'    '.repeat(depth + 1)}` : '';
    let separator = (isList ? '[' : '{') + lineStart;
    for (const [key, item] of array.entries()) {
      write(separator);
      if (!isList) {
        if (typeof key !== 'number' && typeof key !== 'string') throw new NoJson();
        write(typeof key === 'number' ? `"${key}"` : quote(key, style.ensureAscii, reserve));
        write(style.pretty ? ': ' : ':');
      }
      writeValue(item, depth + 1);
      separator = `,${lineStart}`;
    }
    write((style.pretty ? `\n${'    '.repeat(depth)}` : '') + (isList ? ']' : '}'));
  };

  try {
    writeValue(value, 0);
  } catch (error) {
    if (error instanceof NoJson) return undefined;
    throw error;
  }
  reserve(text.length - reserved);
  return text;
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
