// From hosts to the addresses to connect to, in the order of the hosts. All hosts are asked about at once: a domain may have many,
// and servers that do not answer would cost their time one after the other. Hosts without an address are passed over.

import { isIPv6 } from 'node:net';
import { printable } from '../../log/printable.js';
import type { HopAddress } from '../deliverer.js';
import type { Ending } from '../failure.js';
import { finalFailure, passingFailure } from './failures.js';
import type { MailHost } from './mail-hosts.js';
import type { LookupAnswer, Names, NoAnswer } from './names.js';
import { isUnspecified } from './own-hosts.js';

/** Addresses tried in one attempt: each may cost the whole patience for a connection. */
export const MOST_ADDRESSES = 20;
/** Of one host, so that another one gets its turn. */
export const MOST_ADDRESSES_OF_HOST = 8;

/** Which of the two we send from. */
export interface Families {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

/** Both. */
export const bothFamilies: Families = { ipv4: true, ipv6: true };

/** What a search for addresses works with. */
export interface AddressSearch {
  readonly names: Names;
  readonly families: Families;
  readonly port: number;
  readonly signal?: AbortSignal | undefined;
}

/** What was found about each host, in their order. */
export interface FoundHost extends MailHost {
  readonly answer: LookupAnswer;
}

/** Asks about all hosts. `asked` makes of a host's name what is asked for. */
export function askAll(
  hosts: readonly MailHost[],
  { names, signal }: AddressSearch,
  asked: (name: string) => string,
): Promise<FoundHost[]> {
  return Promise.all(
    hosts.map(async (host) => ({ ...host, answer: await names.addresses(asked(host.name), signal) })),
  );
}

/** The addresses of hosts that can be reached from here; none when there are none. */
export function reachable(hosts: readonly FoundHost[], { families, port }: AddressSearch): HopAddress[] {
  const addresses = hosts.flatMap(({ name, preference, answer }) => {
    if (answer.kind === 'none') return [];
    const { canonicalName, isSecure = false } = answer;
    return [...new Set(answer.ips)]
      .filter((ip) => isOfFamily(ip, families) && !isUnspecified(ip))
      .slice(0, MOST_ADDRESSES_OF_HOST)
      .map((ip) => ({
        ip,
        port,
        remoteMx: name,
        ...(preference === undefined ? {} : { preference }),
        ...(canonicalName === undefined ? {} : { canonicalName }),
        isSecure,
      }));
  });
  return addresses.slice(0, MOST_ADDRESSES);
}

/**
 * Why no host has an address that can be reached. `whose` names them in the message; `isFinal`: that they have none is not a
 * slip of ours.
 */
export function unreachable(
  hosts: readonly FoundHost[],
  { families }: AddressSearch,
  whose: string,
  isFinal: boolean,
): Ending {
  const nones = hosts.flatMap(({ name, answer }) => (answer.kind === 'none' ? [{ name, answer }] : []));
  const unsure = nones.find(({ answer }) => answer.reason === 'other');
  // One that nobody could say anything about may have all that is wanted.
  if (unsure !== undefined) return passingFailure('other', noAddress(whose, unsure));
  if (nones.length < hosts.length)
    return passingFailure(
      'ipfamily',
      `${whose} has no address of a family that we send from: ${missing(families)}`,
    );
  const told = nones.find(({ answer }) => answer.reason === 'nodata') ?? nones[0]!;
  const message = noAddress(whose, told);
  return isFinal ? finalFailure(told.answer.reason, message) : passingFailure(told.answer.reason, message);
}

function noAddress(whose: string, { name, answer }: { name: string; answer: NoAnswer }): string {
  const shown = `"${printable(name, 80)}"`;
  const host = whose.includes(shown) ? '' : `host ${shown}: `;
  return `${whose} has no address: ${host}${answer.message}`;
}

function missing({ ipv4, ipv6 }: Families): string {
  if (ipv4) return 'IPv6 is switched off, or no source address has it';
  if (ipv6) return 'IPv4 is switched off, or no source address has it';
  return 'both are switched off';
}

/** Whether we send to an address. */
export function isOfFamily(ip: string, { ipv4, ipv6 }: Families): boolean {
  return isIPv6(ip) ? ipv6 : ipv4;
}
