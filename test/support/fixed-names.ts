// Answers about domains and hosts from a table, for whoever looks for next hops.

import type { MxHost, Names, NoAnswer } from '../../src/delivery/next-hops/names.js';

/** What a name has. */
export interface FixedHost {
  /** `10 mx.test`; `0 .` is a null MX. */
  readonly mx?: readonly string[];
  /** Of both families. */
  readonly ips?: readonly string[];
  readonly canonicalName?: string;
  /** Its answers were validated. */
  readonly secure?: boolean;
  /** Nobody can say anything about it. */
  readonly fails?: 'mx' | 'ips' | 'both';
}

/** Names that say what was asked. */
export interface FixedNames extends Names {
  /** `mx a.test` and `ips mx.a.test.`, in order. */
  readonly asked: string[];
}

const failure: NoAnswer = { kind: 'none', reason: 'other', message: 'the look-up failed (SERVFAIL)' };

/** Knows these names and no other. */
export function fixedNames(hosts: Readonly<Record<string, FixedHost>>): FixedNames {
  const asked: string[] = [];
  const none = (host: FixedHost | undefined): NoAnswer => ({
    kind: 'none',
    reason: host === undefined ? 'nxdomain' : 'nodata',
    message: host === undefined ? 'no such name (NXDOMAIN)' : 'it has nothing of the kind',
    isSecure: host?.secure ?? false,
  });
  const provenance = ({ canonicalName, secure = false }: FixedHost) => ({
    ...(canonicalName === undefined ? {} : { canonicalName }),
    isSecure: secure,
  });
  return {
    asked,
    addresses: async (name) => {
      asked.push(`ips ${name}`);
      const host = hosts[name.replace(/\.$/, '')];
      if (host?.fails === 'ips' || host?.fails === 'both') return failure;
      if (host?.ips === undefined) return none(host);
      return { kind: 'addresses', ips: host.ips, ...provenance(host) };
    },
    mailHosts: async (name) => {
      asked.push(`mx ${name}`);
      const host = hosts[name];
      if (host?.fails === 'mx' || host?.fails === 'both') return failure;
      if (host?.mx === undefined) return none(host);
      return { kind: 'hosts', hosts: host.mx.map(parseMx), ...provenance(host) };
    },
  };
}

function parseMx(text: string): MxHost {
  const [preference = '0', ...name] = text.split(' ');
  return { preference: Number(preference), name: name.join(' ') };
}
