// Where the TLSA records of a mail host are (RFC 7672 2.2), step by step:
//
//   1. The host's address records say whether its zone is signed. If they are not secure no TLSA records are asked for:
//      they could not be believed, and name servers that fail on such questions are found in unsigned zones.
//   2. A host that is an alias, secure to its end, is asked for under the name at the end first, then under its own. If
//      only the alias itself is secure, under its own name alone.
//   3. Records that are not secure are none. An answer that did not come (SERVFAIL, which is also what a forged answer
//      looks like behind a validating resolver, or silence) leaves it open whether there are any: the host is not used now.
//
// Asked of a resolver whose `isSecure` means that a trusted, validating server set the AD bit.

import { isIP } from 'node:net';
import type { DnsAnswer, DnsError, Resolver } from '#stdlib';
import { type TlsaRecord, tlsaRecordsOf } from './tlsa.js';

/** What is known of a host's TLSA records. */
export type TlsaFinding =
  /** Secure, at least one; whether they can be used is another question. */
  | { readonly kind: 'records'; readonly baseDomain: string; readonly records: readonly TlsaRecord[] }
  | { readonly kind: 'none'; readonly why: string }
  | { readonly kind: 'unknown'; readonly error: DnsError; readonly message: string };

/** Looks for the TLSA records of a host that is connected to at this port. */
export async function findTlsa(
  host: string,
  port: number,
  resolver: Resolver,
  signal?: AbortSignal,
): Promise<TlsaFinding> {
  const name = host.replace(/\.$/, '').toLowerCase();
  if (isIP(name.replace(/^\[(?:ipv6:)?|\]$/g, '')) !== 0) return none(`"${host}" is an address`);
  const bases = await baseDomains(name, resolver, signal);
  if (!Array.isArray(bases)) return bases;
  const placeOf = (baseDomain: string): string => `_${port}._tcp.${baseDomain}`;
  for (const baseDomain of bases) {
    const place = placeOf(baseDomain);
    const answer = await resolver.query({ name: place, type: 'tlsa' }, signal);
    if (isOpen(answer)) return unknown(`TLSA records of "${place}"`, answer.error);
    if (answer.kind === 'records' && answer.isSecure)
      return { kind: 'records', baseDomain, records: tlsaRecordsOf(answer.records) };
  }
  return none(`there are no secure TLSA records at "${bases.map(placeOf).join('" or "')}"`);
}

/** The names whose TLSA records would be those of the host, the first to ask first. */
async function baseDomains(
  name: string,
  resolver: Resolver,
  signal: AbortSignal | undefined,
): Promise<string[] | TlsaFinding> {
  const answers = await Promise.all([
    resolver.query({ name, type: 'a' }, signal),
    resolver.query({ name, type: 'aaaa' }, signal),
  ]);
  // One family is enough to see what the zone is like; that of the other may be what a server fails on.
  const found = answers.filter((answer) => answer.kind === 'records');
  if (found.length === 0) {
    const open = answers.find(isOpen);
    return open === undefined
      ? none(`"${name}" has no addresses`)
      : unknown(`addresses of "${name}"`, open.error);
  }
  const secure = found.find(({ isSecure }) => isSecure);
  const canonicalName = (secure ?? found[0]!).canonicalName.toLowerCase();
  if (secure !== undefined) return canonicalName === name ? [name] : [canonicalName, name];
  if (canonicalName === name) return none(`the addresses of "${name}" are not secure`);

  const alias = await resolver.query({ name, type: 'cname' }, signal);
  if (isOpen(alias)) return unknown(`alias "${name}"`, alias.error);
  return alias.kind === 'records' && alias.isSecure ? [name] : none(`the alias "${name}" is not secure`);
}

/** Whether an answer leaves the question open. */
function isOpen(answer: DnsAnswer): answer is DnsAnswer & { readonly kind: 'failure' } {
  return answer.kind === 'failure' && !['NXDOMAIN', 'NODATA', 'BADNAME'].includes(answer.error);
}

function none(why: string): TlsaFinding {
  return { kind: 'none', why };
}

function unknown(what: string, error: DnsError): TlsaFinding {
  return { kind: 'unknown', error, message: `the ${what} could not be looked up (${error})` };
}
