// Signatures by node:crypto, made and checked on a thread of the pool: an RSA signature takes a millisecond or more.

import { constants, type KeyObject, sign, verify } from 'node:crypto';

/** How the signature is made, beside the key. */
export interface SignatureScheme {
  /** Name of the hash; null for the keys that bring their own (Ed25519). */
  readonly hash: string | null;
  /** RSASSA-PSS instead of PKCS#1 v1.5, with a salt of so many bytes; for RSA keys. */
  readonly pssSaltBytes?: number;
}

function keyInput(key: KeyObject, scheme: SignatureScheme): SigningKey {
  if (scheme.pssSaltBytes !== undefined)
    return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.pssSaltBytes };
  return key.asymmetricKeyType === 'rsa' ? { key, padding: constants.RSA_PKCS1_PADDING } : { key };
}

interface SigningKey {
  readonly key: KeyObject;
  readonly padding?: number;
  readonly saltLength?: number;
}

/** Signs. @returns undefined when the key cannot (of another kind, or too short for the hash) */
export function signBytes(
  data: Uint8Array,
  key: KeyObject,
  scheme: SignatureScheme,
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    // Wrong combinations are thrown at once, or come with the callback: the same to whoever asked.
    try {
      sign(scheme.hash, data, keyInput(key, scheme), (error, signature) => {
        resolve(error === null ? signature : undefined);
      });
    } catch {
      resolve(undefined);
    }
  });
}

/** Checks a signature. @returns undefined when the key cannot be used with this scheme */
export function verifyBytes(
  data: Uint8Array,
  signature: Uint8Array,
  key: KeyObject,
  scheme: SignatureScheme,
): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    try {
      verify(scheme.hash, data, keyInput(key, scheme), signature, (error, isValid) => {
        resolve(error === null ? isValid : undefined);
      });
    } catch {
      resolve(undefined);
    }
  });
}
