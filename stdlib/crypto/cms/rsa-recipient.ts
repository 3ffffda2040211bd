// The content's key, encrypted for an RSA key (RFC 5652 §6.2.1): PKCS#1 v1.5 or OAEP.
//
// Whoever can send us messages and see whether they were decrypted could learn a key bit by bit if a wrong padding were
// told from a wrong content (RFC 3218). So with v1.5 a wrong padding gives a random key, without a branch on the way.

import { constants, type KeyObject, privateDecrypt, publicEncrypt, randomBytes } from 'node:crypto';
import { context, type DerElement, readOctets, readOid, tags } from '../../certificates/der-reader.js';
import * as der from '../../certificates/der-writer.js';
import {
  type HashName,
  hashOf,
  hashOids,
  MGF1,
  maskHashOf,
  RSA_ENCRYPTION,
} from '../signature-algorithms.js';

const RSAES_OAEP = '1.2.840.113549.1.1.7';
const P_SPECIFIED = '1.2.840.113549.1.1.9';

/** The encrypted key, and the AlgorithmIdentifier that says how. */
export function encryptKey(
  key: Buffer,
  recipient: KeyObject,
  oaep: boolean,
): { readonly algorithm: Buffer; readonly encrypted: Buffer } {
  if (!oaep) {
    const encrypted = publicEncrypt({ key: recipient, padding: constants.RSA_PKCS1_PADDING }, key);
    return { algorithm: der.algorithm(RSA_ENCRYPTION, der.nullValue()), encrypted };
  }
  const sha256 = der.algorithm(hashOids.sha256, der.nullValue());
  const parameters = der.sequence(der.tagged(0, sha256), der.tagged(1, der.algorithm(MGF1, sha256)));
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const encrypted = publicEncrypt({ key: recipient, padding, oaepHash: 'sha256' }, key);
  return { algorithm: der.algorithm(RSAES_OAEP, parameters), encrypted };
}

/**
 * Decrypts the key of the content.
 * @returns a key of `keyBytes`, with v1.5 also when there is none inside; undefined for an algorithm that we do not read
 * @throws MalformedDer, or Error of node:crypto
 */
export function decryptKey(
  algorithm: DerElement,
  encrypted: Buffer,
  key: KeyObject,
  keyBytes: number,
): Buffer | undefined {
  const fields = algorithm.expect(tags.sequence).fields();
  const oid = readOid(fields.next());
  if (oid === RSA_ENCRYPTION) return decryptV15(encrypted, key, keyBytes);
  if (oid !== RSAES_OAEP) return undefined;
  const scheme = readOaep(fields.hasNext ? fields.next() : undefined);
  if (scheme === undefined) return undefined;
  const found = privateDecrypt(
    { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: scheme.hash, oaepLabel: scheme.label },
    encrypted,
  );
  return found.length === keyBytes ? found : undefined;
}

/** RSAES-OAEP-params (RFC 4055 §4.1); node:crypto has one hash for label and mask. */
function readOaep(
  parameters: DerElement | undefined,
): { readonly hash: HashName; readonly label: Buffer } | undefined {
  const fields = parameters?.expect(tags.sequence).fields();
  const given = fields?.optional(context(0));
  const mask = fields?.optional(context(1));
  const source = fields?.optional(context(2))?.inner().fields();
  const hash = given === undefined ? 'sha1' : hashOf(given.inner());
  const maskHash = mask === undefined ? 'sha1' : maskHashOf(mask.inner());
  if (hash === undefined || hash !== maskHash) return undefined;
  if (source === undefined) return { hash, label: Buffer.alloc(0) };
  return readOid(source.next()) === P_SPECIFIED ? { hash, label: readOctets(source.next()) } : undefined;
}

/** RFC 8017 §7.2.2, with a random key where that says "decryption error". */
function decryptV15(encrypted: Buffer, key: KeyObject, keyBytes: number): Buffer {
  const random = randomBytes(keyBytes);
  const block = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, encrypted);
  const separator = block.length - keyBytes - 1;
  if (separator < 10) return random;
  // 00 02, at least eight bytes that are not 0, 00, the key: every byte is looked at, whatever the ones before were.
  let wrong = block[0]! | (block[1]! ^ 2) | block[separator]!;
  for (let at = 2; at < separator; at++) wrong |= ((block[at]! - 1) >> 8) & 1;
  const mask = ((wrong - 1) >> 8) & 0xff; // 0xff when nothing is wrong
  return random.map((byte, at) => (byte & ~mask) | (block[separator + 1 + at]! & mask)) as Buffer;
}
