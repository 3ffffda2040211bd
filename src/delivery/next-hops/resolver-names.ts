// Delivery's two questions, asked of our own resolver: one cache and one list of known hosts for scripts and for delivery.

import type { DnsAnswer, DnsError, Resolver } from '#stdlib';
import { type LookupAnswer, type MxAnswer, type Names, type NoAnswer, systemLookup } from './names.js';

/** Asks `resolver`. Names of one label that it does not know are the system's affair: it may complete them (`search`). */
export function resolverNames(resolver: Resolver): Names {
  return {
    addresses: async (host, signal): Promise<LookupAnswer> => {
      const [v4, v6] = await Promise.all([
        resolver.query({ name: host, type: 'a' }, signal),
        resolver.query({ name: host, type: 'aaaa' }, signal),
      ]);
      // IPv4 first: a host without IPv6 to the world is common and finds out by waiting.
      const ips = [...addressesOf(v4), ...addressesOf(v6)];
      if (ips.length > 0) return { kind: 'addresses', ips, ...provenance(host, [v4, v6]) };
      // A final dot says that the name is complete.
      if (!host.includes('.')) return systemLookup(host);
      return noAddress(v4, v6);
    },
    mailHosts: async (domain, signal): Promise<MxAnswer> => {
      const answer = await resolver.query({ name: domain, type: 'mx' }, signal);
      if (answer.kind === 'failure') return none(answer.error, 'no MX records', answer.isSecure);
      const hosts = answer.records.flatMap((record) =>
        record.type === 'mx' ? [{ name: record.hostname, preference: record.preference }] : [],
      );
      return { kind: 'hosts', hosts, ...provenance(domain, [answer]) };
    },
  };
}

function addressesOf(answer: DnsAnswer): string[] {
  if (answer.kind === 'failure') return [];
  return answer.records.flatMap((record) =>
    record.type === 'a' || record.type === 'aaaa' ? [record.address] : [],
  );
}

/** Whose records they are, and whether all that were found were validated. */
function provenance(
  asked: string,
  answers: readonly DnsAnswer[],
): { readonly canonicalName?: string; readonly isSecure: boolean } {
  const found = answers.filter((answer) => answer.kind === 'records');
  const isSecure = found.every((answer) => answer.isSecure);
  const canonical = found[0] === undefined ? '' : found[0].canonicalName.toLowerCase();
  const isAlias = canonical !== '' && canonical !== asked.replace(/\.$/, '').toLowerCase();
  return isAlias ? { canonicalName: canonical, isSecure } : { isSecure };
}

/** One family that could not be asked about leaves hope; else the two agree. */
function noAddress(v4: DnsAnswer, v6: DnsAnswer): NoAnswer {
  const errors = [v4, v6].map((answer) => (answer.kind === 'failure' ? answer.error : 'NODATA'));
  const unsure = errors.find((error) => error !== 'NXDOMAIN' && error !== 'NODATA');
  return none(unsure ?? errors[0]!, 'no addresses', v4.isSecure && v6.isSecure);
}

function none(error: DnsError, what: string, isSecure: boolean): NoAnswer {
  switch (error) {
    case 'NXDOMAIN':
      return { kind: 'none', reason: 'nxdomain', message: 'no such name (NXDOMAIN)', isSecure };
    case 'NODATA':
      return { kind: 'none', reason: 'nodata', message: `it has ${what}`, isSecure };
    case 'TRY_AGAIN':
      return {
        kind: 'none',
        reason: 'other',
        message: 'no name server gave a usable answer in time (TRY_AGAIN)',
      };
    default:
      return { kind: 'none', reason: 'other', message: `the look-up failed (${error})` };
  }
}
