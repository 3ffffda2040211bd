// The hash functions of group 6 that node:crypto has ready.

import { createHash, createHmac } from 'node:crypto';
import { builtin, type OptionKeys, ScriptFault } from '#lang';

const source = 'stdlib 6';
const binaryKey = {
  binary: { type: 'boolean', default: false, doc: 'Raw bytes instead of lower-case hex.' },
} as const satisfies OptionKeys;
const options = { name: 'options', type: 'options', optional: true, keys: binaryKey } as const;
const message = { name: 'message', type: 'string' } as const;
const keyParam = { name: 'key', type: 'string', doc: 'The secret; it comes first.' } as const;
const size = { name: 'size', type: 'number', doc: 'Bits: 256 or 512.' } as const;

function digest(algorithm: string, bytes: string, binary: boolean): string {
  return createHash(algorithm)
    .update(bytes, 'latin1')
    .digest()
    .toString(binary ? 'latin1' : 'hex');
}

function mac(algorithm: string, key: string, bytes: string, binary: boolean): string {
  return createHmac(algorithm, Buffer.from(key, 'latin1'))
    .update(bytes, 'latin1')
    .digest()
    .toString(binary ? 'latin1' : 'hex');
}

function sha2Name(name: string, bits: number): string {
  if (bits !== 256 && bits !== 512)
    throw new ScriptFault(`${name}: the size must be 256 or 512, found ${bits}`);
  return `sha${bits}`;
}

export const md5 = builtin({
  name: 'md5',
  group: 'crypto',
  summary: 'Hashes a text with MD5.',
  details: 'Fit for checksums only: collisions can be made.',
  params: [message, options],
  returns: 'string',
  example: 'md5("abc")  // "900150983cd24fb0d6963f7d28e17f72"',
  source,
  pure: true,
  run: (text, { binary }) => digest('md5', text, binary),
});

export const sha1 = builtin({
  name: 'sha1',
  group: 'crypto',
  summary: 'Hashes a text with SHA-1.',
  details: 'Not for signatures any more: collisions can be made.',
  params: [message, options],
  returns: 'string',
  example: 'sha1("abc")  // "a9993e364706816aba3e25717850c26c9cd0d89d"',
  source,
  pure: true,
  run: (text, { binary }) => digest('sha1', text, binary),
});

export const sha2 = builtin({
  name: 'sha2',
  group: 'crypto',
  summary: 'Hashes a text with SHA-256 or SHA-512.',
  params: [message, size, options],
  returns: 'string',
  errors: 'An exception for any other size.',
  example: 'sha2("abc", 256)  // "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"',
  source,
  pure: true,
  run: (text, bits, { binary }) => digest(sha2Name('sha2', bits), text, binary),
});

export const hmacMd5 = builtin({
  name: 'hmac_md5',
  group: 'crypto',
  summary: 'Authenticates a text with HMAC-MD5.',
  params: [keyParam, message, options],
  returns: 'string',
  example: 'hmac_md5("Jefe", "what do ya want for nothing?")  // "750c783e6ab0b503eaa86e310a5db738"',
  source,
  pure: true,
  run: (key, text, { binary }) => mac('md5', key, text, binary),
});

export const hmacSha1 = builtin({
  name: 'hmac_sha1',
  group: 'crypto',
  summary: 'Authenticates a text with HMAC-SHA-1.',
  params: [keyParam, message, options],
  returns: 'string',
  example: 'hmac_sha1("key", "The quick brown fox")  // "22f9e077a3cebd09248154f85d9a56c79941fd96"',
  source,
  pure: true,
  run: (key, text, { binary }) => mac('sha1', key, text, binary),
});

export const hmacSha2 = builtin({
  name: 'hmac_sha2',
  group: 'crypto',
  summary: 'Authenticates a text with HMAC-SHA-256 or HMAC-SHA-512.',
  params: [keyParam, message, size, options],
  returns: 'string',
  errors: 'An exception for any other size.',
  example:
    'hmac_sha2("key", "message", 256)  // "6e9ef29b75fffc5b7abae527d58fdadb2fe42e7219011976917343065f58ed4a"',
  source,
  pure: true,
  run: (key, text, bits, { binary }) => mac(sha2Name('hmac_sha2', bits), key, text, binary),
});

export const hashes = [md5, sha1, sha2, hmacMd5, hmacSha1, hmacSha2];
