// The hosts that take mail for a domain, in the order to try them (RFC 5321 §5.1, RFC 7505).

import { domainToASCII } from 'node:url';
import { matchesOneLabel } from './client/certificate-names.js';
import type { Ending } from './failure.js';
import type { MxHost, Names } from './lookup.js';

/** More hosts than this are not tried: a domain may list any number, and each costs time. */
const MOST_HOSTS = 10;

/** Which hosts may be used: names, or `*.` and a domain for names of one label more. */
export interface HostFilter {
  /** Absent: all. */
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** Names of hosts, the first to try first. */
export interface MailHosts {
  readonly hosts: readonly string[];
}

/** Finds the mail hosts of a domain. `random` (0 to 1) spreads load over those of one preference. */
export async function findMailHosts(
  domain: string,
  filter: HostFilter,
  names: Names,
  random: () => number,
  signal?: AbortSignal,
): Promise<MailHosts | Ending> {
  const ascii = domainToASCII(Buffer.from(domain, 'latin1').toString('utf8'));
  if (ascii === '') return dnsError('nxdomain', false, `"${printable(domain)}" is no domain name`);
  const answer = await names.mailHosts(ascii, signal);
  if (answer.kind === 'none') {
    if (answer.reason === 'nxdomain')
      return dnsError('nxdomain', false, `the domain "${ascii}" does not exist: ${answer.message}`);
    if (answer.reason === 'other')
      return dnsError('other', true, `the mail hosts of "${ascii}" are not known: ${answer.message}`);
    // RFC 5321 §5.1: a domain without MX records is its own mail host.
    return filtered([ascii], filter, ascii);
  }
  const hosts = answer.hosts.filter(({ name }) => !isRoot(name));
  if (hosts.length === 0) return dnsError('nullmx', false, `the domain "${ascii}" takes no mail (null MX)`);
  return filtered(inOrder(hosts, random), filter, ascii);
}

function isRoot(name: string): boolean {
  return name === '' || name === '.';
}

function inOrder(hosts: readonly MxHost[], random: () => number): string[] {
  const keyed = hosts.map((host) => ({ ...host, key: random() }));
  keyed.sort((a, b) => a.preference - b.preference || a.key - b.key);
  return [...new Set(keyed.map(({ name }) => name.replace(/\.$/, '').toLowerCase()))];
}

function filtered(
  hosts: readonly string[],
  { include, exclude }: HostFilter,
  domain: string,
): MailHosts | Ending {
  const kept = hosts.filter(
    (host) => (include === undefined || matches(host, include)) && !matches(host, exclude ?? []),
  );
  return kept.length > 0
    ? { hosts: kept.slice(0, MOST_HOSTS) }
    : dnsError(
        'excluded',
        true,
        `none of the mail hosts of "${domain}" may be used (mx_include, mx_exclude)`,
      );
}

function matches(host: string, names: readonly string[]): boolean {
  return names.some((written) => {
    const name = written.replace(/\.$/, '').toLowerCase();
    return name.startsWith('*.') ? matchesOneLabel(host, name) : host === name;
  });
}

function dnsError(
  dns: NonNullable<NonNullable<Ending['error']>['dns']>,
  temporary: boolean,
  message: string,
): Ending {
  return { error: { temporary, type: 'dns', dns, message } };
}

function printable(text: string): string {
  return text.slice(0, 80).replace(/[^\x20-\x7e]/g, '?');
}
