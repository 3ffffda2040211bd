// The JSON of a TLS report (RFC 8460 4), made of a page of the ledger. Sending it is another matter.

import type { CountedFailure, CountedPolicy, TlsLedgerPage } from './tlsrpt.js';

/** Who reports. */
export interface TlsReporter {
  readonly organization: string;
  /** A mailbox or URI for questions. */
  readonly contact: string;
  /** Unique among the reporter's reports. */
  readonly reportId: string;
}

/** A report about one domain as RFC 8460 4.4 writes it. */
export interface TlsReport {
  readonly 'organization-name': string;
  readonly 'date-range': { readonly 'start-datetime': string; readonly 'end-datetime': string };
  readonly 'contact-info': string;
  readonly 'report-id': string;
  readonly policies: readonly ReportedPolicyResult[];
}

interface ReportedPolicyResult {
  readonly policy: {
    readonly 'policy-type': string;
    readonly 'policy-string'?: readonly string[];
    readonly 'policy-domain': string;
    readonly 'mx-host'?: readonly string[];
  };
  readonly summary: {
    readonly 'total-successful-session-count': number;
    readonly 'total-failure-session-count': number;
  };
  readonly 'failure-details'?: readonly ReportedFailure[];
}

interface ReportedFailure {
  readonly 'result-type': string;
  readonly 'sending-mta-ip'?: string;
  readonly 'receiving-mx-hostname'?: string;
  readonly 'receiving-mx-helo'?: string;
  readonly 'receiving-ip'?: string;
  readonly 'failed-session-count': number;
  readonly 'failure-reason-code'?: string;
}

/** What is to be told to a domain: all that the page has about its policies. @returns undefined when that is nothing */
export function tlsReport(page: TlsLedgerPage, domain: string, reporter: TlsReporter): TlsReport | undefined {
  const policies = page.policies.filter(({ policy }) => policy.domain === domain);
  if (policies.length === 0) return undefined;
  return {
    'organization-name': reporter.organization,
    'date-range': { 'start-datetime': dateTime(page.from), 'end-datetime': dateTime(page.to) },
    'contact-info': reporter.contact,
    'report-id': reporter.reportId,
    policies: policies.map(policyResult),
  };
}

/** RFC 3339 without fractions, in UTC. */
function dateTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

function policyResult({ policy, successes, failures, details }: CountedPolicy): ReportedPolicyResult {
  return {
    policy: {
      'policy-type': policy.type,
      ...(policy.lines.length === 0 ? {} : { 'policy-string': policy.lines }),
      'policy-domain': policy.domain,
      ...(policy.mxHosts.length === 0 ? {} : { 'mx-host': policy.mxHosts }),
    },
    summary: { 'total-successful-session-count': successes, 'total-failure-session-count': failures },
    ...(details.length === 0 ? {} : { 'failure-details': details.map(failureDetails) }),
  };
}

function failureDetails(failure: CountedFailure): ReportedFailure {
  return {
    'result-type': failure.failure,
    ...(failure.sendingIp === undefined ? {} : { 'sending-mta-ip': failure.sendingIp }),
    ...(failure.mxHost === '' ? {} : { 'receiving-mx-hostname': failure.mxHost }),
    ...(failure.mxHelo === undefined ? {} : { 'receiving-mx-helo': failure.mxHelo }),
    ...(failure.receivingIp === undefined ? {} : { 'receiving-ip': failure.receivingIp }),
    'failed-session-count': failure.sessions,
    ...(failure.reason === undefined ? {} : { 'failure-reason-code': failure.reason }),
  };
}
