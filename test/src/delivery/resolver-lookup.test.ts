// Delivery's questions, answered by the resolver that scripts use.

import { describe, expect, onTestFinished, test } from 'vitest';
import { createResolver } from '#stdlib';
import { findMailHosts } from '../../../src/delivery/mail-hosts.js';
import { resolverNames } from '../../../src/delivery/resolver-lookup.js';
import { DnsServer, rcode } from '../../support/dns-server.js';

const zone = {
  'both.test': ['A 192.0.2.1', 'A 192.0.2.2', 'AAAA 2001:db8::1'],
  'only6.test': ['AAAA 2001:db8::1'],
  'alias.test': ['CNAME both.test'],
  'mail.test': ['MX 20 mx2.mail.test', 'MX 10 MX1.mail.test', 'MX 20 mx3.mail.test'],
  'null.test': ['MX 0 .'],
  'implicit.test': ['A 192.0.2.9'],
};

async function namesOf(options: Parameters<typeof DnsServer.start>[0] = {}) {
  const server = await DnsServer.start({ zone, ...options });
  const resolver = createResolver({ servers: [server.serverText], hostsFile: undefined, retries: 0 });
  onTestFinished(async () => {
    resolver.close();
    await server.close();
  });
  return { server, names: resolverNames(resolver) };
}

describe('addresses', () => {
  test.each([
    ['both.test', ['192.0.2.1', '192.0.2.2', '2001:db8::1']],
    ['only6.test', ['2001:db8::1']],
    ['alias.test', ['192.0.2.1', '192.0.2.2', '2001:db8::1']],
    ['192.0.2.7', ['192.0.2.7']],
  ])('of %s are those of both families, IPv4 first', async (host, ips) => {
    const { names } = await namesOf();
    expect(await names.addresses(host)).toEqual({ kind: 'addresses', ips });
  });

  test('that do not exist say so', async () => {
    const { names } = await namesOf();
    expect(await names.addresses('nowhere.test')).toMatchObject({ kind: 'none', reason: 'nxdomain' });
    expect(await names.addresses('null.test')).toMatchObject({ kind: 'none', reason: 'nodata' });
  });

  test('are not known when one family failed and the other is empty', async () => {
    const { names } = await namesOf({
      behave: ({ type }) => (type === 'AAAA' ? { flags: rcode('SERVFAIL'), answers: [] } : undefined),
    });
    expect(await names.addresses('null.test')).toMatchObject({ kind: 'none', reason: 'other' });
    expect(await names.addresses('both.test')).toMatchObject({ kind: 'addresses' });
  });
});

describe('mail hosts', () => {
  const find = async (domain: string, random = () => 0.5) =>
    findMailHosts(domain, {}, (await namesOf()).names, random);

  test('come by preference, equal ones by chance (RFC 5321 5.1)', async () => {
    const draws = [0.1, 0.9, 0.2];
    const found = await find('mail.test', () => draws.shift()!);
    expect(found).toEqual({ hosts: ['mx1.mail.test', 'mx3.mail.test', 'mx2.mail.test'] });
  });

  test('of a domain without MX are the domain itself', async () => {
    expect(await find('implicit.test')).toEqual({ hosts: ['implicit.test'] });
  });

  test.each([
    ['null.test', 'nullmx'],
    ['nowhere.test', 'nxdomain'],
  ])('of %s are none for good: %s', async (domain, dns) => {
    expect(await find(domain)).toMatchObject({ error: { temporary: false, type: 'dns', dns } });
  });

  test('that cannot be looked up are a temporary error', async () => {
    const { names } = await namesOf({ behave: () => ({ flags: rcode('SERVFAIL'), answers: [] }) });
    expect(await findMailHosts('mail.test', {}, names, () => 0)).toMatchObject({
      error: { temporary: true, type: 'dns', dns: 'other' },
    });
  });
});
