// zlib, raw deflate and gzip by the window-bits number that zlib itself uses to tell them apart:
//   9 to 15 zlib (RFC 1950)    -9 to -15 raw deflate (RFC 1951)    25 to 31 gzip (RFC 1952)    41 to 47 zlib or gzip, found out

import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { LONGEST_TEXT_BYTES } from '../limits.js';

/** Smaller inputs are done at once; larger ones in the thread pool, where they hold up nobody. */
const INLINE_BYTES = 16 * 1024;

type Work = (bytes: Buffer, options: zlib.ZlibOptions) => Promise<Buffer>;
type WorkSync = (bytes: Buffer, options: zlib.ZlibOptions) => Buffer;

interface Format {
  readonly windowBits: number;
  readonly compress: Work | undefined;
  readonly compressSync: WorkSync | undefined;
  readonly uncompress: Work;
  readonly uncompressSync: WorkSync;
}

const deflate = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.deflate);
const inflate = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflate);
const deflateRaw = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.deflateRaw);
const inflateRaw = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflateRaw);
const gzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gzip);
const gunzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip);
const unzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.unzip);

function formatOf(bits: number): Format | undefined {
  if (bits >= 8 && bits <= 15) {
    return {
      windowBits: bits,
      compress: deflate,
      compressSync: zlib.deflateSync,
      uncompress: inflate,
      uncompressSync: zlib.inflateSync,
    };
  }
  if (bits <= -8 && bits >= -15) {
    return {
      // zlib cannot deflate raw with 8 bits and makes it 9.
      windowBits: Math.max(9, -bits),
      compress: deflateRaw,
      compressSync: zlib.deflateRawSync,
      uncompress: inflateRaw,
      uncompressSync: zlib.inflateRawSync,
    };
  }
  if (bits >= 24 && bits <= 31) {
    return {
      windowBits: Math.max(9, bits - 16),
      compress: gzip,
      compressSync: zlib.gzipSync,
      uncompress: gunzip,
      uncompressSync: zlib.gunzipSync,
    };
  }
  if (bits >= 40 && bits <= 47) {
    return {
      windowBits: bits - 32,
      compress: undefined,
      compressSync: undefined,
      uncompress: unzip,
      uncompressSync: zlib.unzipSync,
    };
  }
  return undefined;
}

/** undefined when level or window bits do not exist. */
export function compress(
  bytes: string,
  level: number,
  windowBits: number,
): string | undefined | Promise<string | undefined> {
  const format = formatOf(windowBits);
  if (format?.compress === undefined || format.compressSync === undefined) return undefined;
  if (!(level >= -1 && level <= 9)) return undefined;
  return work(bytes, format.compressSync, format.compress, { level, windowBits: format.windowBits });
}

/** undefined when the data are broken or cut off, or hold more than LONGEST_TEXT_BYTES. */
export function uncompress(
  bytes: string,
  windowBits: number,
): string | undefined | Promise<string | undefined> {
  const format = formatOf(windowBits);
  if (format === undefined) return undefined;
  return work(bytes, format.uncompressSync, format.uncompress, {
    windowBits: format.windowBits,
    maxOutputLength: LONGEST_TEXT_BYTES,
  });
}

function work(
  bytes: string,
  sync: WorkSync,
  inPool: Work,
  options: zlib.ZlibOptions,
): string | undefined | Promise<string | undefined> {
  const input = Buffer.from(bytes, 'latin1');
  // Any error of zlib means broken input: the options have been checked.
  if (input.length > INLINE_BYTES)
    return inPool(input, options).then(
      (output) => output.toString('latin1'),
      () => undefined,
    );
  try {
    return sync(input, options).toString('latin1');
  } catch {
    return undefined;
  }
}
