// What TLSA records, or that there are none, demand of a host.

import type { MailDomain } from '../../deliverer.js';
import type { HostQuestion, HostRefusal, TlsaFacts, TlsDemand, UnmetDemand } from '../demand.js';
import type { ReportedPolicy } from '../tlsrpt.js';
import type { TlsaFinding } from './find-tlsa.js';
import { DANE_TA, type TlsaRecord, tlsaText, unusableBecause } from './tlsa.js';

type Found = TlsaFinding & { readonly kind: 'records' };

const unmetDane: UnmetDemand = { type: 'dane', temporary: true };

/** Those of the records that a certificate can be held against. */
export function usableRecords({ records }: Found): TlsaRecord[] {
  return records.filter((record) => unusableBecause(record) === undefined);
}

/** One of the usable records must match. */
export function daneDemand(
  { host, mailDomain }: HostQuestion,
  finding: Found,
  usable: readonly TlsaRecord[],
): TlsDemand {
  const { baseDomain } = finding;
  // RFC 7672 3.2.3. The domain's own name is good even where the MX answer was not secure: it is where the mail is meant to go.
  const names = usable.some(({ usage }) => usage === DANE_TA)
    ? [
        baseDomain,
        host,
        ...(mailDomain === undefined ? [] : [mailDomain.name]),
        ...(mailDomain?.isSecure === true ? [mailDomain.canonicalName ?? mailDomain.name] : []),
      ]
    : [baseDomain];
  return {
    minimum: 'required',
    verify: [{ kind: 'dane', records: usable, names: [...new Set(names.map((name) => name.toLowerCase()))] }],
    fallsBack: false,
    // RFC 7672 8.1: servers with many certificates know by it which one the records speak of.
    serverName: baseDomain,
    unmet: unmetDane,
    tlsa: { kind: 'records', records: finding.records },
    policy: reportedTlsa(finding),
  };
}

/** None of the records can be used: encryption must be had all the same (RFC 7672 2.2). */
export function encryptedDemand(fallback: TlsDemand, finding: Found): TlsDemand {
  return {
    ...fallback,
    minimum: 'required',
    fallsBack: false,
    unmet: unmetDane,
    tlsa: unusableFacts(finding),
    policy: reportedTlsa(finding),
    policyFailure: 'tlsa-invalid',
  };
}

/** It is not known whether there are records, so the host is left alone for now (RFC 7672 2.1.2). */
export function lookupFailed(
  { error, message }: TlsaFinding & { readonly kind: 'unknown' },
  { host }: HostQuestion,
): HostRefusal {
  return {
    kind: 'refused',
    ...unmetDane,
    message: `whether "${host}" has TLSA records is not known: ${message}`,
    // A validating resolver says SERVFAIL when signatures are wrong; silence says nothing about DNSSEC.
    failure: error === 'SERVFAIL' ? 'dnssec-invalid' : undefined,
    policy: { type: 'tlsa', domain: host, lines: [], mxHosts: [] },
    tlsa: { kind: 'error', errors: [message] },
  };
}

/** A host that `dane_require` does not allow: nothing proves who it is. */
export function withoutDane(
  { host, mailDomain }: HostQuestion,
  finding: TlsaFinding & { readonly kind: 'none' | 'records' },
): HostRefusal {
  const why = whyNoDane(finding, mailDomain);
  return {
    ...notAllowed(host, why),
    failure: 'dane-required',
    policy: { type: 'no-policy-found', domain: mailDomain?.name ?? host, lines: [], mxHosts: [] },
    tlsa: { kind: 'error', errors: [why] },
  };
}

/** A host that `dane_require` does not allow: its records say nothing that we understand. */
export function withoutUsableDane({ host }: HostQuestion, finding: Found): HostRefusal {
  const [first] = finding.records;
  const why = `none of its TLSA records can be used (${first && unusableBecause(first)})`;
  return {
    ...notAllowed(host, why),
    failure: 'tlsa-invalid',
    policy: reportedTlsa(finding),
    tlsa: unusableFacts(finding),
  };
}

/** Why there are no records that prove who the host is. */
export function whyNoDane(finding: TlsaFinding, mailDomain: MailDomain | undefined): string {
  switch (finding.kind) {
    case 'none':
      return finding.why;
    case 'unknown':
      return finding.message;
    case 'records':
      return `the MX answer of "${mailDomain?.name ?? ''}" is not secure`;
  }
}

function notAllowed(host: string, why: string): HostRefusal {
  return {
    kind: 'refused',
    ...unmetDane,
    message: `the TLS mode "dane_require" does not allow "${host}": ${why}`,
  };
}

function unusableFacts({ records }: Found): TlsaFacts {
  return {
    kind: 'error',
    errors: records.map((record) => `${tlsaText(record)}: ${unusableBecause(record) ?? 'usable'}`),
  };
}

function reportedTlsa({ baseDomain, records }: Found): ReportedPolicy {
  return { type: 'tlsa', domain: baseDomain, lines: records.map(tlsaText), mxHosts: [] };
}
