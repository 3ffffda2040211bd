// Reads encrypted messages. All failures look the same from outside: which step failed would tell a sender about the key.

import type { KeyObject, X509Certificate } from 'node:crypto';
import {
  context,
  type DerElement,
  type Fields,
  MalformedDer,
  readOctets,
  tags,
} from '../../certificates/der-reader.js';
import { type CertificateId, isNamedBy, readCertificateId } from './certificate-ids.js';
import { type AuthenticatedParts, type ContentDecryption, readContentCipher } from './content-ciphers.js';
import { contentTypes, readContentInfo } from './content-info.js';
import { type KeyAgreement, unwrapKey } from './ec-recipient.js';
import { decryptKey } from './rsa-recipient.js';

/** Whose message it is. */
export interface Recipient {
  readonly key: KeyObject;
  /** Finds the key among several; without it the message must have one recipient with a key of this kind. */
  readonly certificate: X509Certificate | undefined;
}

const MOST_RECIPIENTS = 2000;

/** A recipient in the message: who, and how to get at the key of the content. */
interface Slot {
  readonly keyType: 'rsa' | 'ec';
  readonly id: CertificateId;
  openKey(key: KeyObject, keyBytes: number): Buffer | undefined;
}

/** Decrypts. @returns undefined for any failure */
export function decryptContent(bytes: Buffer, recipient: Recipient): Buffer | undefined {
  try {
    return decryptOrThrow(bytes, recipient);
  } catch {
    return undefined;
  }
}

function decryptOrThrow(bytes: Buffer, recipient: Recipient): Buffer | undefined {
  const { type, content } = readContentInfo(bytes);
  const isAuthenticated = type === contentTypes.authEnvelopedData;
  if (!isAuthenticated && type !== contentTypes.envelopedData) throw new MalformedDer('nothing encrypted');
  const fields = content.expect(tags.sequence).fields();
  fields.next(tags.integer);
  fields.optional(context(0));
  const slot = slotFor(recipient, readSlots(fields.next(tags.set)));
  const { cipher, text } = readEncryptedContent(fields.next(tags.sequence));
  const authenticated = isAuthenticated ? readAuthenticated(fields) : undefined;
  const key = slot?.openKey(recipient.key, cipher?.keyBytes ?? 0);
  if (cipher === undefined || key?.length !== cipher.keyBytes) return undefined;
  return cipher.decrypt(key, text, authenticated);
}

function slotFor({ key, certificate }: Recipient, slots: readonly Slot[]): Slot | undefined {
  const fitting = slots.filter(({ keyType }) => keyType === key.asymmetricKeyType);
  if (certificate === undefined) return fitting.length === 1 ? fitting[0] : undefined;
  return certificate.checkPrivateKey(key) ? fitting.find(({ id }) => isNamedBy(certificate, id)) : undefined;
}

function readEncryptedContent(element: DerElement): {
  readonly cipher: ContentDecryption | undefined;
  readonly text: Buffer;
} {
  const fields = element.fields();
  fields.next(tags.oid);
  const cipher = readContentCipher(fields.next());
  const text = fields.optional(context(0), context(0, true));
  if (text === undefined) throw new MalformedDer('no content');
  return { cipher, text: readOctets(text) };
}

function readAuthenticated(fields: Fields): AuthenticatedParts {
  const attributes = fields.optional(context(1));
  const tag = readOctets(fields.next(tags.octetString));
  const aad = attributes === undefined ? Buffer.alloc(0) : Buffer.from(attributes.raw);
  if (aad.length > 0) aad[0] = tags.set;
  return { tag, aad };
}

// --- Recipients ------------------------------------------------------------------------------------------------------

/** The recipients that a private key can belong to; passwords and shared keys are skipped. */
function readSlots(set: DerElement): Slot[] {
  const slots: Slot[] = [];
  for (const info of set.children()) {
    if (slots.length > MOST_RECIPIENTS) throw new MalformedDer('too many recipients');
    if (info.tag === tags.sequence) slots.push(readTransport(info));
    else if (info.tag === context(1)) slots.push(...readAgreement(info));
  }
  return slots;
}

function readTransport(info: DerElement): Slot {
  const fields = info.fields();
  fields.next(tags.integer);
  const id = readCertificateId(fields.next());
  const algorithm = fields.next(tags.sequence);
  const encrypted = readOctets(fields.next(tags.octetString));
  return {
    keyType: 'rsa',
    id,
    openKey: (key, keyBytes) => decryptKey(algorithm, encrypted, key, keyBytes),
  };
}

function* readAgreement(info: DerElement): Generator<Slot, undefined> {
  const fields = info.fields();
  fields.next(tags.integer);
  const originator = fields.next(context(0));
  const userKey = fields.optional(context(1));
  const agreement: KeyAgreement = {
    originator,
    userKey: userKey === undefined ? undefined : readOctets(userKey.inner()),
    algorithm: fields.next(tags.sequence),
  };
  for (const one of fields.next(tags.sequence).children()) {
    const parts = one.expect(tags.sequence).fields();
    const id = readAgreementId(parts.next());
    const wrapped = readOctets(parts.next(tags.octetString));
    yield { keyType: 'ec', id, openKey: (key) => unwrapKey(agreement, wrapped, key) };
  }
  return undefined;
}

/** IssuerAndSerialNumber, or `[0]` RecipientKeyIdentifier, a structure here. */
function readAgreementId(element: DerElement): CertificateId {
  if (element.tag !== context(0)) return readCertificateId(element);
  return { kind: 'key', identifier: element.fields().next(tags.octetString).content };
}
