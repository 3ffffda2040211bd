// A resolver whose answers are signed or not, name by name, aliases followed: what a validating server would make of a zone.
// Failures are per name and type, so that each look-up on the way to TLSA records can be made to fail alone.

import { parseHostRecord } from '../../stdlib/dns/hosts.js';
import type { DnsAnswer, DnsError, DnsRecord, RecordType, Resolver } from '../../stdlib/dns/resolver.js';

type Types = 'a' | 'aaaa' | 'mx' | 'txt' | 'tlsa';

/** A name: records as the settings write them, or the failure that comes in their place; signed or not. */
export type SignedName = { readonly [T in Types]?: readonly string[] | DnsError } & {
  readonly cname?: string | DnsError;
  readonly secure?: boolean;
};

/** Knows the zone and nothing else; `asked` holds every question as `type name`. */
export function signedResolver(
  zone: Readonly<Record<string, SignedName>>,
): Resolver & { readonly asked: string[] } {
  const asked: string[] = [];
  const failure = (error: DnsError, isSecure: boolean): DnsAnswer => ({ kind: 'failure', error, isSecure });
  const answer = (asked: string, type: RecordType): DnsAnswer => {
    let name = asked.toLowerCase();
    let isSecure = true;
    for (let hops = 0; hops < 12; hops++) {
      const entry = zone[name];
      isSecure &&= entry?.secure ?? true;
      if (entry === undefined) return failure('NXDOMAIN', isSecure);
      const { cname } = entry;
      if (type === 'cname') return cnameAnswer(name, cname, isSecure);
      const records = entry[type as Types];
      if (typeof records === 'string') return failure(records, false);
      if (records !== undefined)
        return {
          kind: 'records',
          records: records.map((text) => recordOf(type as Types, text)),
          canonicalName: name,
          isSecure,
        };
      if (cname === undefined) return failure('NODATA', isSecure);
      name = cname;
    }
    return failure('SERVFAIL', false);
  };
  return {
    asked,
    query: ({ name, type }) => {
      asked.push(`${type} ${name}`);
      return answer(name, type);
    },
    close: () => {},
  };
}

const errors: readonly string[] = ['NXDOMAIN', 'NODATA', 'SERVFAIL', 'REFUSED', 'TRY_AGAIN'];

function cnameAnswer(name: string, target: string | undefined, isSecure: boolean): DnsAnswer {
  if (target === undefined) return { kind: 'failure', error: 'NODATA', isSecure };
  if (errors.includes(target)) return { kind: 'failure', error: target as DnsError, isSecure: false };
  const records: DnsRecord[] = [{ type: 'cname', hostname: target, ttlSeconds: 60 }];
  return { kind: 'records', records, canonicalName: name, isSecure };
}

function recordOf(type: Types, text: string): DnsRecord {
  const record = parseHostRecord(type, text);
  if (record === undefined) throw new Error(`"${text}" is no ${type} record`);
  return record;
}
