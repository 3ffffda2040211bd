// Extensions of certificates and revocation lists (RFC 5280 §4.2, §5.2), and what those say that decide about a chain.

import { type DerElement, readBits, readOid, readSmallInteger, readWhole, tags } from './der-reader.js';

/** One extension; `value` is the DER inside. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

/** Object identifiers of the extensions that we read. */
export const extensionOids = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlReason: '2.5.29.21',
  nameConstraints: '2.5.29.30',
  extKeyUsage: '2.5.29.37',
} as const;

/** The names of OpenSSL for the extensions one meets. */
const extensionNames: Readonly<Record<string, string>> = {
  '2.5.29.9': 'subjectDirectoryAttributes',
  '2.5.29.14': 'subjectKeyIdentifier',
  '2.5.29.15': 'keyUsage',
  '2.5.29.16': 'privateKeyUsagePeriod',
  '2.5.29.17': 'subjectAltName',
  '2.5.29.18': 'issuerAltName',
  '2.5.29.19': 'basicConstraints',
  '2.5.29.20': 'crlNumber',
  '2.5.29.21': 'CRLReason',
  '2.5.29.24': 'invalidityDate',
  '2.5.29.27': 'deltaCRL',
  '2.5.29.28': 'issuingDistributionPoint',
  '2.5.29.29': 'certificateIssuer',
  '2.5.29.30': 'nameConstraints',
  '2.5.29.31': 'crlDistributionPoints',
  '2.5.29.32': 'certificatePolicies',
  '2.5.29.33': 'policyMappings',
  '2.5.29.35': 'authorityKeyIdentifier',
  '2.5.29.36': 'policyConstraints',
  '2.5.29.37': 'extendedKeyUsage',
  '2.5.29.46': 'freshestCRL',
  '2.5.29.54': 'inhibitAnyPolicy',
  '1.3.6.1.5.5.7.1.1': 'authorityInfoAccess',
  '1.3.6.1.5.5.7.1.3': 'qcStatements',
  '1.3.6.1.5.5.7.1.11': 'subjectInfoAccess',
  '1.3.6.1.5.5.7.1.24': 'tlsfeature',
  '1.3.6.1.4.1.11129.2.4.2': 'ct_precert_scts',
  '1.3.6.1.4.1.11129.2.4.3': 'ct_precert_poison',
  '2.16.840.1.113730.1.1': 'nsCertType',
  '2.16.840.1.113730.1.13': 'nsComment',
};

/** The name of an extension; one we do not know is its object identifier. */
export const extensionName = (oid: string): string => extensionNames[oid] ?? oid;

/** Reads SEQUENCE OF Extension. @throws MalformedDer */
export function readExtensions(list: DerElement): Extension[] {
  return Array.from(list.expect(tags.sequence).children(), (one) => {
    const fields = one.expect(tags.sequence).fields();
    const oid = readOid(fields.next());
    const critical = fields.optional(tags.boolean);
    const { content } = fields.next(tags.octetString);
    return { oid, critical: critical !== undefined && critical.content[0] !== 0, value: content };
  });
}

/** The value of an extension, read; undefined when it is not there. @throws MalformedDer */
export function extensionValue(extensions: readonly Extension[], oid: string): DerElement | undefined {
  const found = extensions.find((one) => one.oid === oid);
  return found === undefined ? undefined : readWhole(found.value);
}

/** basicConstraints (§4.2.1.9). */
export interface BasicConstraints {
  readonly isAuthority: boolean;
  /** How many further authorities may follow below. */
  readonly pathLength: number | undefined;
}

/** @throws MalformedDer */
export function basicConstraintsOf(extensions: readonly Extension[]): BasicConstraints | undefined {
  const value = extensionValue(extensions, extensionOids.basicConstraints);
  if (value === undefined) return undefined;
  const fields = value.expect(tags.sequence).fields();
  const flag = fields.optional(tags.boolean);
  const length = fields.optional(tags.integer);
  return {
    isAuthority: flag !== undefined && flag.content[0] !== 0,
    pathLength: length === undefined ? undefined : readSmallInteger(length),
  };
}

/** Bits of keyUsage (§4.2.1.3) as in its first byte. */
export const keyUsageBits = {
  digitalSignature: 0x80,
  nonRepudiation: 0x40,
  keyEncipherment: 0x20,
  keyAgreement: 0x08,
  keyCertSign: 0x04,
  cRLSign: 0x02,
} as const;

/** The first byte of keyUsage; undefined when there is none, which allows everything. @throws MalformedDer */
export function keyUsageOf(extensions: readonly Extension[]): number | undefined {
  const value = extensionValue(extensions, extensionOids.keyUsage);
  return value === undefined ? undefined : (readBits(value, false)[0] ?? 0);
}

/** What the key may be used for, as object identifiers; undefined when nothing is said. @throws MalformedDer */
export function extendedKeyUsageOf(extensions: readonly Extension[]): readonly string[] | undefined {
  const value = extensionValue(extensions, extensionOids.extKeyUsage);
  return value === undefined ? undefined : Array.from(value.expect(tags.sequence).children(), readOid);
}
