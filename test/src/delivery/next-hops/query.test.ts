import { expect, test } from 'vitest';
import { createResolver, type ResolverSettings } from '#stdlib';
import { nobody } from '../../../../src/delivery/next-hops/own-hosts.js';
import { type HopQuery, queryNextHop } from '../../../../src/delivery/next-hops/query.js';
import { resolverNames } from '../../../../src/delivery/next-hops/resolver-names.js';

const hosts: NonNullable<ResolverSettings['hosts']> = {
  'b.test': { mx: ['10 mx1.b.test', '10 mx2.b.test', '20 mx3.b.test'], secure: true },
  'mx1.b.test': { a: ['192.0.2.1'], secure: true },
  'mx2.b.test': { a: ['192.0.2.2'], secure: true },
  'mx3.b.test': { a: ['192.0.2.3'], secure: true },
  '_25._tcp.mx3.b.test': { tlsa: [`3 1 1 ${'ab'.repeat(32)}`], secure: true },
  'xn--bcher-kva.test': { a: ['192.0.2.9'] },
  'null.test': { mx: ['0 .'] },
};

async function ask(query: Partial<HopQuery>) {
  const resolver = createResolver({ servers: ['127.0.0.1:1'], retries: 0, hosts, hostsFile: undefined });
  const world = { names: resolverNames(resolver), resolver, own: nobody };
  return queryNextHop({ host: 'b.test', seed: 'T', retry: 0, ...query }, world);
}

async function hostAt(retry: number, seed = 'T'): Promise<string> {
  const answer = await ask({ retry, seed });
  return answer.kind === 'found' ? answer.chosen.remoteMx : answer.error.message;
}

test('the same seed and retry come to the same host, a higher retry to the next one', async () => {
  const hops = await Promise.all([0, 1, 2, 3].map((retry) => hostAt(retry)));
  expect(hops.slice(0, 2).sort()).toEqual(['mx1.b.test', 'mx2.b.test']);
  expect(hops[2]).toBe('mx3.b.test');
  expect(hops[3]).toBe(hops[0]);
  expect(await hostAt(0)).toBe(hops[0]);
});

test('seeds are spread over equal hosts', async () => {
  const seeds = Array.from({ length: 40 }, (_, index) => `seed ${index}`);
  const first = await Promise.all(seeds.map((seed) => hostAt(0, seed)));
  expect(new Set(first)).toEqual(new Set(['mx1.b.test', 'mx2.b.test']));
});

test('what DNS says of the host goes with it', async () => {
  expect(await ask({ retry: 2 })).toMatchObject({
    kind: 'found',
    chosen: { ip: '192.0.2.3', remoteMx: 'mx3.b.test', preference: 20, isSecure: true },
    tlsa: { kind: 'records', records: [{ usage: 3, selector: 1, matchingType: 1 }] },
    mailDomain: { name: 'b.test', isSecure: true },
  });
});

test('a domain of any letters may be asked about, and what takes no mail says so', async () => {
  expect(await ask({ host: 'bücher.test' })).toMatchObject({ chosen: { ip: '192.0.2.9', isSecure: false } });
  expect(await ask({ host: 'null.test' })).toMatchObject({ kind: 'none', error: { dns: 'nullmx' } });
});
