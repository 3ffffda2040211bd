// Group 7 of the library, third part: binary records and compression.

import { builtin, type CallContext, HslArray, ScriptFault, typeWord } from '#lang';
import { reserveElements, reserveText } from '../limits.js';
import { compress, uncompress } from './compression.js';
import { packValues, unpackValues } from './pack.js';

const letters = [
  '`a` text, padded with NUL or cut to n bytes; `Z` the same, always ending in NUL; `H` hex digits, n of them;',
  '`C` byte (`c` signed, unpack only); `n` and `N` 16 and 32 bits big endian; `v` and `V` little endian;',
  '`e` and `E` double, little and big endian; `x` a NUL byte, skipped by unpack. A number or `*` behind a letter is a',
  'length (`a`, `Z`, `H`) or a count.',
].join('\n');

export const pack = builtin({
  name: 'pack',
  group: 'encodings',
  summary: 'Packs values into a binary record.',
  details: `${letters} Numbers are reduced modulo their size; with \`*\` a number letter takes all remaining arguments.`,
  params: [
    { name: 'format', type: 'string' },
    { name: 'values', type: 'any', rest: true },
  ],
  returns: 'string|none',
  errors:
    'None when the format is unknown, values are missing, or hex is bad. An exception for a value of the wrong type.',
  example: 'unpack("H*", pack("nCa3N", 1, 2, "xyz", 3))[0]  // "00010278797a00000003"',
  source: 'stdlib 7.1',
  run: (format, values, ctx) => {
    const packed = packValues(format, values, (bytes) => reserveText(ctx, 'pack', bytes));
    if (typeof packed === 'string') return packed;
    if (packed.kind !== 'type') return null;
    const found = typeWord(values[packed.argument]!);
    throw new ScriptFault(
      `argument ${packed.argument + 2} of pack must be a ${packed.expected}, not ${found}`,
    );
  },
});

export const unpack = builtin({
  name: 'unpack',
  group: 'encodings',
  summary: 'Takes a binary record apart.',
  details: `${letters} With \`*\` a letter takes all remaining data.`,
  params: [
    { name: 'format', type: 'string' },
    { name: 'data', type: 'string' },
    { name: 'offset', type: 'number', default: 0, doc: 'Where in the data to begin.' },
  ],
  returns: 'array|none',
  errors: 'None when the format is unknown or the data are too short.',
  example: 'unpack("nv", "\\x01\\x02\\x01\\x02")  // [258,513]',
  source: 'stdlib 7.1',
  run: (format, data, offset, ctx) => {
    // A letter gives at most one value per byte of data, or one per letter.
    reserveElements(ctx, 'unpack', data.length + format.length);
    const values = unpackValues(format, data, Math.trunc(offset) || 0);
    return values === undefined ? null : HslArray.fromList(values);
  },
});

const windowBits = {
  name: 'windowbits',
  type: 'number',
  default: 15,
  doc: '9 to 15 zlib, -9 to -15 raw deflate, 25 to 31 gzip.',
} as const;

/** Counts the result and hands it on, at once or when it is there. */
function counted(
  ctx: CallContext,
  name: string,
  result: string | undefined | Promise<string | undefined>,
): string | null | Promise<string | null> {
  if (result instanceof Promise) return result.then((bytes) => counted(ctx, name, bytes) as string | null);
  if (result === undefined) return null;
  reserveText(ctx, name, result.length);
  return result;
}

export const zlibCompress = builtin({
  name: 'zlib_compress',
  group: 'encodings',
  summary: 'Compresses bytes as zlib, deflate or gzip do.',
  params: [
    { name: 'data', type: 'string' },
    { name: 'level', type: 'number', default: 6, doc: '0 (none) to 9 (best).' },
    windowBits,
  ],
  returns: 'string|none',
  errors: 'None when level or window bits do not exist.',
  example: 'zlib_uncompress(zlib_compress("abc"))  // "abc"',
  source: 'RFC 1950',
  suspends: true,
  run: (data, level, bits, ctx) =>
    counted(ctx, 'zlib_compress', compress(data, Math.trunc(level), Math.trunc(bits))),
});

export const zlibUncompress = builtin({
  name: 'zlib_uncompress',
  group: 'encodings',
  summary: 'Uncompresses bytes of zlib, deflate or gzip.',
  params: [
    { name: 'data', type: 'string' },
    { ...windowBits, doc: `${windowBits.doc} 41 to 47 zlib or gzip, whatever it is.` },
  ],
  returns: 'string|none',
  errors: 'None when the data are broken, cut off, or hold more than 256 MiB.',
  example: 'zlib_uncompress(base64_decode("K0osV0hJTctJLEkFAA=="), -15)  // "raw deflate"',
  source: 'RFC 1950',
  suspends: true,
  run: (data, bits, ctx) => counted(ctx, 'zlib_uncompress', uncompress(data, Math.trunc(bits))),
});

export const binary = [pack, unpack, zlibCompress, zlibUncompress];
