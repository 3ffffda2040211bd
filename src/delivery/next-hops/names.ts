// The questions delivery asks of the domain name system: the addresses of a host, the mail hosts of a domain. The answer is
// data; whether the lack of one is temporary is decided where a next hop is found. Names are ASCII, in A-labels; one with a
// final dot is complete, one of a single label without it may be completed by the system (`search` in resolv.conf).

import { resolveMx, lookup as systemResolve } from 'node:dns/promises';

/** Why there is no answer; `other`: nobody could say. */
export interface NoAnswer {
  readonly kind: 'none';
  readonly reason: 'nxdomain' | 'nodata' | 'other';
  readonly message: string;
  /** That there is none was validated. */
  readonly isSecure?: boolean;
}

/** The addresses of a host, or why there are none. */
export type LookupAnswer =
  | {
      readonly kind: 'addresses';
      readonly ips: readonly string[];
      /** The name the addresses belong to, when the host's name is an alias. */
      readonly canonicalName?: string;
      /** All of them, and the alias, were validated. */
      readonly isSecure?: boolean;
    }
  | NoAnswer;

/** Asks for the A and AAAA addresses of a host name. Never rejects. */
export type Lookup = (host: string, signal?: AbortSignal) => Promise<LookupAnswer>;

/** A mail host; the empty name stands for "takes no mail" (RFC 7505). */
export interface MxHost {
  readonly name: string;
  readonly preference: number;
}

/** The mail hosts of a domain, or why there are none. */
export type MxAnswer =
  | {
      readonly kind: 'hosts';
      readonly hosts: readonly MxHost[];
      /** The name the records belong to, when the domain is an alias. */
      readonly canonicalName?: string;
      /** The records, and the alias, were validated. */
      readonly isSecure?: boolean;
    }
  | NoAnswer;

/** Asks for the MX records of a domain. Never rejects. */
export type MxLookup = (domain: string, signal?: AbortSignal) => Promise<MxAnswer>;

/** Both questions, asked of one source. */
export interface Names {
  readonly addresses: Lookup;
  readonly mailHosts: MxLookup;
}

/** The system's resolver with its hosts file. */
export const systemLookup: Lookup = async (host) => {
  try {
    const found = await systemResolve(host, { all: true, verbatim: true });
    const ips = found.map(({ address }) => address);
    return ips.length > 0
      ? { kind: 'addresses', ips }
      : { kind: 'none', reason: 'nodata', message: 'it has no addresses' };
  } catch (error) {
    const code = codeOf(error);
    // getaddrinfo has one code for a name that does not exist and one that has no addresses.
    if (code === 'ENOTFOUND')
      return { kind: 'none', reason: 'nxdomain', message: 'no such host (ENOTFOUND)' };
    return { kind: 'none', reason: 'other', message: `the look-up failed (${code})` };
  }
};

/** The system's servers, asked for MX. */
const systemMxLookup: MxLookup = async (domain) => {
  try {
    const found = await resolveMx(domain);
    const hosts = found.map(({ exchange, priority }) => ({ name: exchange, preference: priority }));
    return hosts.length > 0
      ? { kind: 'hosts', hosts }
      : { kind: 'none', reason: 'nodata', message: 'it has no MX records' };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENODATA') return { kind: 'none', reason: 'nodata', message: 'it has no MX records' };
    if (code === 'ENOTFOUND')
      return { kind: 'none', reason: 'nxdomain', message: 'no such domain (ENOTFOUND)' };
    return { kind: 'none', reason: 'other', message: `the look-up failed (${code})` };
  }
};

/** What the machine is set up with. */
export const systemNames: Names = { addresses: systemLookup, mailHosts: systemMxLookup };

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
