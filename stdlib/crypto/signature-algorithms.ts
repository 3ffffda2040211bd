// The algorithms of signatures and hashes by their object identifiers, as certificates, revocation lists and CMS name
// them. What is broken (MD2, MD5) is not known here, so nothing signed with it is ever valid.

import {
  context,
  type DerElement,
  MalformedDer,
  readOid,
  readSmallInteger,
  tags,
} from '../certificates/der-reader.js';
import type { SignatureScheme } from './signing.js';

/** Names of hashes by object identifier (RFC 5754). */
export const hashOids = {
  sha1: '1.3.14.3.2.26',
  sha224: '2.16.840.1.101.3.4.2.4',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const;

/** A hash that signatures may use. */
export type HashName = keyof typeof hashOids;

const hashNames = new Map<string, HashName>(
  Object.entries(hashOids).map(([name, oid]) => [oid, name as HashName]),
);

/** The hash of an AlgorithmIdentifier; undefined for one that is unknown or broken. @throws MalformedDer */
export function hashOf(algorithm: DerElement): HashName | undefined {
  return hashNames.get(readOid(algorithm.expect(tags.sequence).fields().next()));
}

/** How to check a signature, and the keys that can have made it, in node:crypto's words. */
export interface KnownScheme extends SignatureScheme {
  readonly keyTypes: readonly string[];
}

const RSA = ['rsa'];
const EC = ['ec'];

/** Algorithms that say all there is to say. */
const fixed = new Map<string, KnownScheme>([
  ['1.2.840.113549.1.1.5', { hash: 'sha1', keyTypes: RSA }],
  ['1.2.840.113549.1.1.14', { hash: 'sha224', keyTypes: RSA }],
  ['1.2.840.113549.1.1.11', { hash: 'sha256', keyTypes: RSA }],
  ['1.2.840.113549.1.1.12', { hash: 'sha384', keyTypes: RSA }],
  ['1.2.840.113549.1.1.13', { hash: 'sha512', keyTypes: RSA }],
  ['1.2.840.10045.4.1', { hash: 'sha1', keyTypes: EC }],
  ['1.2.840.10045.4.3.1', { hash: 'sha224', keyTypes: EC }],
  ['1.2.840.10045.4.3.2', { hash: 'sha256', keyTypes: EC }],
  ['1.2.840.10045.4.3.3', { hash: 'sha384', keyTypes: EC }],
  ['1.2.840.10045.4.3.4', { hash: 'sha512', keyTypes: EC }],
  ['1.3.101.112', { hash: null, keyTypes: ['ed25519'] }],
  ['1.3.101.113', { hash: null, keyTypes: ['ed448'] }],
]);

export const RSA_ENCRYPTION = '1.2.840.113549.1.1.1';
export const RSASSA_PSS = '1.2.840.113549.1.1.10';
export const MGF1 = '1.2.840.113549.1.1.8';
export const ED25519 = '1.3.101.112';
/** ecdsa-with-SHA2 by hash. */
export const ecdsaOids: Readonly<Partial<Record<HashName, string>>> = {
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
};

/**
 * The scheme of an AlgorithmIdentifier. In CMS it may name the kind of key only; the hash is then `digest`.
 * @throws MalformedDer
 */
export function signatureSchemeOf(
  algorithm: DerElement,
  digest: HashName | undefined,
): KnownScheme | undefined {
  const fields = algorithm.expect(tags.sequence).fields();
  const oid = readOid(fields.next());
  if (oid === RSASSA_PSS) return fields.hasNext ? pssScheme(fields.next()) : undefined;
  if (oid === RSA_ENCRYPTION && digest !== undefined) return { hash: digest, keyTypes: RSA };
  return fixed.get(oid);
}

/** RSASSA-PSS-params (RFC 4055 §3.1); node:crypto has one hash for text and mask. */
function pssScheme(parameters: DerElement): KnownScheme | undefined {
  const fields = parameters.expect(tags.sequence).fields();
  const given = fields.optional(context(0));
  const mask = fields.optional(context(1));
  const salt = fields.optional(context(2));
  const hash = given === undefined ? 'sha1' : hashOf(given.inner());
  const pssSaltBytes = salt === undefined ? 20 : readSmallInteger(salt.inner());
  const maskHash = mask === undefined ? 'sha1' : maskHashOf(mask.inner());
  if (hash === undefined || hash !== maskHash || pssSaltBytes > 512) return undefined;
  return { hash, pssSaltBytes, keyTypes: ['rsa', 'rsa-pss'] };
}

/** The hash of MGF1 (RFC 8017 §B.2.1). */
export function maskHashOf(algorithm: DerElement): HashName | undefined {
  const fields = algorithm.expect(tags.sequence).fields();
  if (readOid(fields.next()) !== MGF1) throw new MalformedDer('another mask than MGF1');
  return hashOf(fields.next());
}
