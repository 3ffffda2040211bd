// The questions an evaluation asks, and how many it may ask (RFC 7208 §4.6.4): records are other people's programs, and
// without limits one message could make us ask thousands of servers.

import { isIP } from 'node:net';
import { addressBytes, reverseName, withoutMapping } from '../dns/addresses.js';
import { isWithin } from '../dns/names.js';
import type { DnsAnswer, DnsRecord, RecordType } from '../dns/resolver.js';
import { SpfError } from './result.js';

/** Asks for records; an evaluation's time limit and servers are inside. */
export type AskDns = (name: string, type: RecordType) => DnsAnswer | Promise<DnsAnswer>;

/** Terms that ask: include, a, mx, ptr, exists, redirect. */
const MOST_TERMS = 10;
/** Of those, terms that found nothing. */
const MOST_VOID = 2;
/** Host names of one mx, and of the client. */
const MOST_HOSTS = 10;

/** The look-ups of one evaluation, includes and redirects and all. */
export class SpfLookUps {
  readonly #ask: AskDns;
  readonly #client: string;
  #terms = 0;
  #voids = 0;
  #clientNames: Promise<readonly string[]> | undefined;

  /** `client`: the bytes of the address that connected. */
  constructor(ask: AskDns, client: string) {
    this.#ask = ask;
    this.#client = client;
  }

  /** A term that asks is about to be evaluated. @throws SpfError permerror when it is one too many */
  countTerm(): void {
    if (++this.#terms > MOST_TERMS)
      throw new SpfError(
        'permerror',
        `the SPF records need more than ${MOST_TERMS} terms that look something up`,
      );
  }

  /** The texts of a domain; none when there is no such domain, or no such record. @throws SpfError temperror */
  async texts(domain: string): Promise<readonly string[]> {
    const records = await this.#records(domain, 'txt');
    return records.flatMap((record) => (record.type === 'txt' ? [record.text] : []));
  }

  /** The addresses of a host, of the client's family unless `type` says otherwise. @throws SpfError */
  async addresses(host: string, type: 'a' | 'aaaa' = this.#family()): Promise<readonly string[]> {
    return addressesIn(this.#countVoid(await this.#records(host, type)));
  }

  /** The addresses of all mail hosts of a domain. @throws SpfError */
  async mailHostAddresses(domain: string): Promise<readonly string[]> {
    const records = this.#countVoid(await this.#records(domain, 'mx'));
    const hosts = records.flatMap((record) => (record.type === 'mx' ? [record.hostname] : []));
    if (hosts.length > MOST_HOSTS)
      throw new SpfError('permerror', `"${domain}" has more than ${MOST_HOSTS} mail hosts`);
    const found = await Promise.all(hosts.map((host) => this.#records(host, this.#family())));
    return found.flatMap(addressesIn);
  }

  /** The client's host names that lead back to its address (§5.5); errors leave names out. */
  clientNames(): Promise<readonly string[]> {
    this.#clientNames ??= this.#findClientNames();
    return this.#clientNames;
  }

  /** The client's name for `%{p}`: the domain itself, else one below it, else any, else "unknown" (§7.3). */
  async validatedName(domain: string): Promise<string> {
    const names = await this.clientNames();
    const own = names.find((name) => name.toLowerCase() === domain.toLowerCase());
    return own ?? names.find((name) => isWithin(name, domain)) ?? names[0] ?? 'unknown';
  }

  async #findClientNames(): Promise<readonly string[]> {
    const answer = await this.#ask(reverseName(this.#client), 'ptr');
    if (answer.kind === 'failure') return [];
    const names = answer.records
      .slice(0, MOST_HOSTS)
      .map((record) => ('hostname' in record ? record.hostname : ''));
    const confirmed = await Promise.all(
      names.map(async (name) => {
        const forward = await this.#ask(name, this.#family());
        return forward.kind === 'records' && addressesIn(forward.records).includes(this.#client);
      }),
    );
    return names.filter((_, index) => confirmed[index]);
  }

  async #records(name: string, type: RecordType): Promise<readonly DnsRecord[]> {
    // An address is no domain name here, though the resolver would answer for it; the empty name is a null MX.
    if (name === '' || isIP(name) !== 0) return [];
    const answer = await this.#ask(name, type);
    if (answer.kind === 'records') return answer.records;
    switch (answer.error) {
      case 'NXDOMAIN':
      case 'NODATA':
      // A macro may make what is no domain name; it does not exist then (§4.8).
      case 'BADNAME':
        return [];
      default:
        throw new SpfError('temperror', `looking up ${type} of "${name}" failed: ${answer.error}`);
    }
  }

  #countVoid(records: readonly DnsRecord[]): readonly DnsRecord[] {
    if (records.length === 0 && ++this.#voids > MOST_VOID)
      throw new SpfError('permerror', `more than ${MOST_VOID} terms of the SPF records find nothing`);
    return records;
  }

  #family(): 'a' | 'aaaa' {
    return this.#client.length === 4 ? 'a' : 'aaaa';
  }
}

function addressesIn(records: readonly DnsRecord[]): string[] {
  return records.flatMap((record) =>
    'address' in record ? [withoutMapping(addressBytes(record.address) ?? '')] : [],
  );
}
