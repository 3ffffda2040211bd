// Character sets by name: our own for Unicode and ISO-2022, the tables of iconv-lite, the decoders of the web. Names are
// compared by their letters and digits.

import { loadIconv } from '../lazy-packages.js';
import { NOT_CHARACTER_SETS } from './charset.js';
import { type Charset, decodeAsWeb } from './iconv-charset.js';
import { iso2022Jp, iso2022Kr } from './iconv-escapes.js';
import { utf8, utf16, utf32 } from './iconv-unicode.js';

/** A character set by its name; undefined when nobody knows it. */
export function findCharset(name: string): Charset | undefined {
  const key = keyOf(name);
  const own = ownCharset(key);
  if (own !== undefined) return own;
  if (key === '' || NOT_CHARACTER_SETS.has(key)) return undefined;
  const lower = name.toLowerCase();
  return loadIconv().encodingExists(lower) ? tableCharset(lower) : webCharset(lower);
}

function keyOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function ownCharset(key: string): Charset | undefined {
  switch (key) {
    case 'utf8':
      return utf8;
    case 'utf16':
    case 'unicode':
      return utf16('detect');
    case 'utf16be':
    case 'ucs2be':
    case 'unicodebig':
      return utf16('big');
    case 'utf16le':
    case 'ucs2le':
    case 'unicodelittle':
    case 'ucs2':
    case 'iso10646ucs2':
      return utf16('little');
    case 'utf32':
      return utf32('detect');
    case 'utf32be':
    case 'ucs4be':
    case 'ucs4':
    case 'iso10646ucs4':
      return utf32('big');
    case 'utf32le':
    case 'ucs4le':
      return utf32('little');
    case 'iso2022jp':
    case 'csiso2022jp':
      return iso2022Jp;
    case 'iso2022kr':
    case 'csiso2022kr':
      return iso2022Kr;
    default:
      return undefined;
  }
}

/** One of the tables of iconv-lite. */
function tableCharset(name: string): Charset {
  const iconv = loadIconv();
  const decode = (bytes: Buffer) => iconv.decode(bytes, name, { stripBOM: false });
  const encode = (text: string) => iconv.encode(text, name, { addBOM: false });
  return {
    decode(bytes) {
      const text = decode(bytes);
      if (!text.includes('\ufffd')) return { text, flaw: undefined };
      // The first half of a character becomes one when any second half follows.
      const isCut =
        text.indexOf('\ufffd') === text.length - 1 &&
        [0x40, 0xa1, 0x30].some(
          (byte) => !decode(Buffer.concat([bytes, Buffer.of(byte)])).includes('\ufffd'),
        );
      return { text: text.replaceAll('\ufffd', ''), flaw: isCut ? 'incomplete' : 'malformed' };
    },
    encode,
    // It writes `?` for what it lacks.
    canEncode: (text) => decode(encode(text)) === text,
  };
}

/** One that the web has another name for, or that only the decoders of the web know; they write nothing but UTF-8. */
function webCharset(label: string): Charset | undefined {
  let name: string;
  try {
    name = new TextDecoder(label).encoding;
  } catch {
    // The constructor throws for a label it does not know, and that is the answer.
    return undefined;
  }
  const own = ownCharset(keyOf(name));
  if (own !== undefined) return own;
  if (loadIconv().encodingExists(name)) return tableCharset(name);
  return { decode: (bytes) => decodeAsWeb(bytes, name), canEncode: () => false };
}
