// What node:crypto's X509Certificate does not tell: version, extensions, names part by part. Read from the same bytes,
// once per certificate.

import { X509Certificate } from 'node:crypto';
import {
  context,
  type DerElement,
  readElement,
  readSmallInteger,
  readTime,
  readWhole,
  tags,
  unlessMalformed,
} from './der-reader.js';
import { type Extension, extensionOids, extensionValue, readExtensions } from './extensions.js';
import { comparableName } from './names.js';
import { type PemBlock, pemBlocks } from './pem.js';

/** The fields of a certificate (RFC 5280 §4.1). */
export interface CertificateFields {
  /** 1 to 3. */
  readonly version: number;
  /** In hex, upper case, whole bytes; negative numbers, which nobody may use, with a minus sign. */
  readonly serialNumber: string;
  /** The serial number's element as it is written. */
  readonly serialElement: Buffer;
  readonly issuer: DerElement;
  readonly subject: DerElement;
  /** Texts for comparing. */
  readonly issuerName: string;
  readonly subjectName: string;
  /** Unix times. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** The object identifier of the signature's algorithm, and its parameters. */
  readonly signatureAlgorithm: DerElement;
  readonly extensions: readonly Extension[];
}

const known = new WeakMap<X509Certificate, CertificateFields>();

/** The fields of a certificate. @throws MalformedDer for what OpenSSL lets pass and we do not */
export function fieldsOf(certificate: X509Certificate): CertificateFields {
  let fields = known.get(certificate);
  if (fields === undefined) {
    fields = readFields(certificate.raw);
    known.set(certificate, fields);
  }
  return fields;
}

/** The SubjectPublicKeyInfo as the certificate writes it; undefined when its fields cannot be read. */
export function publicKeyInfoOf(certificate: X509Certificate): Buffer | undefined {
  return unlessMalformed(() => fieldsOf(certificate).publicKey);
}

function readFields(bytes: Buffer): CertificateFields {
  const outer = readWhole(bytes).expect(tags.sequence).fields();
  const inner = outer.next(tags.sequence).fields();
  const version = inner.optional(context(0));
  const serial = inner.next(tags.integer);
  inner.next(tags.sequence);
  const issuer = inner.next(tags.sequence);
  const validity = inner.next(tags.sequence).fields();
  const subject = inner.next(tags.sequence);
  const publicKey = inner.next(tags.sequence).raw;
  inner.optional(context(1), context(1, true));
  inner.optional(context(2), context(2, true));
  const extensions = inner.optional(context(3));
  return {
    version: version === undefined ? 1 : readSmallInteger(version.inner()) + 1,
    serialNumber: serialToHex(serial),
    serialElement: serial.raw,
    issuer,
    subject,
    issuerName: comparableName(issuer),
    subjectName: comparableName(subject),
    notBefore: readTime(validity.next()),
    notAfter: readTime(validity.next()),
    publicKey,
    signatureAlgorithm: outer.next(tags.sequence),
    extensions: extensions === undefined ? [] : readExtensions(extensions.inner()),
  };
}

/** A serial number as OpenSSL prints it: hex, upper case, without the byte that only holds the sign. */
export function serialToHex({ content }: DerElement): string {
  const hex = content.toString('hex').toUpperCase();
  if (content.length === 0) return '00';
  if (content[0]! >= 0x80) {
    const value = (1n << BigInt(content.length * 8)) - BigInt(`0x${hex}`);
    const digits = value.toString(16).toUpperCase();
    return `-${digits.length % 2 === 0 ? digits : `0${digits}`}`;
  }
  return content[0] === 0 && content.length > 1 ? hex.slice(2) : hex;
}

/** The subjectKeyIdentifier; undefined when there is none. @throws MalformedDer */
export function keyIdentifierOf(certificate: X509Certificate): Buffer | undefined {
  const value = extensionValue(fieldsOf(certificate).extensions, extensionOids.subjectKeyIdentifier);
  return value?.expect(tags.octetString).content;
}

/** A certificate from DER or a PEM block; undefined when OpenSSL or we cannot read it. */
export function parseCertificate(bytes: Buffer): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(bytes);
    fieldsOf(certificate);
    return certificate;
  } catch {
    // Whatever is wrong with it: it is no certificate.
    return undefined;
  }
}

/** How many certificates a text may hold: the list of all public authorities has about 150. */
const MOST_CERTIFICATES = 10_000;

/** Whether a PEM block holds a certificate. */
export const isCertificate = ({ label }: PemBlock): boolean =>
  label === 'CERTIFICATE' || label === 'X509 CERTIFICATE' || label === 'TRUSTED CERTIFICATE';

/** The certificates of a PEM text; undefined when one of them cannot be read. */
export function certificatesInPem(text: string): X509Certificate[] | undefined {
  const found: X509Certificate[] = [];
  for (const block of pemBlocks(text)) {
    if (!isCertificate(block)) continue;
    const certificate = parseCertificate(Buffer.from(block.text, 'latin1'));
    if (certificate === undefined || found.length >= MOST_CERTIFICATES) return undefined;
    found.push(certificate);
  }
  return found;
}

/** The certificates in DER, one behind another; undefined when one of them cannot be read. */
export function certificatesInDer(bytes: Buffer): X509Certificate[] | undefined {
  const found: X509Certificate[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = endOfSequence(bytes, at);
    const certificate = end === undefined ? undefined : parseCertificate(bytes.subarray(at, end));
    if (end === undefined || certificate === undefined || found.length >= MOST_CERTIFICATES) return undefined;
    found.push(certificate);
    at = end;
  }
  return found;
}

/** Where the SEQUENCE that begins at `at` ends; undefined when there is none, a PEM text for example. */
function endOfSequence(bytes: Buffer, at: number): number | undefined {
  return unlessMalformed(() => readElement(bytes, at).expect(tags.sequence).end);
}
