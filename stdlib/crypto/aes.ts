// AES in the modes that scripts can choose. Nothing here says why something cannot be decrypted: wrong key, wrong padding
// and changed bytes look the same to whoever sent them.

import { type CipherGCMTypes, createCipheriv, createDecipheriv } from 'node:crypto';

/** The modes, as scripts write them. */
export const aesModes = ['ecb', 'cbc', 'ctr', 'gcm'] as const;
/** A mode of AES. */
export type AesMode = (typeof aesModes)[number];

/** What belongs to a mode; bytes as one character each. */
export interface AesOptions {
  readonly iv: string | undefined;
  /** PKCS#7, for ecb and cbc. */
  readonly padding: boolean;
  /** gcm: authenticated, not encrypted. */
  readonly aad: string;
}

const BLOCK_BYTES = 16;
/** The whole tag of GCM (NIST SP 800-38D §5.2.1.2); shorter ones weaken it. */
export const TAG_BYTES = 16;
const LONGEST_GCM_IV_BYTES = 128;

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** The initialisation vector for the mode; undefined when it does not fit. */
function ivFor(mode: AesMode, iv: string | undefined): Buffer | null | undefined {
  if (mode === 'ecb') return null;
  if (iv === undefined) return undefined;
  const fits =
    mode === 'gcm' ? iv.length > 0 && iv.length <= LONGEST_GCM_IV_BYTES : iv.length === BLOCK_BYTES;
  return fits ? bytes(iv) : undefined;
}

const isKey = (key: string): boolean => key.length === 16 || key.length === 24 || key.length === 32;
const isGcm = (name: string): name is CipherGCMTypes => name.endsWith('-gcm');

/**
 * Encrypts. With gcm the tag follows the text.
 * @returns undefined when key or iv have a wrong length, or a text without padding does not fill its blocks
 */
export function aesEncrypt(
  message: string,
  key: string,
  mode: AesMode,
  options: AesOptions,
): string | undefined {
  const iv = ivFor(mode, options.iv);
  if (!isKey(key) || iv === undefined) return undefined;
  const name = `aes-${key.length * 8}-${mode}`;
  if (isGcm(name)) {
    const cipher = createCipheriv(name, bytes(key), iv!, { authTagLength: TAG_BYTES });
    cipher.setAAD(bytes(options.aad));
    const text = cipher.update(message, 'latin1', 'latin1') + cipher.final('latin1');
    return text + cipher.getAuthTag().toString('latin1');
  }
  if (!options.padding && mode !== 'ctr' && message.length % BLOCK_BYTES !== 0) return undefined;
  const cipher = createCipheriv(name, bytes(key), iv).setAutoPadding(options.padding);
  return cipher.update(message, 'latin1', 'latin1') + cipher.final('latin1');
}

/**
 * Decrypts. With gcm the tag is the last 16 bytes of the text, or `tag`.
 * @returns undefined when a length is wrong, the padding is broken, or the tag does not fit
 */
export function aesDecrypt(
  message: string,
  key: string,
  mode: AesMode,
  options: AesOptions & { readonly tag: string | undefined },
): string | undefined {
  const iv = ivFor(mode, options.iv);
  if (!isKey(key) || iv === undefined) return undefined;
  const name = `aes-${key.length * 8}-${mode}`;
  try {
    if (isGcm(name)) {
      const textEnd = options.tag === undefined ? message.length - TAG_BYTES : message.length;
      const tag = options.tag ?? message.slice(Math.max(textEnd, 0));
      if (tag.length !== TAG_BYTES) return undefined;
      const decipher = createDecipheriv(name, bytes(key), iv!, { authTagLength: TAG_BYTES });
      decipher.setAAD(bytes(options.aad));
      decipher.setAuthTag(bytes(tag));
      return decipher.update(message.slice(0, textEnd), 'latin1', 'latin1') + decipher.final('latin1');
    }
    const decipher = createDecipheriv(name, bytes(key), iv).setAutoPadding(options.padding);
    return decipher.update(message, 'latin1', 'latin1') + decipher.final('latin1');
  } catch {
    return undefined;
  }
}
