// Whether a TLS session that has just begun is what was demanded, and if not, why: in words and as a type of RFC 8460.

import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { isCertificateFor, isCertificateForOneOf } from '../client/certificate-names.js';
import { matchChain } from './dane/match-chain.js';
import type { SessionEvidence, SessionJudgement, TlsDemand, Verification } from './demand.js';
import type { TlsFailureType } from './tlsrpt.js';

/** Judges a session with `host`. `now` is a Unix time. */
export async function judgeSession(
  demand: TlsDemand,
  evidence: SessionEvidence,
  host: string,
  now: number,
): Promise<SessionJudgement> {
  for (const verification of demand.verify) {
    const problem = await problemOf(verification, evidence, host, now);
    if (problem !== undefined) return { kind: 'unmet', ...problem };
  }
  const { trial } = demand;
  if (trial === undefined) return { kind: 'met' };
  if (trial.failure !== undefined) return { kind: 'met', trial: trial.failure };
  for (const verification of trial.verify) {
    const problem = await problemOf(verification, evidence, host, now);
    if (problem !== undefined) return { kind: 'met', trial: problem.failure };
  }
  return { kind: 'met' };
}

interface Problem {
  readonly failure: TlsFailureType;
  readonly message: string;
}

async function problemOf(
  verification: Verification,
  { chain, chainProblem }: SessionEvidence,
  host: string,
  now: number,
): Promise<Problem | undefined> {
  if (verification.kind === 'dane') {
    const match = await matchChain(chain, verification.records, verification.names, now);
    if (match.kind === 'matched') return undefined;
    return { failure: match.failure, message: `"${host}" is not who DNS says (DANE): ${match.message}` };
  }
  const { isTrusted, names, ignoresCommonName = false } = verification;
  if (isTrusted && chainProblem !== undefined)
    return {
      failure: chainProblem === 'CERT_HAS_EXPIRED' ? 'certificate-expired' : 'certificate-not-trusted',
      message: `the certificate of "${host}" is not trusted (${chainProblem})`,
    };
  const [certificate] = chain;
  if (names === undefined) return undefined;
  if (certificate !== undefined && names.some((name) => isFor(certificate, name, host, ignoresCommonName)))
    return undefined;
  const wanted = names.length === 1 && names[0] === host ? `"${host}"` : names.join(' or ');
  return { failure: 'certificate-host-mismatch', message: `the certificate is not for ${wanted}` };
}

function isFor(
  certificate: X509Certificate,
  name: string,
  host: string,
  ignoresCommonName: boolean,
): boolean {
  const literal = name.replace(/^\[(?:ipv6:)?|\]$/gi, '');
  if (isIP(literal) !== 0) return certificate.checkIP(literal) !== undefined;
  // A host's name comes from DNS and is no pattern, whatever it looks like.
  if (!ignoresCommonName)
    return name === host ? isCertificateFor(certificate, name) : isCertificateForOneOf(certificate, [name]);
  const rules = { subject: 'never', partialWildcards: false, multiLabelWildcards: false } as const;
  return certificate.checkHost(name, rules) !== undefined;
}
