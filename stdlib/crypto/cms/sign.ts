// Makes signed messages: SignedData with one signer and signed attributes (RFC 5652 §5).

import { hash, type KeyObject, type X509Certificate } from 'node:crypto';
import { fieldsOf } from '../../certificates/certificate.js';
import { tags } from '../../certificates/der-reader.js';
import * as der from '../../certificates/der-writer.js';
import {
  ED25519,
  ecdsaOids,
  type HashName,
  hashOids,
  MGF1,
  RSA_ENCRYPTION,
  RSASSA_PSS,
} from '../signature-algorithms.js';
import { type SignatureScheme, signBytes } from '../signing.js';
import { issuerAndSerial } from './certificate-ids.js';
import { contentTypes, writeContentInfo } from './content-info.js';

/** Who signs. */
export interface Signer {
  readonly key: KeyObject;
  readonly certificate: X509Certificate;
  /** Further certificates that are sent along. */
  readonly chain: readonly X509Certificate[];
}

/** How to sign. */
export interface SignOptions {
  readonly digest: 'sha256' | 'sha384' | 'sha512';
  /** The content stays outside. */
  readonly detached: boolean;
  /** Unix time. */
  readonly signingTime: number;
}

/** Object identifiers of signed attributes. */
export const attributeOids = {
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
} as const;

interface Method {
  readonly digest: HashName;
  readonly algorithm: Buffer;
  readonly scheme: SignatureScheme;
}

/** How a key signs; undefined for kinds that CMS does not know. */
function methodOf(key: KeyObject, digest: SignOptions['digest']): Method | undefined {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return { digest, algorithm: der.algorithm(RSA_ENCRYPTION, der.nullValue()), scheme: { hash: digest } };
    case 'rsa-pss': {
      const salt = hash(digest, '', 'buffer').length;
      return { digest, algorithm: pssAlgorithm(digest, salt), scheme: { hash: digest, pssSaltBytes: salt } };
    }
    case 'ec':
      return { digest, algorithm: der.algorithm(ecdsaOids[digest]!), scheme: { hash: digest } };
    case 'ed25519':
      // RFC 8419 §2.3: whatever is asked for, the digest goes with the key.
      return { digest: 'sha512', algorithm: der.algorithm(ED25519), scheme: { hash: null } };
    default:
      return undefined;
  }
}

function pssAlgorithm(digest: HashName, saltBytes: number): Buffer {
  const hashAlgorithm = der.algorithm(hashOids[digest], der.nullValue());
  const parameters = der.sequence(
    der.tagged(0, hashAlgorithm),
    der.tagged(1, der.algorithm(MGF1, hashAlgorithm)),
    der.tagged(2, der.integer(saltBytes)),
  );
  return der.algorithm(RSASSA_PSS, parameters);
}

const attribute = (dotted: string, value: Buffer): Buffer =>
  der.sequence(der.oid(dotted), der.setOf([value]));

/** Signs. @returns a ContentInfo in DER, or undefined when the key cannot do it or is not the certificate's */
export async function signContent(
  content: Buffer,
  { key, certificate, chain }: Signer,
  { digest, detached, signingTime }: SignOptions,
): Promise<Buffer | undefined> {
  const method = methodOf(key, digest);
  if (method === undefined || !certificate.checkPrivateKey(key)) return undefined;
  const attributes = [
    attribute(attributeOids.contentType, der.oid(contentTypes.data)),
    attribute(attributeOids.signingTime, der.time(signingTime)),
    attribute(attributeOids.messageDigest, der.octetString(hash(method.digest, content, 'buffer'))),
  ];
  // What is signed is the SET; what is sent is the same under another tag (§5.4).
  const signature = await signBytes(der.setOf(attributes), key, method.scheme);
  if (signature === undefined) return undefined;
  const digestAlgorithm = der.algorithm(hashOids[method.digest]);
  const signerInfo = der.sequence(
    der.integer(1),
    issuerAndSerial(fieldsOf(certificate)),
    digestAlgorithm,
    der.setOf(attributes, 0xa0),
    method.algorithm,
    der.octetString(signature),
  );
  const encapsulated = detached ? [] : [der.tagged(0, der.octetString(content))];
  const signedData = der.sequence(
    der.integer(1),
    der.setOf([digestAlgorithm]),
    der.sequence(der.oid(contentTypes.data), ...encapsulated),
    der.setOf(
      unique([certificate, ...chain]).map(({ raw }) => raw),
      0xa0,
    ),
    der.setOf([signerInfo], tags.set),
  );
  return writeContentInfo(contentTypes.signedData, signedData);
}

function unique(certificates: readonly X509Certificate[]): X509Certificate[] {
  return [...new Map(certificates.map((one) => [one.fingerprint256, one])).values()];
}
