// How CMS names a certificate: by issuer and serial number, or by the identifier of its key (RFC 5652 §5.3, §10.2.4).

import type { X509Certificate } from 'node:crypto';
import { type CertificateFields, fieldsOf, keyIdentifierOf } from '../../certificates/certificate.js';
import { context, type DerElement, tags, unlessMalformed } from '../../certificates/der-reader.js';
import * as der from '../../certificates/der-writer.js';
import { comparableName } from '../../certificates/names.js';

/** The name of a certificate. */
export type CertificateId =
  | { readonly kind: 'serial'; readonly issuerName: string; readonly serial: Buffer }
  | { readonly kind: 'key'; readonly identifier: Buffer };

/** IssuerAndSerialNumber, or `[0]` with a key identifier. @throws MalformedDer */
export function readCertificateId(element: DerElement): CertificateId {
  if (element.tag === context(0, true)) return { kind: 'key', identifier: element.content };
  const fields = element.expect(tags.sequence).fields();
  const issuerName = comparableName(fields.next());
  return { kind: 'serial', issuerName, serial: fields.next(tags.integer).raw };
}

/** Whether the id names this certificate. */
export function isNamedBy(certificate: X509Certificate, id: CertificateId): boolean {
  const matches = unlessMalformed(() => {
    if (id.kind === 'key') return keyIdentifierOf(certificate)?.equals(id.identifier) === true;
    const fields = fieldsOf(certificate);
    return fields.issuerName === id.issuerName && fields.serialElement.equals(id.serial);
  });
  return matches === true;
}

/** IssuerAndSerialNumber. */
export const issuerAndSerial = ({ issuer, serialElement }: CertificateFields): Buffer =>
  der.sequence(issuer.raw, serialElement);
