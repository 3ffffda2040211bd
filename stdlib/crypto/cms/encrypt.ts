// Makes encrypted messages: EnvelopedData (RFC 5652 §6), with gcm AuthEnvelopedData (RFC 5083).

import type { X509Certificate } from 'node:crypto';
import { fieldsOf } from '../../certificates/certificate.js';
import * as der from '../../certificates/der-writer.js';
import { issuerAndSerial } from './certificate-ids.js';
import { type CipherName, encryptContent } from './content-ciphers.js';
import { contentTypes, writeContentInfo } from './content-info.js';
import { wrapKey } from './ec-recipient.js';
import { encryptKey } from './rsa-recipient.js';

/** How to encrypt. */
export interface EncryptOptions {
  readonly cipher: CipherName;
  /** For RSA keys: OAEP instead of PKCS#1 v1.5. */
  readonly oaep: boolean;
}

/** RecipientInfo for a certificate; undefined when nothing can be encrypted for its key. */
function recipientInfo(certificate: X509Certificate, key: Buffer, oaep: boolean): Buffer | undefined {
  const id = issuerAndSerial(fieldsOf(certificate));
  try {
    const { publicKey } = certificate;
    if (publicKey.asymmetricKeyType === 'ec') return wrapKey(key, publicKey, id);
    if (publicKey.asymmetricKeyType !== 'rsa') return undefined;
    const { algorithm, encrypted } = encryptKey(key, publicKey, oaep);
    return der.sequence(der.integer(0), id, algorithm, der.octetString(encrypted));
  } catch {
    // A key that OpenSSL does not know, or too short for the content's key.
    return undefined;
  }
}

/** Encrypts for all recipients. @returns a ContentInfo in DER; undefined when nothing can be encrypted for one of them */
export function encryptForRecipients(
  content: Buffer,
  recipients: readonly X509Certificate[],
  { cipher, oaep }: EncryptOptions,
): Buffer | undefined {
  const { key, algorithm, text, tag } = encryptContent(content, cipher);
  const infos: Buffer[] = [];
  for (const recipient of recipients) {
    const info = recipientInfo(recipient, key, oaep);
    if (info === undefined) return undefined;
    infos.push(info);
  }
  const encrypted = der.sequence(der.oid(contentTypes.data), algorithm, der.taggedPrimitive(0, text));
  if (tag !== undefined) {
    const authenticated = der.sequence(der.integer(0), der.setOf(infos), encrypted, der.octetString(tag));
    return writeContentInfo(contentTypes.authEnvelopedData, authenticated);
  }
  // §6.1: 0 when all recipients are named by issuer and serial number and none agrees on a key.
  const version = infos.every((info) => info[0] === 0x30) ? 0 : 2;
  const enveloped = der.sequence(der.integer(version), der.setOf(infos), encrypted);
  return writeContentInfo(contentTypes.envelopedData, enveloped);
}
