// AES for scripts (group 6 of the library).

import { builtin, type OptionKeys, ScriptFault } from '#lang';
import { reserveText } from '../limits.js';
import { type AesMode, aesDecrypt, aesEncrypt, aesModes } from './aes.js';

const source = 'stdlib 6; NIST SP 800-38A, 800-38D';
const keyParam = { name: 'key', type: 'string', doc: '16, 24 or 32 bytes.' } as const;
const modeParam = { name: 'mode', type: 'string', doc: '`ecb`, `cbc`, `ctr` or `gcm`.' } as const;
const keys = {
  iv: {
    type: 'string',
    doc: 'Initialisation vector: 16 bytes for cbc and ctr; for gcm 1 to 128, best 12, never the same twice with one key.',
  },
  padding: { type: 'boolean', default: true, doc: 'For ecb and cbc: PKCS#7 padding.' },
  aad: { type: 'string', default: '', doc: 'For gcm: further text that the tag protects.' },
} as const satisfies OptionKeys;

function modeOf(name: string, mode: string): AesMode {
  const found = aesModes.find((known) => known === mode);
  if (found === undefined)
    throw new ScriptFault(
      `${name}: the mode must be one of ${aesModes.map((known) => `"${known}"`).join(', ')}, found "${mode.slice(0, 20)}"`,
    );
  return found;
}

export const aesEncryptBuiltin = builtin({
  name: 'aes_encrypt',
  group: 'crypto',
  summary: 'Encrypts a text with AES.',
  details:
    'With `gcm` the tag of 16 bytes follows the text, as aes_decrypt expects it. `ecb` shows which blocks are equal; `cbc` and ' +
    '`ctr` do not tell whether somebody changed the text: for new things take `gcm`.',
  params: [
    { name: 'message', type: 'string' },
    keyParam,
    modeParam,
    { name: 'options', type: 'options', optional: true, keys },
  ],
  returns: 'string|none',
  errors:
    'None when key or iv have a wrong length, or a text without padding does not fill its blocks; an exception for an unknown mode.',
  example:
    'base64_encode(aes_encrypt("attack at dawn", "0123456789abcdef", "cbc", ["iv" => "abcdef9876543210"]))  // "qFlugtGsau00RFURD2M0jg=="',
  since: '4.8',
  source,
  run: (message, key, mode, options, ctx) => {
    const known = modeOf('aes_encrypt', mode);
    reserveText(ctx, 'aes_encrypt', message.length + 32);
    return aesEncrypt(message, key, known, options) ?? null;
  },
});

export const aesDecryptBuiltin = builtin({
  name: 'aes_decrypt',
  group: 'crypto',
  summary: 'Decrypts a text with AES.',
  params: [
    { name: 'message', type: 'string' },
    keyParam,
    modeParam,
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        ...keys,
        tag: { type: 'string', doc: 'For gcm: the 16 bytes of the tag when they do not follow the text.' },
      },
    },
  ],
  returns: 'string|none',
  errors:
    'None when a length is wrong, the padding is broken, or the tag does not fit; an exception for an unknown mode.',
  example:
    'aes_decrypt(base64_decode("qFlugtGsau00RFURD2M0jg=="), "0123456789abcdef", "cbc", ["iv" => "abcdef9876543210"])  // "attack at dawn"',
  since: '4.8',
  source,
  run: (message, key, mode, options, ctx) => {
    const known = modeOf('aes_decrypt', mode);
    reserveText(ctx, 'aes_decrypt', message.length);
    return aesDecrypt(message, key, known, options) ?? null;
  },
});

export const ciphers = [aesEncryptBuiltin, aesDecryptBuiltin];
