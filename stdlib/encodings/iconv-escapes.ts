// The seven-bit character sets that switch between tables by escape sequences: ISO-2022-JP (RFC 1468) and ISO-2022-KR
// (RFC 1557). Their characters are those of EUC-JP and EUC-KR without the eighth bit, and those tables iconv-lite has.

import { loadIconv } from '../lazy-packages.js';
import { type Charset, type Decoded, decodeAsWeb } from './iconv-charset.js';

interface Switches {
  readonly table: 'euc-jp' | 'euc-kr';
  /** At the beginning of every text. */
  readonly header: string;
  readonly toTwoBytes: string;
  readonly toAscii: string;
}

const japanese: Switches = { table: 'euc-jp', header: '', toTwoBytes: '\x1b$B', toAscii: '\x1b(B' };
const korean: Switches = { table: 'euc-kr', header: '\x1b$)C', toTwoBytes: '\x0e', toAscii: '\x0f' };

export const iso2022Jp: Charset = {
  decode: (bytes) => decodeAsWeb(bytes, 'iso-2022-jp'),
  encode: (text) => encode(text, japanese),
  canEncode: (text) => canEncode(text, japanese),
};

export const iso2022Kr: Charset = {
  decode: decodeKorean,
  encode: (text) => encode(text, korean),
  canEncode: (text) => canEncode(text, korean),
};

/** ASCII, or two bytes with the eighth bit; half-width kana and the third table of EUC-JP are neither. */
const WRITABLE = /^(?:[\x00-\x7f]|[\xa1-\xfe]{2})*$/;

function canEncode(text: string, { table }: Switches): boolean {
  const iconv = loadIconv();
  const bytes = iconv.encode(text, table);
  return (
    WRITABLE.test(bytes.toString('latin1')) &&
    !/[\x0e\x0f\x1b]/.test(text) &&
    iconv.decode(bytes, table) === text
  );
}

function encode(text: string, { table, header, toTwoBytes, toAscii }: Switches): Buffer {
  const bytes = loadIconv().encode(text, table).toString('latin1');
  const switched = bytes.replace(/[\xa1-\xfe]+/g, (run) => {
    const sevenBit = run.replace(/[\xa1-\xfe]/g, (byte) => String.fromCharCode(byte.charCodeAt(0) & 0x7f));
    return toTwoBytes + sevenBit + toAscii;
  });
  return Buffer.from(header + switched, 'latin1');
}

/** Node has no decoder for it: browsers dropped it. */
function decodeKorean(bytes: Buffer): Decoded {
  const text = bytes.toString('latin1').replaceAll(korean.header, '');
  let isMalformed = /[\x80-\xff\x1b]/.test(text);
  const eightBit = text
    .replace(/[\x80-\xff\x1b]/g, '')
    .replace(/\x0e([^\x0f]*)(?:\x0f|$)|\x0f/g, (_, run: string | undefined) =>
      (run ?? '').replace(/[\x21-\x7e]/g, (byte) => String.fromCharCode(byte.charCodeAt(0) | 0x80)),
    );
  const decoded = loadIconv().decode(Buffer.from(eightBit, 'latin1'), korean.table);
  isMalformed ||= decoded.includes('\ufffd');
  return { text: decoded.replaceAll('\ufffd', ''), flaw: isMalformed ? 'malformed' : undefined };
}
