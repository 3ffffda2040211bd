// DNS answers from a table, for our resolver's place and for judges that take a look-up function.

import type { DnsAnswer, DnsRecord, Resolver } from '../../stdlib/dns/resolver.js';

/** Records by lower-case name and type; `'SERVFAIL'` in place of them makes the look-up fail. */
export type FixedZone = Readonly<
  Record<string, { readonly a?: readonly string[]; readonly txt?: readonly string[] } | 'SERVFAIL'>
>;

/** A resolver that knows the zone and nothing else. */
export function fixedResolver(zone: FixedZone): Resolver {
  const answer = (name: string, type: string): DnsAnswer => {
    const entry = zone[name.toLowerCase().replace(/\.$/, '')];
    if (entry === 'SERVFAIL') return { kind: 'failure', error: 'SERVFAIL', isSecure: false };
    const values = type === 'a' ? entry?.a : type === 'txt' ? entry?.txt : undefined;
    if (values === undefined || values.length === 0)
      return { kind: 'failure', error: entry === undefined ? 'NXDOMAIN' : 'NODATA', isSecure: false };
    const records = values.map(
      (value): DnsRecord =>
        type === 'a'
          ? { type: 'a', address: value, ttlSeconds: 60 }
          : { type: 'txt', text: value, ttlSeconds: 60 },
    );
    return { kind: 'records', records, canonicalName: name, isSecure: false };
  };
  return { query: ({ name, type }) => answer(name, type), close: () => {} };
}

/** The same for mailauth and its like, which want what `dns.promises.resolve` gives. */
export function fixedLookup(zone: FixedZone): (name: string, type: string) => Promise<string[][] | string[]> {
  return async (name, type) => {
    const entry = zone[name.toLowerCase()];
    const values = entry === 'SERVFAIL' ? undefined : entry?.[type.toLowerCase() as 'a' | 'txt'];
    if (values === undefined)
      throw Object.assign(new Error(`query${type} ${name}`), {
        code: entry === 'SERVFAIL' ? 'ESERVFAIL' : entry === undefined ? 'ENOTFOUND' : 'ENODATA',
      });
    return type.toLowerCase() === 'txt' ? values.map((value) => [value]) : [...values];
  };
}
