// The ciphers for contents, by object identifier (RFC 3370 §5, RFC 3565, RFC 5084).

import { type CipherGCMTypes, createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import {
  type DerElement,
  readOctets,
  readOid,
  readSmallInteger,
  tags,
} from '../../certificates/der-reader.js';
import * as der from '../../certificates/der-writer.js';

interface ContentCipher {
  readonly name: string;
  readonly oid: string;
  readonly keyBytes: number;
  readonly ivBytes: number;
}

/** What new messages may be encrypted with; with gcm nobody can change them. */
export const cipherNames = [
  'aes-128-cbc',
  'aes-192-cbc',
  'aes-256-cbc',
  'aes-128-gcm',
  'aes-192-gcm',
  'aes-256-gcm',
] as const;
/** One of them. */
export type CipherName = (typeof cipherNames)[number];

const AES = '2.16.840.1.101.3.4.1';
const ciphers: readonly ContentCipher[] = [
  { name: 'aes-128-cbc', oid: `${AES}.2`, keyBytes: 16, ivBytes: 16 },
  { name: 'aes-192-cbc', oid: `${AES}.22`, keyBytes: 24, ivBytes: 16 },
  { name: 'aes-256-cbc', oid: `${AES}.42`, keyBytes: 32, ivBytes: 16 },
  { name: 'aes-128-gcm', oid: `${AES}.6`, keyBytes: 16, ivBytes: 12 },
  { name: 'aes-192-gcm', oid: `${AES}.26`, keyBytes: 24, ivBytes: 12 },
  { name: 'aes-256-gcm', oid: `${AES}.46`, keyBytes: 32, ivBytes: 12 },
  // Only for reading: what older mail programs write.
  { name: 'des-ede3-cbc', oid: '1.2.840.113549.3.7', keyBytes: 24, ivBytes: 8 },
];

const TAG_BYTES = 16;
const isGcm = (name: string): name is CipherGCMTypes => name.endsWith('-gcm');

/** An encrypted content, and what it takes to write it down. */
export interface EncryptedContent {
  /** The key for the content. */
  readonly key: Buffer;
  /** AlgorithmIdentifier. */
  readonly algorithm: Buffer;
  readonly text: Buffer;
  /** With gcm. */
  readonly tag: Buffer | undefined;
}

/** Encrypts with a new key. */
export function encryptContent(content: Buffer, name: CipherName): EncryptedContent {
  const { oid, keyBytes, ivBytes } = ciphers.find((one) => one.name === name)!;
  const key = randomBytes(keyBytes);
  const iv = randomBytes(ivBytes);
  if (isGcm(name)) {
    const cipher = createCipheriv(name, key, iv, { authTagLength: TAG_BYTES });
    const text = Buffer.concat([cipher.update(content), cipher.final()]);
    const parameters = der.sequence(der.octetString(iv), der.integer(TAG_BYTES));
    return { key, algorithm: der.algorithm(oid, parameters), text, tag: cipher.getAuthTag() };
  }
  const cipher = createCipheriv(name, key, iv);
  const text = Buffer.concat([cipher.update(content), cipher.final()]);
  return { key, algorithm: der.algorithm(oid, der.octetString(iv)), text, tag: undefined };
}

/** How a content is decrypted, once its key is known. */
export interface ContentDecryption {
  readonly keyBytes: number;
  /** @throws Error when the key is wrong or the text was changed */
  decrypt(key: Buffer, text: Buffer, authenticated?: AuthenticatedParts): Buffer;
}

/** Of AuthEnvelopedData (RFC 5083 §2.1). */
export interface AuthenticatedParts {
  readonly tag: Buffer;
  /** The attributes that are authenticated with the content, as a SET; empty when there are none. */
  readonly aad: Buffer;
}

/** The cipher of an AlgorithmIdentifier; undefined for one that we do not read. @throws MalformedDer */
export function readContentCipher(algorithm: DerElement): ContentDecryption | undefined {
  const fields = algorithm.expect(tags.sequence).fields();
  const oid = readOid(fields.next());
  const cipher = ciphers.find((one) => one.oid === oid);
  if (cipher === undefined || !fields.hasNext) return undefined;
  const { name, keyBytes } = cipher;
  if (isGcm(name)) return gcmDecryption(name, keyBytes, fields.next());
  const iv = readOctets(fields.next(tags.octetString));
  if (iv.length !== cipher.ivBytes) return undefined;
  return {
    keyBytes,
    decrypt: (key, text) => {
      const decipher = createDecipheriv(name, key, iv);
      return Buffer.concat([decipher.update(text), decipher.final()]);
    },
  };
}

function gcmDecryption(
  name: CipherGCMTypes,
  keyBytes: number,
  parameters: DerElement,
): ContentDecryption | undefined {
  const fields = parameters.expect(tags.sequence).fields();
  const iv = fields.next(tags.octetString).content;
  const length = fields.optional(tags.integer);
  const authTagLength = length === undefined ? 12 : readSmallInteger(length);
  if (iv.length === 0 || authTagLength < 12 || authTagLength > TAG_BYTES) return undefined;
  return {
    keyBytes,
    decrypt: (key, text, authenticated) => {
      if (authenticated?.tag.length !== authTagLength) throw new Error('no tag of the right length');
      const decipher = createDecipheriv(name, key, iv, { authTagLength });
      decipher.setAAD(authenticated.aad).setAuthTag(authenticated.tag);
      return Buffer.concat([decipher.update(text), decipher.final()]);
    },
  };
}
