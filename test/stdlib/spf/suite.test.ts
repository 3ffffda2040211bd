// SPF policies and what RFC 7208 makes of them, section by section, asked through the resolver from a server on loopback.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createResolver } from '../../../stdlib/dns/create-resolver.js';
import { checkSpf } from '../../../stdlib/spf/check-spf.js';
import { DnsServer, rcode, type Zone } from '../../support/dns-server.js';

interface Case {
  readonly name: string;
  /** Published at the sender's domain. */
  readonly record?: string;
  readonly at?: string;
  readonly ip?: string;
  readonly helo?: string;
  readonly sender?: string;
  readonly zone?: Zone;
  readonly result: string;
}

interface Suite {
  readonly section: string;
  readonly zone?: Zone;
  /** Where records are published, and who sends, unless a case says otherwise. */
  readonly domain?: string;
  /** Other records of that domain. */
  readonly records?: readonly string[];
  readonly cases: readonly Case[];
}

let server: DnsServer;
beforeAll(async () => {
  server = await DnsServer.start({
    behave: ({ name }) => {
      const records = Object.entries(server.zone).find(
        ([key]) => key.toLowerCase() === name.toLowerCase(),
      )?.[1];
      const failure = records?.find((record) => record === 'SERVFAIL' || record === 'REFUSED');
      return failure === undefined ? undefined : { flags: rcode(failure as 'SERVFAIL'), answers: [] };
    },
  });
});
afterAll(() => server.close());

function zoneOf(suite: Suite, one: Case, domain: string): Zone {
  const published = one.record === undefined ? [] : [`TXT "${one.record}"`];
  const at = one.at ?? domain;
  const all: Record<string, readonly string[]> = {
    ...suite.zone,
    ...(suite.records === undefined ? {} : { [domain]: suite.records }),
    ...one.zone,
  };
  return { ...all, ...(published.length === 0 ? {} : { [at]: [...(all[at] ?? []), ...published] }) };
}

const folder = import.meta.dirname;
for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
  const suite = parse(readFileSync(path.join(folder, file), 'utf8')) as Suite;
  describe(suite.section, () => {
    test.each(suite.cases)('$name', async (one) => {
      const domain = suite.domain ?? 'example.test';
      server.zone = zoneOf(suite, one, domain);
      const resolver = createResolver({ servers: [server.serverText], hostsFile: undefined, cacheSize: 0 });
      const { ip = '192.0.2.4', helo = 'mail.example.test', sender = `user@${domain}` } = one;
      const verdict = await checkSpf({ ip, helo, sender }, resolver);
      resolver.close();
      expect(verdict.result, verdict.problem).toBe(one.result);
    });
  });
}
