// Whether a certificate leads to one that is trusted (RFC 5280 §6), as far as mail needs it: dates, authorities and how
// many may follow each other, names, uses of the keys, revocation lists. Policies are not evaluated: a chain in which a
// certificate insists on constraints of them is refused.

import type { X509Certificate } from 'node:crypto';
import { signatureSchemeOf } from '../crypto/signature-algorithms.js';
import { type CertificateFields, fieldsOf } from './certificate.js';
import { unlessMalformed } from './der-reader.js';
import {
  basicConstraintsOf,
  extendedKeyUsageOf,
  extensionOids,
  keyUsageBits,
  keyUsageOf,
} from './extensions.js';
import { constraintProblem } from './name-constraints.js';
import type { RevocationList } from './revocation-list.js';

/** What keys are used for: signing mail, or being a TLS server. */
export type Purpose = 'emailProtection' | 'serverAuth';

/** What a certificate is held against. */
export interface ChainOptions {
  /** Trusted as they are, roots or not. */
  readonly anchors: readonly X509Certificate[];
  /** May stand between. */
  readonly intermediates: readonly X509Certificate[];
  /** When there are any, the certificate's issuer must have one among them. */
  readonly revocationLists: readonly RevocationList[];
  /** Unix time. */
  readonly now: number;
  /** What the certificate is used for; absent: anything. */
  readonly purpose?: Purpose;
}

/** The way to the anchor, the certificate first; or the reason in OpenSSL's words, which operators know. */
export type ChainResult =
  | { readonly kind: 'trusted'; readonly chain: readonly X509Certificate[] }
  | { readonly kind: 'refused'; readonly problem: string };

const LONGEST_CHAIN = 10;
/** Of one verification: certificates with one name and many keys could ask for more and more. */
const MOST_SIGNATURES = 100;

/** Extensions that must be understood, and are (or, as the policies, say nothing that we decide by). */
const understood = new Set<string>([
  '2.5.29.14',
  extensionOids.keyUsage,
  extensionOids.subjectAltName,
  extensionOids.basicConstraints,
  extensionOids.extKeyUsage,
  extensionOids.nameConstraints,
  '2.5.29.18',
  '2.5.29.31',
  '2.5.29.32',
  '2.5.29.35',
  '1.3.6.1.5.5.7.1.1',
]);

const purposeOids = { emailProtection: '1.3.6.1.5.5.7.3.4', serverAuth: '1.3.6.1.5.5.7.3.1' } as const;
const ANY_PURPOSE = '2.5.29.37.0';

interface Entry {
  readonly certificate: X509Certificate;
  readonly fields: CertificateFields;
}

/** Looks for a way from the certificate to an anchor that holds. */
export async function verifyChain(certificate: X509Certificate, options: ChainOptions): Promise<ChainResult> {
  const leaf = entryOf(certificate);
  if (leaf === undefined) return refused('the certificate cannot be read');
  return new Search(options).from([leaf]);
}

const refused = (problem: string): ChainResult => ({ kind: 'refused', problem });

function entryOf(certificate: X509Certificate): Entry | undefined {
  const fields = unlessMalformed(() => fieldsOf(certificate));
  return fields === undefined ? undefined : { certificate, fields };
}

class Search {
  readonly #options: ChainOptions;
  readonly #anchors: ReadonlyMap<string, readonly Entry[]>;
  readonly #intermediates: ReadonlyMap<string, readonly Entry[]>;
  #signaturesLeft = MOST_SIGNATURES;

  constructor(options: ChainOptions) {
    this.#options = options;
    this.#anchors = bySubject(options.anchors);
    this.#intermediates = bySubject(options.intermediates);
  }

  /** `path` is what is found so far, the certificate first. */
  async from(path: readonly Entry[]): Promise<ChainResult> {
    const last = path.at(-1)!;
    if (isAmong(last, this.#anchors.get(last.fields.subjectName))) return this.#judged(path);
    if (path.length >= LONGEST_CHAIN) return refused('certificate chain too long');
    let result: ChainResult | undefined;
    const { issuerName } = last.fields;
    for (const issuer of this.#anchors.get(issuerName) ?? []) {
      if (!this.#hasIssued(issuer, last)) continue;
      const found = await this.#judged([...path, issuer]);
      if (found.kind === 'trusted') return found;
      result ??= found;
    }
    for (const issuer of this.#intermediates.get(issuerName) ?? []) {
      if (isAmong(issuer, path) || !this.#hasIssued(issuer, last)) continue;
      const found = await this.from([...path, issuer]);
      if (found.kind === 'trusted') return found;
      result ??= found;
    }
    return result ?? refused(deadEnd(path));
  }

  #hasIssued(issuer: Entry, of: Entry): boolean {
    if (this.#signaturesLeft <= 0) return false;
    this.#signaturesLeft--;
    try {
      // Not `checkIssued`: it looks at the use of the key as well, and the reason would be lost.
      return of.certificate.verify(issuer.certificate.publicKey);
    } catch {
      // A key of a kind that OpenSSL does not know has signed nothing that we can check.
      return false;
    }
  }

  /** A whole path, the anchor last. */
  async #judged(path: readonly Entry[]): Promise<ChainResult> {
    const problem =
      unlessMalformed(() => pathProblem(path, this.#options) ?? '') ?? 'a certificate cannot be read';
    if (problem !== '') return refused(problem);
    const revoked = await revocationProblem(path, this.#options);
    if (revoked !== undefined) return refused(revoked);
    return { kind: 'trusted', chain: path.map(({ certificate }) => certificate) };
  }
}

function bySubject(certificates: readonly X509Certificate[]): Map<string, Entry[]> {
  const map = new Map<string, Entry[]>();
  for (const certificate of certificates) {
    const entry = entryOf(certificate);
    if (entry === undefined) continue;
    const same = map.get(entry.fields.subjectName);
    if (same === undefined) map.set(entry.fields.subjectName, [entry]);
    else same.push(entry);
  }
  return map;
}

const isAmong = (one: Entry, list: readonly Entry[] | undefined): boolean =>
  list?.some(({ certificate }) => certificate.raw.equals(one.certificate.raw)) === true;

function deadEnd(path: readonly Entry[]): string {
  const { subjectName, issuerName } = path.at(-1)!.fields;
  if (subjectName !== issuerName) return 'unable to get local issuer certificate';
  return path.length === 1 ? 'self-signed certificate' : 'self-signed certificate in certificate chain';
}

/** @throws MalformedDer */
function pathProblem(path: readonly Entry[], { now, purpose }: ChainOptions): string | undefined {
  let authoritiesBelow = 0;
  for (const [index, entry] of path.entries()) {
    const isAnchor = index === path.length - 1;
    const { fields } = entry;
    if (now < fields.notBefore) return 'certificate is not yet valid';
    if (now > fields.notAfter) return 'certificate has expired';
    if (!isAnchor && signatureSchemeOf(fields.signatureAlgorithm, undefined) === undefined)
      return 'CA signature digest algorithm too weak';
    const insists = fields.extensions.some(({ oid, critical }) => critical && !understood.has(oid));
    if (insists) return 'unhandled critical extension';
    const below = path.slice(0, index).map((one) => one.fields);
    const problem =
      index === 0
        ? undefined
        : (authorityProblem(fields, isAnchor, authoritiesBelow) ?? constraintProblem(fields, below));
    if (problem !== undefined) return problem;
    if (purpose !== undefined && !isFitFor(purpose, fields, index === 0))
      return 'unsuitable certificate purpose';
    if (index > 0 && fields.subjectName !== fields.issuerName) authoritiesBelow++;
  }
  return undefined;
}

/** @throws MalformedDer */
function authorityProblem(
  fields: CertificateFields,
  isAnchor: boolean,
  authoritiesBelow: number,
): string | undefined {
  // Roots from before 1999 have no extensions to say what they are.
  if (isAnchor && fields.version < 3) return undefined;
  const constraints = basicConstraintsOf(fields.extensions);
  if (constraints?.isAuthority !== true) return 'invalid CA certificate';
  if (constraints.pathLength !== undefined && authoritiesBelow > constraints.pathLength)
    return 'path length constraint exceeded';
  const usage = keyUsageOf(fields.extensions);
  if (usage !== undefined && (usage & keyUsageBits.keyCertSign) === 0)
    return 'key usage does not include certificate signing';
  return undefined;
}

/** @throws MalformedDer */
function isFitFor(purpose: Purpose, fields: CertificateFields, isFirst: boolean): boolean {
  const purposes = extendedKeyUsageOf(fields.extensions);
  if (purposes !== undefined && !purposes.includes(purposeOids[purpose]) && !purposes.includes(ANY_PURPOSE))
    return false;
  const usage = keyUsageOf(fields.extensions);
  return !isFirst || usage === undefined || (usage & usesOfFirst[purpose]) !== 0;
}

/** What the key of the certificate itself must be good for, one of these. */
const usesOfFirst = {
  emailProtection: keyUsageBits.digitalSignature | keyUsageBits.nonRepudiation,
  serverAuth: keyUsageBits.digitalSignature | keyUsageBits.keyEncipherment | keyUsageBits.keyAgreement,
} as const;

// --- Revocation ------------------------------------------------------------------------------------------------------

/** The certificate itself must be covered by a list; the authorities are looked up where there is one. */
async function revocationProblem(
  path: readonly Entry[],
  { revocationLists, now }: ChainOptions,
): Promise<string | undefined> {
  if (revocationLists.length === 0) return undefined;
  for (const [index, { fields }] of path.slice(0, -1).entries()) {
    const issuer = path[index + 1]!;
    const lists = revocationLists.filter((list) => list.issuerName === fields.issuerName);
    if (lists.length === 0 && index === 0) return 'unable to get certificate CRL';
    for (const list of lists) {
      const problem = await listProblem(list, issuer, now);
      if (problem !== undefined) return problem;
      for (const { serialNumber, reason } of list.revoked())
        if (serialNumber === fields.serialNumber && reason !== 'removeFromCRL') return 'certificate revoked';
    }
  }
  return undefined;
}

async function listProblem(
  list: RevocationList,
  { certificate, fields }: Entry,
  now: number,
): Promise<string | undefined> {
  if (list.isBeyondUs) return 'unhandled critical CRL extension';
  const usage = unlessMalformed(() => keyUsageOf(fields.extensions));
  if (usage !== undefined && (usage & keyUsageBits.cRLSign) === 0)
    return 'key usage does not include CRL signing';
  if (!(await list.isSignedBy(certificate.publicKey))) return 'CRL signature failure';
  if (now < list.lastUpdate) return 'CRL is not yet valid';
  if (list.nextUpdate !== undefined && now > list.nextUpdate) return 'CRL has expired';
  return undefined;
}
