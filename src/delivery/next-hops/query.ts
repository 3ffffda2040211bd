// What an operator is shown who asks where mail of a domain would go (control-api 7, `resolver query`): the candidates in the order
// of a message, the one that a retry number comes to, and what DNS says of its certificates.
//
// The number counts along all candidates, so that each can be looked at. The attempts of a message themselves keep to the
// preferences: each begins with the most wanted hosts, and goes on to the next in the same attempt (RFC 5321 5.1).

import { textToBytes } from '#lang';
import type { Resolver } from '#stdlib';
import type { Destination, HopAddress, MailDomain } from '../deliverer.js';
import type { Ending } from '../failure.js';
import { findTlsa, type TlsaFinding } from '../security/dane/find-tlsa.js';
import { chosenBySeed } from './choice.js';
import { findDestination } from './find-destination.js';
import { bothFamilies } from './host-addresses.js';
import type { Names } from './names.js';
import type { OwnHosts } from './own-hosts.js';

/** What is asked. */
export interface HopQuery {
  /** The domain of a recipient: text. Without mail hosts it is its own. */
  readonly host: string;
  /** The id of a transaction. */
  readonly seed: string;
  readonly retry: number;
  /** 25. */
  readonly port?: number | undefined;
}

/** What is asked of. */
export interface HopQueryWorld {
  readonly names: Names;
  /** For TLSA records; without one nothing is known of them. */
  readonly resolver: Resolver | undefined;
  readonly own: OwnHosts;
  readonly signal?: AbortSignal;
}

/** The next hop, or why there is none. */
export type HopAnswer =
  | {
      readonly kind: 'found';
      readonly chosen: HopAddress;
      /** What DNS says of the certificates of the chosen host. */
      readonly tlsa: TlsaFinding;
      /** All candidates in order. */
      readonly candidates: readonly HopAddress[];
      readonly mailDomain?: MailDomain | undefined;
    }
  | { readonly kind: 'none'; readonly error: NonNullable<Ending['error']> };

/** Answers the question; the same for the same seed and retry while DNS says the same. */
export async function queryNextHop(
  { host, seed, retry, port = 25 }: HopQuery,
  { names, resolver, own, signal }: HopQueryWorld,
): Promise<HopAnswer> {
  const found = await findDestination(
    { port, domain: textToBytes(host), filter: {}, families: bothFamilies },
    { names, own, choice: chosenBySeed(seed, 0), ...(signal === undefined ? {} : { signal }) },
  );
  if (!('addresses' in found)) return { kind: 'none', error: errorOf(found) };
  const chosen = candidateAt(found, retry);
  const tlsa: TlsaFinding =
    resolver === undefined
      ? { kind: 'none', why: 'there is no resolver that could be asked' }
      : await findTlsa(chosen.remoteMx, port, resolver, signal);
  return { kind: 'found', chosen, tlsa, candidates: found.addresses, mailDomain: found.mailDomain };
}

function candidateAt({ addresses }: Destination, retry: number): HopAddress {
  return addresses[Math.max(0, Math.trunc(retry)) % addresses.length]!;
}

function errorOf({ error }: Ending): NonNullable<Ending['error']> {
  return error ?? { temporary: true, type: 'dns', dns: 'other', message: 'nothing is known' };
}
