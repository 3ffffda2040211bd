// The encodings of Unicode, strictly: no lone surrogates, nothing beyond U+10FFFF, no overlong forms.

import type { Charset, Decoded } from './iconv-charset.js';

const CHARACTER =
  /[\x00-\x7f]+|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}/g;
/** The beginning of a character. */
const CUT =
  /^(?:[\xc2-\xdf]|\xe0[\xa0-\xbf]?|[\xe1-\xec\xee\xef][\x80-\xbf]?|\xed[\x80-\x9f]?|\xf0(?:[\x90-\xbf][\x80-\xbf]?)?|[\xf1-\xf3][\x80-\xbf]{0,2}|\xf4(?:[\x80-\x8f][\x80-\xbf]?)?)$/;

export const utf8: Charset = {
  decode(bytes) {
    const text = bytes.toString('utf8');
    if (!text.includes('\ufffd')) return { text, flaw: undefined };
    return decodeUtf8Slowly(bytes.toString('latin1'));
  },
  encode: (text) => Buffer.from(text, 'utf8'),
  canEncode: isWellFormed,
};

/** U+FFFD itself may be in the text: so it says nothing, and each character is looked at. */
function decodeUtf8Slowly(bytes: string): Decoded {
  const whole: string[] = [];
  let end = 0;
  let isMalformed = false;
  for (const { 0: character, index } of bytes.matchAll(CHARACTER)) {
    isMalformed ||= index !== end;
    whole.push(character);
    end = index + character.length;
  }
  const isCut = end < bytes.length && CUT.test(bytes.slice(end));
  const text = Buffer.from(whole.join(''), 'latin1').toString('utf8');
  if (isMalformed || (end < bytes.length && !isCut)) return { text, flaw: 'malformed' };
  return { text, flaw: isCut ? 'incomplete' : undefined };
}

/** `detect` reads either by its byte order mark, else little endian, and writes one: as glibc does on our machines. */
type ByteOrder = 'big' | 'little' | 'detect';

const LONE_SURROGATE = /\p{Surrogate}/u;

function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

/** UTF-16 in one byte order. */
export function utf16(order: ByteOrder): Charset {
  return {
    decode(bytes) {
      const marked = order === 'detect' ? readMark(bytes, 2) : { order, bytes };
      const whole = Buffer.from(marked.bytes.subarray(0, marked.bytes.length & ~1));
      if (marked.order === 'big') whole.swap16();
      const text = whole.toString('utf16le');
      const isOdd = whole.length < marked.bytes.length;
      if (isWellFormed(text)) return { text, flaw: isOdd ? 'incomplete' : undefined };
      const isCut = !isOdd && isWellFormed(text.slice(0, -1)) && /[\ud800-\udbff]$/.test(text);
      return { text: text.replace(/\p{Surrogate}/gu, ''), flaw: isCut ? 'incomplete' : 'malformed' };
    },
    encode(text) {
      const bytes = Buffer.from(order === 'detect' ? `\ufeff${text}` : text, 'utf16le');
      return order === 'big' ? bytes.swap16() : bytes;
    },
    canEncode: isWellFormed,
  };
}

/** UTF-32 in one byte order. */
export function utf32(order: ByteOrder): Charset {
  return {
    decode(bytes) {
      const marked = order === 'detect' ? readMark(bytes, 4) : { order, bytes };
      const isBig = marked.order === 'big';
      const end = marked.bytes.length & ~3;
      const characters: string[] = [];
      let isMalformed = false;
      for (let at = 0; at < end; at += 4) {
        const code = isBig ? marked.bytes.readUInt32BE(at) : marked.bytes.readUInt32LE(at);
        if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) isMalformed = true;
        else characters.push(String.fromCodePoint(code));
      }
      const text = characters.join('');
      if (isMalformed) return { text, flaw: 'malformed' };
      return { text, flaw: end < marked.bytes.length ? 'incomplete' : undefined };
    },
    encode(text) {
      const codes = Array.from(order === 'detect' ? `\ufeff${text}` : text, (one) => one.codePointAt(0)!);
      const bytes = Buffer.alloc(codes.length * 4);
      for (const [index, code] of codes.entries()) {
        if (order === 'big') bytes.writeUInt32BE(code, index * 4);
        else bytes.writeUInt32LE(code, index * 4);
      }
      return bytes;
    },
    canEncode: isWellFormed,
  };
}

/** The byte order that a mark at the beginning tells, and what follows the mark. */
function readMark(bytes: Buffer, width: 2 | 4): { order: 'big' | 'little'; bytes: Buffer } {
  const mark = bytes.toString('latin1', 0, width);
  if (mark === (width === 2 ? '\xfe\xff' : '\0\0\xfe\xff'))
    return { order: 'big', bytes: bytes.subarray(width) };
  if (mark === (width === 2 ? '\xff\xfe' : '\xff\xfe\0\0'))
    return { order: 'little', bytes: bytes.subarray(width) };
  return { order: 'little', bytes };
}
