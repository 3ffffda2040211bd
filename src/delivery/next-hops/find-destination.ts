// From where mail is to go (a host, or a domain whose mail hosts take it) to a destination: addresses to connect to, in order,
// with a name for the queue's policies. The queue and the scripts' client in line ask here, and here only.
//
// Named hosts come from configuration or script, so a name that leads nowhere is a slip of ours and temporary (failure.ts, rule
// 3). A domain comes from whoever wrote the address: that it does not exist, takes no mail or has no mail host is its final word.
//
// DANE and MTA-STS are not asked for here. What they need to know goes along: the names of domain and hosts with what they are
// aliases for, and whether the answers were validated (RFC 7672 2.2).

import { isIP } from 'node:net';
import { domainToAscii } from '#stdlib';
import { printable } from '../../log/printable.js';
import type { Destination, MailDomain } from '../deliverer.js';
import type { Ending } from '../failure.js';
import type { Choice } from './choice.js';
import { finalFailure, misconfigured, passingFailure } from './failures.js';
import { askAll, type Families, isOfFamily, reachable, unreachable } from './host-addresses.js';
import { betterThanOurselves, findMailHosts, type HostFilter, loopOf } from './mail-hosts.js';
import type { Names } from './names.js';
import { isUnspecified, type OwnHosts } from './own-hosts.js';

const ONLY_ASCII = /^[\x00-\x7f]*$/;

/** Where mail is to go. */
export interface Route {
  /** A host name or address, `[…]` allowed; bytes. Absent: the mail hosts of `domain`. */
  readonly host?: string | undefined;
  readonly port: number;
  /** Bytes, as in an address. */
  readonly domain?: string | undefined;
  readonly filter: HostFilter;
  readonly families: Families;
}

/** What the search works with. */
export interface RouteFinder {
  readonly names: Names;
  readonly own: OwnHosts;
  readonly choice: Choice;
  readonly signal?: AbortSignal;
}

/** Finds the addresses, or says why there are none. */
export function findDestination(route: Route, finder: RouteFinder): Promise<Destination | Ending> {
  const { host, domain } = route;
  if (host !== undefined) return namedHost(host, route, finder);
  if (domain === undefined || domain === '')
    return Promise.resolve(
      misconfigured('there is neither a host nor a domain whose mail hosts could be looked up'),
    );
  if (domain.startsWith('[')) return Promise.resolve(literalDomain(domain, route, finder));
  return mailHostsOf(domain, route, finder);
}

async function namedHost(given: string, route: Route, finder: RouteFinder): Promise<Destination | Ending> {
  // In A-labels: certificates and policies know no other form.
  const host = ONLY_ASCII.test(given) ? given : (domainToAscii(given) ?? given);
  const literal = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  if (isIP(literal) !== 0) return atAddress(literal, host, route);
  const search = { ...finder, ...route };
  const found = await askAll([{ name: host }], search, (name) => name);
  const addresses = reachable(found, search);
  if (addresses.length > 0) return { remoteMx: host, addresses };
  return unreachable(found, search, `host "${printable(host, 80)}"`, false);
}

/** RFC 5321 4.1.3: an address in the place of a domain is where the mail goes. */
function literalDomain(domain: string, route: Route, { own }: RouteFinder): Destination | Ending {
  const [, tag, ip = ''] = /^\[(ipv6:)?([0-9a-f:.]+)\]$/i.exec(domain) ?? [];
  const family = isIP(ip);
  if (family === 0 || (family === 4 && tag !== undefined) || isUnspecified(ip))
    return finalFailure('nxdomain', `"${printable(domain, 80)}" is no address in brackets`);
  if (own.isAddress(ip, route.port)) return loopOf(domain, ip);
  return atAddress(ip, ip, route);
}

function atAddress(ip: string, remoteMx: string, { port, families }: Route): Destination | Ending {
  if (isOfFamily(ip, families)) return { remoteMx, addresses: [{ ip, port, remoteMx }] };
  return passingFailure('ipfamily', `the address ${ip} is not of a family that we send from`);
}

async function mailHostsOf(domain: string, route: Route, finder: RouteFinder): Promise<Destination | Ending> {
  const hosts = await findMailHosts(domain, { ...finder, filter: route.filter });
  if (!('hosts' in hosts)) return hosts;
  const search = { ...finder, ...route };
  // The final dot: what DNS calls a host is never completed with a domain of ours.
  const found = await askAll(hosts.hosts, search, (name) => `${name}.`);
  const better = betterThanOurselves(
    found,
    ({ answer }) =>
      answer.kind === 'addresses' && answer.ips.some((ip) => finder.own.isAddress(ip, route.port)),
  );
  if (better.length === 0) return loopOf(hosts.domain.name, found[0]!.name);
  const addresses = reachable(better, search);
  if (addresses.length === 0)
    return unreachable(better, search, `the mail domain "${hosts.domain.name}"`, true);
  return {
    remoteMx: addresses[0]!.remoteMx,
    addresses: addresses.map((address) => ({
      ...address,
      isSecure: isSecure(hosts.domain, address.isSecure),
    })),
    mailDomain: hosts.domain,
  };
}

function isSecure(domain: MailDomain, isHostSecure = false): boolean {
  return domain.isSecure && isHostSecure;
}
