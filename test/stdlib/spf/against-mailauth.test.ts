// Well-formed policies of all kinds, judged by mailauth and by us. Left out is what mailauth is known to do otherwise: ptr,
// %{p}, %{d} in included records (it means the sender's domain there), mistakes behind a match, hosts of one address
// family (it asks for both and counts neither as void).

import { spf as mailauthSpf } from 'mailauth/lib/spf/index.js';
import { expect, test } from 'vitest';
import type { DnsAnswer, DnsRecord, Resolver } from '../../../stdlib/dns/resolver.js';
import { checkSpf } from '../../../stdlib/spf/check-spf.js';
import { SeededRandom } from '../../fuzz/random.js';

type Records = readonly DnsRecord[];
type GeneratedZone = Map<string, Records>;

const ttlSeconds = 60;
const clients = [
  '192.0.2.4',
  '192.0.2.77',
  '198.51.100.9',
  '2001:db8::4',
  '2001:db8:1::9',
  '::ffff:192.0.2.4',
];
const networks = [
  '192.0.2.0/24',
  '192.0.2.4',
  '198.51.100.8/29',
  '203.0.113.0/25',
  '0.0.0.0/0',
  '192.0.2.64/26',
];
const networks6 = ['2001:db8::/48', '2001:db8::4', '2001:db8:1::/64', '2001:db9::/33'];
const hosts = ['h0.test', 'h1.test', 'h2.test', 'h3.test', 'void.test'];
const mailDomains = ['m0.test', 'm1.test', 'h0.test', 'void.test'];

function address(random: SeededRandom, name: string): Records {
  if (name === 'void.test') return [];
  return [
    {
      type: 'a',
      ttlSeconds,
      address: random.pick(['192.0.2.4', '192.0.2.80', '198.51.100.1', '203.0.113.7']),
    },
    { type: 'aaaa', ttlSeconds, address: random.pick(['2001:db8::4', '2001:db8:1::1', '2001:db9::1']) },
  ];
}

function mechanism(random: SeededRandom, depth: number): string {
  const prefixes = () => random.pick(['', '', '/24', '/0', '/28', '//64', '/24//48', '//0', '/32//128']);
  const macro = () =>
    random.pick(['%{i}', '%{ir}', '%{l}', '%{s}', '%{o2}', '%{l1r-}', '%{h}', '%{v}', '%{o1r}', '%{L}']);
  const kinds = [
    () => `ip4:${random.pick(networks)}`,
    () => `ip6:${random.pick(networks6)}`,
    () => `a:${random.pick(hosts)}${prefixes()}`,
    () => `mx:${random.pick(mailDomains)}${prefixes()}`,
    () => `exists:${macro()}.ok.test`,
    () => `exists:${macro()}.${macro()}.ok.test`,
    () => `include:p${depth}${random.below(3)}.test`,
  ];
  return `${random.pick(['', '', '+', '-', '~', '?'])}${random.pick(kinds)()}`;
}

function policy(random: SeededRandom, depth: number): string {
  const terms = Array.from({ length: random.below(5) }, () => mechanism(random, depth + 1));
  const end = random.below(4);
  if (end < 2) terms.push(`${random.pick(['-', '~', '?', ''])}all`);
  else if (end === 2) terms.push(`redirect=p${depth + 1}${random.below(3)}.test`);
  if (random.chance(0.1)) terms.push('x-unknown=value');
  return ['v=spf1', ...terms].join(' ');
}

function generateZone(random: SeededRandom): GeneratedZone {
  const zone: GeneratedZone = new Map();
  const text = (content: string): Records => [{ type: 'txt', ttlSeconds, text: content }];
  for (const name of hosts) zone.set(name, address(random, name));
  for (const name of mailDomains.filter((one) => one.startsWith('m'))) {
    const names = hosts.slice(0, 1 + random.below(4));
    zone.set(
      name,
      names.map((hostname, index) => ({ type: 'mx', ttlSeconds, preference: index, hostname })),
    );
  }
  zone.set('p00.test', text(policy(random, 0)));
  for (let depth = 1; depth < 6; depth++)
    for (let index = 0; index < 3; index++)
      if (random.chance(0.93)) zone.set(`p${depth}${index}.test`, text(policy(random, depth)));
  for (const label of ['192.0.2.4', 'user', '4.2.0.192', 'client.test', 'user.p00.test'])
    if (random.chance(0.4)) zone.set(`${label}.ok.test`, [{ type: 'a', ttlSeconds, address: '127.0.0.2' }]);
  return zone;
}

function resolverOf(zone: GeneratedZone): Resolver {
  return {
    query: ({ name, type }): DnsAnswer => {
      const records = zone.get(name.toLowerCase())?.filter((record) => record.type === type);
      if (records === undefined) return { kind: 'failure', error: 'NXDOMAIN', isSecure: false };
      if (records.length === 0) return { kind: 'failure', error: 'NODATA', isSecure: false };
      return { kind: 'records', records, canonicalName: name, isSecure: false };
    },
    close: () => {},
  };
}

/** The same zone, as mailauth asks for it: node:dns/promises. */
function nodeResolverOf(zone: GeneratedZone) {
  return async (name: string, type: string): Promise<string[]> => {
    const records = zone.get(name.toLowerCase())?.filter((record) => record.type === type.toLowerCase());
    if (records === undefined || records.length === 0)
      throw Object.assign(new Error('nothing there'), {
        code: records === undefined ? 'ENOTFOUND' : 'ENODATA',
      });
    const answers = records.map((record) => {
      if ('address' in record) return record.address;
      if (record.type === 'txt') return [record.text];
      return record.type === 'mx' ? { exchange: record.hostname, priority: record.preference } : '';
    });
    // Its types know of texts only.
    return answers as string[];
  };
}

test('policies without mistakes mean to us what they mean to mailauth', async () => {
  const random = new SeededRandom(7208);
  const results = new Map<string, number>();
  for (let count = 0; count < 1500; count++) {
    const zone = generateZone(random);
    const request = { ip: random.pick(clients), helo: 'client.test', sender: 'user@p00.test' };
    const ours = await checkSpf(request, resolverOf(zone));
    const theirs = await mailauthSpf({ ...request, mta: 'mx.test', resolver: nodeResolverOf(zone) });
    const shown = [...zone].flatMap(([name, records]) =>
      records.map((record) => `${name}: ${'text' in record ? record.text : JSON.stringify(record)}`),
    );
    expect(
      `${ours.result}`,
      `${JSON.stringify(request)} ${ours.problem ?? ours.mechanism}\n${shown.join('\n')}`,
    ).toBe(theirs.status.result);
    results.set(ours.result, (results.get(ours.result) ?? 0) + 1);
  }
  for (const result of ['pass', 'fail', 'softfail', 'neutral', 'permerror'])
    expect(results.get(result), result).toBeGreaterThan(30);
}, 60_000);
