// Decides what TLS is demanded of a host, right before it is connected to. Who wins, from the top:
//
//   the message says REQUIRETLS         a verified session or nothing, by DANE where the way to the host is secure, else by the
//                                       certificate's name (and by MTA-STS if the MX answer was not secure); RFC 8689 4.2.1
//   mode `disabled`                     no TLS, and no look-ups
//   the message says TLS-Required: No   what the recipient's side publishes is left aside (RFC 8689 5); what the
//                                       configuration asks for by its modes stays, `dane_require` too
//   modes `dane…`, TLSA look-up failed  the host is not used now (RFC 7672 2.1.2)
//                  usable records       they must match; nothing in the clear, whatever else is true (RFC 8461 2)
//                  unusable records     encrypted, with nobody known at the other end (RFC 7672 2.2), unless MTA-STS or the
//                                       mode's own fallback asks for more
//                  no records           MTA-STS if it is on, then what the mode falls back to; `dane_require`: not used
//   MTA-STS        enforce              the host is one of the policy's, its certificate trusted and for it, or it is not used
//                  testing              recorded what enforce would have said, and nothing else
//                  none, no policy      as the mode says
//
// TLSA records are used, too, for hosts that an insecure MX answer led to (RFC 7672 2.2.1 leaves the choice): a host whose own
// zone is signed is not downgraded with its domain's. That is no proof of being the domain's host, so `dane_require` and
// REQUIRETLS do not take it for one.

import { isIP } from 'node:net';
import type { Resolver } from '#stdlib';
import type { TlsWish } from '../client/tls.js';
import {
  daneDemand,
  encryptedDemand,
  lookupFailed,
  usableRecords,
  whyNoDane,
  withoutDane,
  withoutUsableDane,
} from './dane/dane-demand.js';
import { findTlsa, type TlsaFinding } from './dane/find-tlsa.js';
import type {
  HostDecision,
  HostQuestion,
  HostRefusal,
  TlsDemand,
  UnmetDemand,
  Verification,
} from './demand.js';
import { demandOfMode, fallbackMode, unmetTls, usesDane } from './modes.js';
import type { PolicyFinding, PolicySource } from './mta-sts/policies.js';
import { matchesPolicy, policyLines, type StsPolicy } from './mta-sts/policy.js';
import { type ReportedPolicy, TlsLedger, type TlsSessionFacts } from './tlsrpt.js';

/** What the decision needs of the world. */
export interface TransportSecurityOptions {
  /** The resolver of this moment; undefined: there is none that knows TLSA records, hence no host has any. */
  readonly resolver: () => Resolver | undefined;
  /** MTA-STS policies; absent: none are looked for, whatever a transport says. */
  readonly policies?: PolicySource;
  readonly ledger?: TlsLedger;
}

/** RFC 8689 4.2.1: the sender is told, as no later attempt would be any better. */
const unmetRequireTls: UnmetDemand = { type: 'tls', temporary: false, status: [5, 7, 10] };

/** Decides what TLS is demanded of hosts, and counts what came of it. */
export class TransportSecurity {
  readonly #resolver: () => Resolver | undefined;
  readonly #policies: PolicySource | undefined;
  readonly ledger: TlsLedger;

  constructor({ resolver, policies, ledger }: TransportSecurityOptions) {
    this.#resolver = resolver;
    this.#policies = policies;
    this.ledger = ledger ?? new TlsLedger();
  }

  /**
   * What is demanded of a host for this message. Never rejects; known at once where nothing has to be looked up. `signal` gives
   * the look-ups up (the host is then refused for now).
   */
  decide(question: HostQuestion, signal?: AbortSignal): HostDecision | Promise<HostDecision> {
    const { wish, host, message } = question;
    if (message.requiresTls) return this.#decideRequireTls(question, signal);
    if (wish.mode === 'disabled' || (!usesDane(wish.mode) && wish.usesMtaSts !== true))
      return demanded(demandOfMode(fallbackMode(wish.mode), wish, host));
    return this.#decideByPolicies(question, signal);
  }

  /** Counts a session with a host, or that there was none. */
  record(policy: ReportedPolicy | undefined, facts: TlsSessionFacts): void {
    if (policy !== undefined) this.ledger.record(policy, facts);
  }

  async #decideByPolicies(question: HostQuestion, signal: AbortSignal | undefined): Promise<HostDecision> {
    const { wish, host, message } = question;
    const isWaived = await message.waivesTls();
    const fallback = demandOfMode(fallbackMode(wish.mode), wish, host);
    if (isWaived && wish.mode !== 'dane_require') return demanded(fallback);

    const byDane = usesDane(wish.mode) ? await this.#decideByDane(question, fallback, signal) : fallback;
    if ('kind' in byDane) return byDane;
    if (wish.usesMtaSts !== true || isWaived) return demanded(counted(byDane, question));
    return this.#decideByMtaSts(question, byDane, signal);
  }

  /** The decision where TLSA records make it; else a demand that a policy may add to. */
  async #decideByDane(
    question: HostQuestion,
    fallback: TlsDemand,
    signal: AbortSignal | undefined,
  ): Promise<HostDecision | TlsDemand> {
    const isRequired = question.wish.mode === 'dane_require';
    const finding = await this.#findTlsa(question, signal);
    if (finding.kind === 'unknown') return lookupFailed(finding, question);
    if (finding.kind === 'none' || (isRequired && question.mailDomain?.isSecure === false))
      return isRequired ? withoutDane(question, finding) : fallback;
    const usable = usableRecords(finding);
    if (usable.length > 0) return demanded(daneDemand(question, finding, usable));
    return isRequired ? withoutUsableDane(question, finding) : encryptedDemand(fallback, finding);
  }

  async #decideByMtaSts(
    question: HostQuestion,
    base: TlsDemand,
    signal: AbortSignal | undefined,
  ): Promise<HostDecision> {
    const finding = await this.#policyOf(question, signal);
    if (finding.kind === 'none') {
      const { failure } = finding;
      return demanded({
        ...counted(base, question),
        ...(failure === undefined ? {} : { policyFailure: failure }),
      });
    }
    const { policy, domain } = finding;
    if (policy.mode === 'none') return demanded(counted(base, question));
    const reported = reportedSts(policy, domain);
    const isListed = matchesPolicy(question.host, policy);
    const verify = webPki(question.host);
    if (policy.mode === 'testing') {
      const trial = { verify: [verify], failure: isListed ? undefined : ('validation-failure' as const) };
      return demanded({ ...base, trial, ...askedByName(question), policy: reported });
    }
    if (!isListed)
      return {
        kind: 'refused',
        ...unmetTls,
        message: `the host "${question.host}" is not in the MTA-STS policy of "${domain}"`,
        failure: 'validation-failure',
        policy: reported,
      };
    return demanded({
      ...base,
      minimum: 'required',
      verify: [verify, ...base.verify],
      fallsBack: false,
      ...askedByName(question),
      unmet: unmetTls,
      policy: reported,
    });
  }

  /** RFC 8689 4.2.1: the certificate shows that the host is who the domain's owner says it is, or nothing is sent. */
  async #decideRequireTls(question: HostQuestion, signal: AbortSignal | undefined): Promise<HostDecision> {
    const { wish, host, mailDomain } = question;
    const refuse = (message: string): HostRefusal => ({
      kind: 'refused',
      ...unmetRequireTls,
      message: `${message}, which the message's REQUIRETLS does not allow`,
    });
    if (wish.mode === 'disabled') return refuse(`the TLS mode for "${host}" is "disabled"`);
    const isWaySecure = mailDomain === undefined || mailDomain.isSecure;
    const needs = { needsRequireTls: true, fallsBack: false, unmet: unmetRequireTls } as const;
    const own = demandOfMode(fallbackMode(wish.mode), wish, host);
    if (isWaySecure || usesDane(wish.mode)) {
      const finding = await this.#findTlsa(question, signal);
      if (finding.kind === 'unknown') return lookupFailed(finding, question);
      if (finding.kind === 'records') {
        const usable = usableRecords(finding);
        if (usable.length > 0 && isWaySecure)
          return demanded({ ...daneDemand(question, finding, usable), ...needs });
        if (wish.mode === 'dane_require') return refuse(`"${host}" has no TLSA records that prove who it is`);
      } else if (wish.mode === 'dane_require') return refuse(whyNoDane(finding, mailDomain));
    }
    let policy: ReportedPolicy | undefined;
    if (!isWaySecure) {
      const finding = await this.#policyOf(question, signal);
      if (finding.kind === 'none') {
        if (finding.failure === undefined)
          return refuse(`neither DNSSEC nor MTA-STS shows that "${host}" is a host of "${mailDomain.name}"`);
        return { kind: 'refused', ...unmetTls, message: finding.message, failure: finding.failure };
      }
      policy = reportedSts(finding.policy, finding.domain);
      if (finding.policy.mode === 'none' || !matchesPolicy(host, finding.policy))
        return {
          ...refuse(`the host "${host}" is not in the MTA-STS policy of "${finding.domain}"`),
          policy,
        };
    }
    return demanded({
      ...own,
      minimum: 'required',
      verify: [webPki(host), ...own.verify],
      ...askedByName(question),
      ...(policy === undefined ? {} : { policy }),
      ...needs,
    });
  }

  async #findTlsa({ host, port }: HostQuestion, signal: AbortSignal | undefined): Promise<TlsaFinding> {
    const resolver = this.#resolver();
    if (resolver === undefined) return { kind: 'none', why: 'there is no resolver that knows TLSA records' };
    return findTlsa(host, port, resolver, signal);
  }

  async #policyOf(
    { host, mailDomain }: HostQuestion,
    signal: AbortSignal | undefined,
  ): Promise<PolicyFinding & { readonly domain: string }> {
    // RFC 8461 3.4: a host that was named is a domain of its own; addresses have no policies.
    const domain = (mailDomain?.name ?? host).replace(/\.$/, '').toLowerCase();
    if (this.#policies === undefined || isIP(domain.replace(/^\[(?:ipv6:)?|\]$/g, '')) !== 0)
      return { kind: 'none', domain };
    return { ...(await this.#policies.policyOf(domain, signal)), domain };
  }
}

function demanded(demand: TlsDemand): HostDecision {
  return { kind: 'demand', demand };
}

/** Whoever looks for policies counts the sessions without one as well (RFC 8460 4.2). */
function counted(demand: TlsDemand, { mailDomain, host }: HostQuestion): TlsDemand {
  if (demand.policy !== undefined) return demand;
  const policy = {
    type: 'no-policy-found',
    domain: mailDomain?.name ?? host,
    lines: [],
    mxHosts: [],
  } as const;
  return { ...demand, policy };
}

function webPki(host: string): Verification {
  return { kind: 'certificate', isTrusted: true, names: [host], ignoresCommonName: true };
}

/** RFC 8461 7.1: whoever is held to the name of the host asks for it, so that the right certificate is shown. */
function askedByName({ host, wish }: HostQuestion): Pick<TlsDemand, 'serverName' | 'usesSystemCa'> {
  return { serverName: host.replace(/\.$/, ''), ...publicTrust(wish) };
}

/**
 * Policies lean on the authorities that everybody trusts. A mode that verifies by itself trusts the configured ones, and what a
 * domain publishes must not widen that.
 */
function publicTrust({ mode }: TlsWish): { readonly usesSystemCa?: boolean } {
  return mode.endsWith('_verify') ? {} : { usesSystemCa: true };
}

function reportedSts(policy: StsPolicy, domain: string): ReportedPolicy {
  return { type: 'sts', domain, lines: policyLines(policy), mxHosts: policy.mx };
}
