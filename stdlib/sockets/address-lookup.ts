// Host names for connections that Node opens (http, LDAP): asked of our resolver where the process has one, so that
// `resolver.hosts`, its servers and its cache hold for them too; else of the system.

import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { Resolver } from '../dns/resolver.js';

type Found = { address: string; family: number };

/** What Node calls with a name; IP addresses never come here. */
export function addressLookup(resolver: Resolver | undefined): LookupFunction {
  if (resolver === undefined) return systemLookup as LookupFunction;
  return (hostname, options, callback) => {
    void find(resolver, hostname, options.family).then((found) => {
      const first = found[0];
      if (first === undefined) {
        const error = Object.assign(new Error(`no address of ${hostname} is known`), { code: 'ENOTFOUND' });
        callback(error, [], 0);
      } else if (options.all === true) callback(null, found);
      else callback(null, first.address, first.family);
    });
  };
}

async function find(
  resolver: Resolver,
  hostname: string,
  family: number | string | undefined,
): Promise<Found[]> {
  const wanted =
    family === 4 || family === 'IPv4' ? ['a'] : family === 6 || family === 'IPv6' ? ['aaaa'] : ['a', 'aaaa'];
  // Special-use, and not for a server to answer (RFC 6761 §6.3).
  if (/^(?:.+\.)?localhost\.?$/i.test(hostname))
    return wanted.map((type) =>
      type === 'a' ? { address: '127.0.0.1', family: 4 } : { address: '::1', family: 6 },
    );
  const answers = await Promise.all(
    (wanted as ('a' | 'aaaa')[]).map((type) => resolver.query({ name: hostname, type })),
  );
  return answers.flatMap((answer) =>
    answer.kind === 'failure'
      ? []
      : answer.records.flatMap((record) =>
          record.type === 'a' || record.type === 'aaaa'
            ? [{ address: record.address, family: isIP(record.address) }]
            : [],
        ),
  );
}
