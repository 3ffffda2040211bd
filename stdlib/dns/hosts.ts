// Names that are known without asking: those of the setting `resolver.hosts`, /etc/hosts, localhost (RFC 6761 §6.3) and
// addresses, which are their own answer as they are for getaddrinfo(3).

import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { bytesToAddress } from '../network-values/ip-address.js';
import { addressBytes } from './addresses.js';
import { byPreference } from './answer.js';
import { questionName } from './names.js';
import type { DnsAnswer, DnsRecord, RecordType } from './resolver.js';

/** What a name has, as smtpd-app.yaml writes it (queue-and-config 8.4). */
export interface HostRecords {
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  /** `10 mx1.example.com` */
  readonly mx?: readonly string[];
  readonly txt?: readonly string[];
  readonly ptr?: readonly string[];
  /** `3 1 1 0123ab…` */
  readonly tlsa?: readonly string[];
  /** Answers as if they had been validated. */
  readonly secure?: boolean;
}

/** Record types that a host of the settings can have. */
export const hostTypes = ['a', 'aaaa', 'mx', 'txt', 'ptr', 'tlsa'] as const;
export type HostType = (typeof hostTypes)[number];

/** One text of the settings as a record. @returns undefined when it is not what the type wants */
export function parseHostRecord(type: HostType, text: string): DnsRecord | undefined {
  const ttlSeconds = 0;
  switch (type) {
    case 'a':
    case 'aaaa':
      if (isIP(text) !== (type === 'a' ? 4 : 6)) return undefined;
      return { type, ttlSeconds, address: bytesToAddress(addressBytes(text)!)! };
    case 'txt':
      return { type, ttlSeconds, text };
    case 'ptr': {
      const hostname = questionName(text, 'a');
      return hostname === undefined ? undefined : { type, ttlSeconds, hostname };
    }
    case 'mx': {
      const [, digits, target] = /^(\d{1,5})\s+(\S+)$/.exec(text) ?? [];
      const hostname = target === undefined ? undefined : questionName(target, 'a');
      const preference = Number(digits);
      return hostname === undefined || preference > 65535
        ? undefined
        : { type, ttlSeconds, preference, hostname };
    }
    case 'tlsa': {
      const [, usage, selector, matchingType, hex] =
        /^(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})\s+((?:[0-9a-f]{2})+)$/i.exec(text) ?? [];
      const numbers = {
        usage: Number(usage),
        selector: Number(selector),
        matchingType: Number(matchingType),
      };
      if (hex === undefined || Object.values(numbers).some((value) => value > 255)) return undefined;
      return { type, ttlSeconds, ...numbers, data: hex.toLowerCase() };
    }
  }
}

interface Host {
  readonly isSecure: boolean;
  readonly answers: ReadonlyMap<RecordType, DnsAnswer>;
}

/** Answers for names that no server is asked about. */
export class KnownHosts {
  readonly #configured = new Map<string, Host>();
  readonly #systemFile: string | undefined;
  /** Read when the first name is looked up. */
  #system: ReadonlyMap<string, Host> | undefined;

  /** `systemFile`: in the form of hosts(5); undefined reads none. @throws TypeError for a record that cannot be read */
  constructor(configured: Readonly<Record<string, HostRecords>>, systemFile: string | undefined) {
    this.#systemFile = systemFile;
    for (const [name, host] of Object.entries(configured)) {
      const key = questionName(name, 'a')?.toLowerCase();
      if (key === undefined) throw new TypeError(`resolver.hosts: "${name}" is no domain name`);
      this.#configured.set(key, makeHost(name, host, key));
    }
  }

  /** `name` as questionName gives it. @returns undefined when a server must be asked */
  find(name: string, type: RecordType): DnsAnswer | undefined {
    const key = name.toLowerCase();
    const configured = this.#configured.get(key);
    if (configured !== undefined) return configured.answers.get(type) ?? nodata(configured.isSecure);
    if (type !== 'a' && type !== 'aaaa') return undefined;
    const family = isIP(name);
    if (family !== 0) return (family === 4) === (type === 'a') ? itself(name, type, name) : nodata(false);
    this.#system ??= this.#systemFile === undefined ? new Map() : readHostsFile(this.#systemFile);
    const system = this.#system.get(key);
    if (system !== undefined) return system.answers.get(type) ?? nodata(false);
    if (key === 'localhost' || key.endsWith('.localhost'))
      return itself(name, type, type === 'a' ? '127.0.0.1' : '::1');
    return undefined;
  }
}

function makeHost(name: string, host: HostRecords, key: string): Host {
  const isSecure = host.secure ?? false;
  const answers = new Map<RecordType, DnsAnswer>();
  for (const type of hostTypes) {
    const records = (host[type] ?? []).map((text) => {
      const record = parseHostRecord(type, text);
      if (record === undefined)
        throw new TypeError(`resolver.hosts: "${text}" is no ${type} record for "${name}"`);
      return record;
    });
    if (records.length === 0) continue;
    const sorted = type === 'mx' ? byPreference(records) : records;
    answers.set(type, { kind: 'records', records: sorted, canonicalName: key, isSecure });
  }
  return { isSecure, answers };
}

function nodata(isSecure: boolean): DnsAnswer {
  return { kind: 'failure', error: 'NODATA', isSecure };
}

function itself(name: string, type: 'a' | 'aaaa', address: string): DnsAnswer {
  return {
    kind: 'records',
    records: [{ type, ttlSeconds: 0, address }],
    canonicalName: name,
    isSecure: false,
  };
}

function readHostsFile(file: string): Map<string, Host> {
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch {
    return new Map();
  }
  const found = new Map<string, { a: string[]; aaaa: string[] }>();
  for (const line of text.split('\n')) {
    const [ip = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = isIP(ip);
    if (family === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      const host = found.get(key) ?? { a: [], aaaa: [] };
      host[family === 4 ? 'a' : 'aaaa'].push(ip);
      found.set(key, host);
    }
  }
  return new Map([...found].map(([name, host]) => [name, makeHost(name, host, name)]));
}
