// Delivery's questions, answered by the resolver that scripts use.

import type { Answer, Packet } from 'dns-packet';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createResolver } from '#stdlib';
import { chosenAtRandom } from '../../../../src/delivery/next-hops/choice.js';
import { NextHops } from '../../../../src/delivery/next-hops/index.js';
import { findMailHosts } from '../../../../src/delivery/next-hops/mail-hosts.js';
import { nobody } from '../../../../src/delivery/next-hops/own-hosts.js';
import { resolverNames } from '../../../../src/delivery/next-hops/resolver-names.js';
import { makeTransport } from '../../../support/delivery-attempt.js';
import { DnsServer, rcode } from '../../../support/dns-server.js';

const zone = {
  'both.test': ['A 192.0.2.1', 'A 192.0.2.2', 'AAAA 2001:db8::1'],
  'only6.test': ['AAAA 2001:db8::1'],
  'alias.test': ['CNAME both.test'],
  'mail.test': ['MX 20 mx2.mail.test', 'MX 10 MX1.mail.test', 'MX 20 mx3.mail.test'],
  'null.test': ['MX 0 .'],
  'implicit.test': ['A 192.0.2.9'],
  'both.mail.test': ['MX 10 both.test'],
  'same.test': ['CNAME one.test'],
  'one.test': ['MX 5 mx.one.test'],
};

async function namesOf(options: Parameters<typeof DnsServer.start>[0] = {}, timeoutSeconds = 5) {
  const server = await DnsServer.start({ zone, ...options });
  const resolver = createResolver({
    servers: [server.serverText],
    hostsFile: undefined,
    retries: 0,
    timeoutSeconds,
  });
  onTestFinished(async () => {
    resolver.close();
    await server.close();
  });
  return { server, names: resolverNames(resolver) };
}

function mx(name: string, exchange: string): Answer {
  return { type: 'MX', name, ttl: 60, class: 'IN', data: { preference: 1, exchange } };
}

/** Two names that are aliases for each other. */
function circle(name: string, packet: Packet): Partial<Packet> {
  const other = name === 'mail.test' ? 'liam.test' : 'mail.test';
  return {
    ...packet,
    answers: [
      { type: 'CNAME', name, ttl: 60, class: 'IN', data: other },
      { type: 'CNAME', name: other, ttl: 60, class: 'IN', data: name },
    ],
  };
}

function ofAnotherName(packet: Packet): Partial<Packet> {
  return { ...packet, answers: [mx('evil.test', 'mx.evil.test')] };
}

describe('addresses', () => {
  test.each([
    ['both.test', ['192.0.2.1', '192.0.2.2', '2001:db8::1']],
    ['only6.test', ['2001:db8::1']],
    ['alias.test', ['192.0.2.1', '192.0.2.2', '2001:db8::1']],
    ['192.0.2.7', ['192.0.2.7']],
  ])('of %s are those of both families, IPv4 first', async (host, ips) => {
    const { names } = await namesOf();
    expect(await names.addresses(host)).toMatchObject({ kind: 'addresses', ips });
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
  const search = (names: ReturnType<typeof resolverNames>, random = () => 0.5) => ({
    names,
    own: nobody,
    choice: chosenAtRandom(random),
    filter: {},
  });
  const find = async (domain: string, random?: () => number) =>
    findMailHosts(domain, search((await namesOf()).names, random));

  test('come by preference, equal ones by chance (RFC 5321 5.1)', async () => {
    const draws = [0.1, 0.9, 0.2];
    expect(await find('mail.test', () => draws.shift()!)).toEqual({
      domain: { name: 'mail.test', isSecure: false },
      hosts: [
        { name: 'mx1.mail.test', preference: 10 },
        { name: 'mx3.mail.test', preference: 20 },
        { name: 'mx2.mail.test', preference: 20 },
      ],
    });
  });

  test('of a domain without MX are the domain itself', async () => {
    expect(await find('implicit.test')).toMatchObject({ hosts: [{ name: 'implicit.test' }] });
  });

  test('of a domain that is an alias are those of the domain it stands for', async () => {
    expect(await find('same.test')).toMatchObject({
      domain: { name: 'same.test', canonicalName: 'one.test' },
      hosts: [{ name: 'mx.one.test', preference: 5 }],
    });
  });

  test.each([
    ['null.test', 'nullmx'],
    ['nowhere.test', 'nxdomain'],
  ])('of %s are none for good: %s', async (domain, dns) => {
    expect(await find(domain)).toMatchObject({ error: { temporary: false, type: 'dns', dns } });
  });

  test.each<[what: string, behave: NonNullable<Parameters<typeof DnsServer.start>[0]>['behave']]>([
    ['SERVFAIL', () => ({ flags: rcode('SERVFAIL'), answers: [] })],
    ['REFUSED', () => ({ flags: rcode('REFUSED'), answers: [] })],
    ['silence', () => 'silence'],
    ['aliases in a circle', ({ name }, zone) => circle(name, zone())],
    ['records of another name', (_query, zone) => ofAnotherName(zone())],
  ])('that cannot be looked up (%s) are a temporary error or the domain itself', async (what, behave) => {
    const { names } = await namesOf(
      { behave: (query, zone) => behave?.(query, zone) },
      what === 'silence' ? 0.2 : 5,
    );
    const found = await findMailHosts('mail.test', search(names));
    // Records that nobody asked for are as good as none.
    if (what === 'records of another name') expect(found).toMatchObject({ hosts: [{ name: 'mail.test' }] });
    else expect(found).toMatchObject({ error: { temporary: true, type: 'dns', dns: 'other' } });
  });

  test('with bytes in their names that are no letters are passed over, and shown escaped', async () => {
    const { names } = await namesOf({
      behave: (_query, zone) => {
        const packet = zone();
        return { ...packet, answers: [{ ...mx('mail.test', 'mx\u0000\u0007.mail.test') }] };
      },
    });
    const found = await findMailHosts('mail.test', search(names));
    expect(found).toMatchObject({ error: { temporary: false, dns: 'nodata' } });
    expect(JSON.stringify(found)).toMatch(/^[\x20-\x7e]+$/);
  });
});

test('a thousand messages for one domain at once ask each question once', async () => {
  const { server, names } = await namesOf();
  const hops = new NextHops({ names: () => names, clock: { nowMs: () => 0 } });
  const transport = makeTransport({ host: undefined });
  const found = await Promise.all(
    Array.from({ length: 1000 }, (_, index) =>
      hops.find(transport, { localPart: 'b', domain: 'both.mail.test' }, {}, { seed: `T${index}`, retry: 0 }),
    ),
  );
  expect(found.every((one) => 'addresses' in one && one.addresses.length === 3)).toBe(true);
  expect([...server.asked].sort()).toEqual(['A both.test', 'AAAA both.test', 'MX both.mail.test']);
});

describe('validated answers', () => {
  test('say so: addresses, mail hosts, and that there are none', async () => {
    const { names } = await namesOf({ authentic: true });
    expect(await names.addresses('alias.test')).toMatchObject({ canonicalName: 'both.test', isSecure: true });
    expect(await names.mailHosts('mail.test')).toMatchObject({ kind: 'hosts', isSecure: true });
    expect(await names.mailHosts('implicit.test')).toMatchObject({ reason: 'nodata', isSecure: true });
  });

  test('of one family only are not enough', async () => {
    const { names } = await namesOf({
      authentic: true,
      behave: ({ type }, zone) => (type === 'AAAA' ? { flags: (zone().flags ?? 0) & ~0x20 } : undefined),
    });
    expect(await names.addresses('both.test')).toMatchObject({ isSecure: false });
  });
});
