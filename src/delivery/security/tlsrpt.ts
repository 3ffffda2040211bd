// What became of the sessions with domains that say how they want to be reached: counted per policy (RFC 8460), in
// memory, for a report that may be sent once a day. The ledger is bounded: a flood of domains or of ways to fail costs
// detail, never memory, and no count is wrong because of it.

/** What can go wrong, in the words of RFC 8460 4.3. */
export const tlsFailureTypes = [
  'starttls-not-supported',
  'certificate-host-mismatch',
  'certificate-expired',
  'certificate-not-trusted',
  'validation-failure',
  'tlsa-invalid',
  'dnssec-invalid',
  'dane-required',
  'sts-policy-fetch-error',
  'sts-policy-invalid',
  'sts-webpki-invalid',
] as const;
export type TlsFailureType = (typeof tlsFailureTypes)[number];

/** The policy that a session is counted under (RFC 8460 4.2). */
export interface ReportedPolicy {
  readonly type: 'tlsa' | 'sts' | 'no-policy-found';
  /** The policy's domain; for TLSA the host's base domain. A-labels. */
  readonly domain: string;
  /** The policy as it was found: TLSA records in their text form, the lines of an MTA-STS policy. */
  readonly lines: readonly string[];
  /** The patterns of an MTA-STS policy. */
  readonly mxHosts: readonly string[];
}

/** How a session with a host began, or did not. */
export interface TlsSessionFacts {
  /** Absent: the session is as the policy wants it. */
  readonly failure?: TlsFailureType | undefined;
  /** More about it, for a person. */
  readonly reason?: string | undefined;
  readonly mxHost: string;
  /** What the peer calls itself in its greeting. */
  readonly mxHelo?: string | undefined;
  readonly sendingIp?: string | undefined;
  readonly receivingIp?: string | undefined;
}

/** Sessions that failed in one way between the same two. */
export interface CountedFailure extends TlsSessionFacts {
  readonly failure: TlsFailureType;
  readonly sessions: number;
}

/** The sessions of one policy. */
export interface CountedPolicy {
  readonly policy: ReportedPolicy;
  readonly successes: number;
  readonly failures: number;
  readonly details: readonly CountedFailure[];
}

/** What was counted from one taking to the next. */
export interface TlsLedgerPage {
  /** Unix times in milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly policies: readonly CountedPolicy[];
  /** Sessions with policies for which there was no more room. */
  readonly uncounted: number;
}

const MOST_POLICIES = 10_000;
/** Of one policy, and of all; beyond it failures are counted by their type alone. */
const MOST_DETAILS = 50;
const MOST_DETAILS_IN_ALL = 50_000;
const LONGEST_REASON = 200;

interface OpenPolicy {
  readonly policy: ReportedPolicy;
  successes: number;
  failures: number;
  readonly details: Map<string, { readonly facts: CountedFailure; sessions: number }>;
}

/** Counts sessions per policy until the page is taken. */
export class TlsLedger {
  readonly #nowMs: () => number;
  #policies = new Map<string, OpenPolicy>();
  #fromMs: number;
  #details = 0;
  #uncounted = 0;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
    this.#fromMs = nowMs();
  }

  /** Counts one session. */
  record(policy: ReportedPolicy, facts: TlsSessionFacts): void {
    const key = JSON.stringify([policy.type, policy.domain, policy.lines]);
    let open = this.#policies.get(key);
    if (open === undefined) {
      if (this.#policies.size >= MOST_POLICIES) {
        this.#uncounted++;
        return;
      }
      open = { policy, successes: 0, failures: 0, details: new Map() };
      this.#policies.set(key, open);
    }
    const { failure } = facts;
    if (failure === undefined) open.successes++;
    else {
      open.failures++;
      const isRoomy = this.#details < MOST_DETAILS_IN_ALL;
      if (countFailure(open, { ...facts, failure, sessions: 0 }, isRoomy)) this.#details++;
    }
  }

  /** The page as it stands. */
  read(): TlsLedgerPage {
    const policies = Array.from(this.#policies.values(), ({ policy, successes, failures, details }) => ({
      policy,
      successes,
      failures,
      details: Array.from(details.values(), ({ facts, sessions }) => ({ ...facts, sessions })),
    }));
    return { from: this.#fromMs, to: this.#nowMs(), policies, uncounted: this.#uncounted };
  }

  /** The page as it stands; a new one is begun. */
  take(): TlsLedgerPage {
    const page = this.read();
    this.#policies = new Map();
    this.#details = 0;
    this.#uncounted = 0;
    this.#fromMs = page.to;
    return page;
  }
}

/** Counts it under what is known of it, or under its type alone. Returns whether that is one more of the details. */
function countFailure({ details }: OpenPolicy, facts: CountedFailure, isRoomy: boolean): boolean {
  const { failure, mxHost, sendingIp, receivingIp } = facts;
  const key = JSON.stringify([failure, mxHost, sendingIp, receivingIp]);
  const known = details.get(key);
  if (known !== undefined) {
    known.sessions++;
    return false;
  }
  if (isRoomy && details.size < MOST_DETAILS) {
    details.set(key, { facts: { ...facts, reason: facts.reason?.slice(0, LONGEST_REASON) }, sessions: 1 });
    return true;
  }
  const rest = details.get(failure);
  if (rest === undefined) details.set(failure, { facts: { failure, mxHost: '', sessions: 0 }, sessions: 1 });
  else rest.sessions++;
  return false;
}
