// The hosts that take mail for a domain, in the order to try them (RFC 5321 5.1, RFC 7505). What a domain says is bounded and
// checked: it may list any number of hosts, names that are none, and ourselves.

import { isIP } from 'node:net';
import { domainToAscii, questionName } from '#stdlib';
import { printable } from '../../log/printable.js';
import { matchesOneLabel } from '../client/certificate-names.js';
import type { MailDomain } from '../deliverer.js';
import type { Ending } from '../failure.js';
import { type Choice, inOrder } from './choice.js';
import { finalFailure, loopsBack, passingFailure } from './failures.js';
import type { MxHost, Names } from './names.js';
import type { OwnHosts } from './own-hosts.js';

/** More hosts than this are not tried: each costs time. */
export const MOST_HOSTS = 10;

/** Which hosts may be used: names, or `*.` and a domain for names of one label more. */
export interface HostFilter {
  /** Absent: all. */
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** A host to try. */
export interface MailHost {
  /** Lower case, without final dot. */
  readonly name: string;
  /** Absent for a domain that is its own mail host. */
  readonly preference?: number;
}

/** The mail hosts of a domain, the first to try first. */
export interface MailHosts {
  readonly domain: MailDomain;
  readonly hosts: readonly MailHost[];
}

/** What a search for mail hosts works with. */
export interface MailHostSearch {
  readonly names: Names;
  readonly own: OwnHosts;
  readonly choice: Choice;
  readonly filter: HostFilter;
  readonly signal?: AbortSignal | undefined;
}

/** Finds the mail hosts of a domain: bytes as in an address, in A-labels or U-labels. */
export async function findMailHosts(given: string, search: MailHostSearch): Promise<MailHosts | Ending> {
  const name = questionName(given, 'mx')?.toLowerCase();
  if (name === undefined || !isHostName(name))
    return finalFailure('nxdomain', `"${printable(given, 80)}" is no domain name`);
  const answer = await search.names.mailHosts(name, search.signal);
  if (answer.kind === 'none') {
    if (answer.reason === 'nxdomain')
      return finalFailure('nxdomain', `the domain "${name}" does not exist: ${answer.message}`);
    if (answer.reason === 'other')
      return passingFailure('other', `the mail hosts of "${name}" are not known: ${answer.message}`);
    // RFC 5321 5.1: a domain without MX records is its own mail host.
    return choose({ name, isSecure: answer.isSecure ?? false }, [{ name }], search);
  }
  const { canonicalName, isSecure = false } = answer;
  const domain = { name, ...(canonicalName === undefined ? {} : { canonicalName }), isSecure };
  const hosts = answer.hosts.filter((host) => !isRoot(host.name));
  // RFC 7505 3: a null MX stands alone; beside others it says nothing.
  if (hosts.length === 0) return finalFailure('nullmx', `the domain "${name}" takes no mail (null MX)`);
  const named = inOrder(hosts.flatMap(asHost), search.choice);
  if (named.length === 0) {
    const found = printable(hosts[0]!.name, 80);
    return finalFailure('nodata', `no MX record of "${name}" names a host (found "${found}")`);
  }
  return choose(domain, withoutRepetition(named), search);
}

function choose(
  domain: MailDomain,
  candidates: readonly MailHost[],
  { own, filter }: MailHostSearch,
): MailHosts | Ending {
  const others = betterThanOurselves(candidates, (host) => own.isName(host.name));
  if (others.length === 0) return loopOf(domain.name, candidates[0]!.name);
  const kept = others.filter(({ name }) => isWanted(name, filter));
  if (kept.length > 0) return { domain, hosts: kept.slice(0, MOST_HOSTS) };
  return passingFailure(
    'excluded',
    `none of the mail hosts of "${domain.name}" may be used (mx_include, mx_exclude)`,
  );
}

/**
 * Without the hosts that are ourselves, and those that are not preferred to us: they would send the mail to us
 * (RFC 5321 5.1).
 */
export function betterThanOurselves<Host extends { readonly preference?: number }>(
  hosts: readonly Host[],
  isOurselves: (host: Host) => boolean,
): readonly Host[] {
  const ours = hosts.filter(isOurselves).map(({ preference }) => preference ?? 0);
  if (ours.length === 0) return hosts;
  const best = Math.min(...ours);
  return hosts.filter(({ preference }) => (preference ?? 0) < best);
}

/** The failure that a domain has which only leads back here. */
export function loopOf(domain: string, host: string): Ending {
  return loopsBack(
    `mail for "${domain}" loops back to me: its best mail host "${host}" is this server, and nothing here says where such mail goes; give the domain a transport with connection.server, or do not accept its mail`,
  );
}

function isRoot(name: string): boolean {
  return name === '' || name === '.';
}

/** The host of an MX record; nothing if it is none: RFC 5321 5.1 wants a name, and an address in its place is a mistake. */
function asHost({ name, preference }: MxHost): readonly MxHost[] {
  const plain = name.replace(/\.$/, '').toLowerCase();
  return isHostName(plain) ? [{ name: plain, preference }] : [];
}

/** Letters, digits, hyphens; underscores, which some have. */
function isHostName(name: string): boolean {
  const labels = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;
  return name.length <= 253 && labels.test(name) && isIP(name) === 0;
}

/** A host that is listed twice keeps its better place. */
function withoutRepetition(hosts: readonly MxHost[]): readonly MxHost[] {
  const seen = new Set<string>();
  return hosts.filter(({ name }) => !seen.has(name) && seen.add(name));
}

function isWanted(host: string, { include, exclude }: HostFilter): boolean {
  return (include === undefined || matches(host, include)) && !matches(host, exclude ?? []);
}

function matches(host: string, names: readonly string[]): boolean {
  return names.some((written) => {
    const name = (domainToAscii(written) ?? written).replace(/\.$/, '').toLowerCase();
    return name.startsWith('*.') ? matchesOneLabel(host, name) : host === name;
  });
}
