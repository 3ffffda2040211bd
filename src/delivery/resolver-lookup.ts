// Delivery's two questions, asked of our own resolver: one cache and one list of known hosts for scripts and for delivery.

import type { DnsAnswer, DnsError, Resolver } from '#stdlib';
import { type LookupAnswer, type MxAnswer, type Names, systemLookup } from './lookup.js';

/** Asks `resolver`. Names of one label that it does not know are the system's affair: it may complete them (`search`). */
export function resolverNames(resolver: Resolver): Names {
  return {
    addresses: async (host, signal) => {
      const [v4, v6] = await Promise.all([
        resolver.query({ name: host, type: 'a' }, signal),
        resolver.query({ name: host, type: 'aaaa' }, signal),
      ]);
      // IPv4 first: a host without IPv6 to the world is common and finds out by waiting.
      const ips = [...addressesOf(v4), ...addressesOf(v6)];
      if (ips.length > 0) return { kind: 'addresses', ips };
      if (!host.replace(/\.$/, '').includes('.')) return systemLookup(host);
      return noAddress(v4, v6);
    },
    mailHosts: async (domain, signal): Promise<MxAnswer> => {
      const answer = await resolver.query({ name: domain, type: 'mx' }, signal);
      if (answer.kind === 'failure') return { kind: 'none', ...reasonOf(answer.error, 'no MX records') };
      const hosts = answer.records.flatMap((record) =>
        record.type === 'mx' ? [{ name: record.hostname, preference: record.preference }] : [],
      );
      return { kind: 'hosts', hosts };
    },
  };
}

function addressesOf(answer: DnsAnswer): string[] {
  if (answer.kind === 'failure') return [];
  return answer.records.flatMap((record) =>
    record.type === 'a' || record.type === 'aaaa' ? [record.address] : [],
  );
}

/** One family that could not be asked about leaves hope; else the two agree. */
function noAddress(v4: DnsAnswer, v6: DnsAnswer): LookupAnswer {
  const errors = [v4, v6].map((answer) => (answer.kind === 'failure' ? answer.error : 'NODATA'));
  const unsure = errors.find((error) => error !== 'NXDOMAIN' && error !== 'NODATA');
  return { kind: 'none', ...reasonOf(unsure ?? errors[0]!, 'no addresses') };
}

function reasonOf(
  error: DnsError,
  what: string,
): { readonly reason: 'nxdomain' | 'nodata' | 'other'; readonly message: string } {
  if (error === 'NXDOMAIN') return { reason: 'nxdomain', message: 'no such name (NXDOMAIN)' };
  if (error === 'NODATA') return { reason: 'nodata', message: `it has ${what}` };
  return { reason: 'other', message: `the look-up failed (${error})` };
}
