// Whether what a server showed is what its TLSA records say (RFC 7671 5).
//
// DANE-EE: the first certificate is the one. Neither its names nor its dates matter, nor who signed it (5.1).
// DANE-TA: it leads, by signatures and within all dates, to an authority that a record names, and it is for one of the
// reference names (5.2). The authority may be in the chain with only its digest in the record, or it is the record itself,
// as a certificate or as a bare key, and does not have to be sent.

import type { KeyObject, X509Certificate } from 'node:crypto';
import { verifyChain } from '#stdlib';
import { isCertificateFor } from '../../client/certificate-names.js';
import type { TlsFailureType } from '../tlsrpt.js';
import {
  CertificateFaces,
  certificateIn,
  DANE_EE,
  DANE_TA,
  keyIn,
  strongest,
  type TlsaRecord,
} from './tlsa.js';

/** How a chain compares with the records. */
export type ChainMatch =
  | { readonly kind: 'matched'; readonly record: TlsaRecord }
  | { readonly kind: 'unmatched'; readonly failure: TlsFailureType; readonly message: string };

/** Longer chains are not looked at beyond this: each certificate costs digests and signatures. */
const LONGEST_CHAIN = 20;
/** Whoever publishes records and shows chains could otherwise have us look for ways, and check signatures, without end. */
const MOST_ANCHORS = 8;
const MOST_KEY_CHECKS = 32;

/** Holds a chain, the server's certificate first, against usable records. `now` is a Unix time. */
export async function matchChain(
  chain: readonly X509Certificate[],
  usable: readonly TlsaRecord[],
  names: readonly string[],
  now: number,
): Promise<ChainMatch> {
  const [server, ...others] = chain.slice(0, LONGEST_CHAIN);
  if (server === undefined) return unmatched('validation-failure', 'the server showed no certificate');
  const records = strongest(usable);
  const faces = new CertificateFaces(server);
  const itself = records.find((record) => record.usage === DANE_EE && faces.is(record));
  if (itself !== undefined) return { kind: 'matched', record: itself };

  const authorities = records.filter(({ usage }) => usage === DANE_TA);
  const found = authorities.length === 0 ? undefined : await descent(server, others, authorities, now);
  if (found === undefined)
    return unmatched('certificate-not-trusted', 'its certificate is not what its TLSA records say');
  if (found.kind === 'unmatched') return found;
  if (!names.some((name) => isCertificateFor(server, name)))
    return unmatched('certificate-host-mismatch', `its certificate is not for ${names.join(' or ')}`);
  return found;
}

/** The way to an authority of the records; undefined when none of them has to do with the chain. */
async function descent(
  server: X509Certificate,
  others: readonly X509Certificate[],
  records: readonly TlsaRecord[],
  now: number,
): Promise<ChainMatch | undefined> {
  // The server's certificate is no authority over itself, wherever it stands.
  const above = others.filter(({ raw }) => !raw.equals(server.raw));
  let failed: ChainMatch | undefined;
  const tried = new Set<string>();
  for (const { record, anchor, intermediates } of anchorsIn(server, above, records)) {
    // Another record about the same certificate finds no other way.
    if (tried.has(anchor.fingerprint256)) continue;
    if (tried.size >= MOST_ANCHORS) break;
    tried.add(anchor.fingerprint256);
    const result = await verifyChain(server, {
      anchors: [anchor],
      intermediates,
      revocationLists: [],
      now,
      purpose: 'serverAuth',
    });
    if (result.kind === 'trusted') return { kind: 'matched', record };
    failed ??= unmatched(
      failureOf(result.problem),
      `its certificate does not lead to its TLSA record (${result.problem})`,
    );
  }
  return failed;
}

interface Anchor {
  readonly record: TlsaRecord;
  readonly anchor: X509Certificate;
  readonly intermediates: readonly X509Certificate[];
}

function* anchorsIn(
  server: X509Certificate,
  above: readonly X509Certificate[],
  records: readonly TlsaRecord[],
): Generator<Anchor, undefined> {
  const sent = above.map((certificate) => new CertificateFaces(certificate));
  const held = records.flatMap((record) => certificateIn(record) ?? []);
  const intermediates = [...above, ...held];
  let keyChecks = 0;
  for (const record of records) {
    for (const faces of sent)
      if (faces.is(record)) yield { record, anchor: faces.certificate, intermediates };
    const own = certificateIn(record);
    if (own !== undefined && !own.raw.equals(server.raw)) yield { record, anchor: own, intermediates };
    const key = keyIn(record);
    if (key === undefined) continue;
    // What a bare key has signed is as good as the authority whose key it is, which need not be sent.
    for (const signed of [server, ...above]) {
      if (++keyChecks > MOST_KEY_CHECKS) return undefined;
      if (isSignedBy(signed, key)) yield { record, anchor: signed, intermediates };
    }
  }
  return undefined;
}

function isSignedBy(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.verify(key);
  } catch {
    // A key of a kind that cannot have made the signature.
    return false;
  }
}

function failureOf(problem: string): TlsFailureType {
  return problem === 'certificate has expired' ? 'certificate-expired' : 'certificate-not-trusted';
}

function unmatched(failure: TlsFailureType, message: string): ChainMatch & { readonly kind: 'unmatched' } {
  return { kind: 'unmatched', failure, message };
}
