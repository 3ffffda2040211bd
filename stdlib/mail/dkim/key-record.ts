// A public key as it is published in DNS (RFC 6376 §3.6.1, RFC 8463 §4), and whether a signature may be checked with it.

import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Signature } from './signature.js';
import { ALGORITHMS, decodeBase64, readTagList, SHORTEST_RSA_BITS } from './signature-tags.js';

/** Where the key of a signature is published. */
export function keyRecordName({ selector, domain }: Pick<Signature, 'selector' | 'domain'>): string {
  return `${selector}._domainkey.${domain}`;
}

/** The key for a signature from a record's text, or why there is none. */
export function keyFromRecord(record: string, signature: Signature): KeyObject | { readonly error: string } {
  const tags = readTagList(record);
  if (tags === undefined) return { error: 'the key record is malformed' };
  const version = tags.get('v');
  // v= must stand first if it is there (RFC 6376 §3.6.1).
  if (version !== undefined && (version !== 'DKIM1' || !/^\s*v\s*=/.test(record)))
    return { error: 'the key record is not of version DKIM1' };
  const { keyType, hash } = ALGORITHMS[signature.algorithm];
  const published = tags.get('p');
  if (published === undefined) return { error: 'the key record has no p=' };
  if ((tags.get('k') ?? 'rsa').toLowerCase() !== keyType)
    return { error: 'the key is of another type than a=' };
  if (!allows(tags.get('h'), hash)) return { error: `the key may not be used with ${hash}` };
  if (!allows(tags.get('s'), 'email')) return { error: 'the key is not for mail' };
  const { identityDomain, domain } = signature;
  if (
    lists(tags.get('t'), 's') &&
    identityDomain !== undefined &&
    identityDomain.toLowerCase() !== domain.toLowerCase()
  )
    return { error: 'the key does not allow a subdomain in i=' };
  if (published === '') return { error: 'the key is revoked' };
  const bytes = decodeBase64(published);
  if (bytes === undefined) return { error: 'p= of the key record is not base64' };
  const key = keyType === 'ed25519' ? ed25519Key(bytes) : rsaKey(bytes);
  if (key === undefined) return { error: `p= of the key record is no ${keyType} key` };
  if (keyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < SHORTEST_RSA_BITS)
    return { error: `the RSA key is shorter than ${SHORTEST_RSA_BITS} bits (RFC 8301)` };
  return key;
}

/** Whether a colon list is absent, has the word, or has `*`. */
function allows(list: string | undefined, word: string): boolean {
  return list === undefined || lists(list, word) || lists(list, '*');
}

function lists(list: string | undefined, word: string): boolean {
  return list?.split(':').some((one) => one.trim().toLowerCase() === word) === true;
}

function rsaKey(bytes: Buffer): KeyObject | undefined {
  // RFC 6376 means RSAPublicKey and shows SubjectPublicKeyInfo; both are in use (erratum 3017).
  return publicKey(bytes, 'spki', 'rsa') ?? publicKey(bytes, 'pkcs1', 'rsa');
}

/** What SubjectPublicKeyInfo has before the 32 bytes of an Ed25519 key (RFC 8410 §4). */
const ed25519Prefix = Buffer.from('302a300506032b6570032100', 'hex');

function ed25519Key(bytes: Buffer): KeyObject | undefined {
  if (bytes.length !== 32) return undefined;
  return publicKey(Buffer.concat([ed25519Prefix, bytes]), 'spki', 'ed25519');
}

function publicKey(der: Buffer, type: 'spki' | 'pkcs1', keyType: 'rsa' | 'ed25519'): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: der, format: 'der', type });
    return key.asymmetricKeyType === keyType ? key : undefined;
  } catch {
    // The only way to learn that the bytes are no key.
    return undefined;
  }
}
