// Host names to addresses, as delivery asks for them. The answer is data; whether the lack of one is temporary is decided
// in resolve.ts. The daemon's own resolver can take the place of `systemLookup` without anything here changing.

import { lookup as systemResolve } from 'node:dns/promises';

/** The addresses of a host, or why there are none. */
export type LookupAnswer =
  | { readonly kind: 'addresses'; readonly ips: readonly string[] }
  | { readonly kind: 'none'; readonly reason: 'nxdomain' | 'nodata' | 'other'; readonly message: string };

/** Asks for the A and AAAA addresses of a host name. Never rejects. */
export type Lookup = (host: string) => Promise<LookupAnswer>;

/** The system's resolver with its hosts file. */
export const systemLookup: Lookup = async (host) => {
  try {
    const found = await systemResolve(host, { all: true, verbatim: true });
    const ips = found.map(({ address }) => address);
    return ips.length > 0
      ? { kind: 'addresses', ips }
      : { kind: 'none', reason: 'nodata', message: 'it has no addresses' };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    // getaddrinfo has one code for a name that does not exist and one that has no addresses.
    if (code === 'ENOTFOUND')
      return { kind: 'none', reason: 'nxdomain', message: 'no such host (ENOTFOUND)' };
    return { kind: 'none', reason: 'other', message: `the look-up failed (${code})` };
  }
};
