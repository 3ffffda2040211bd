// Domains say what they like: whatever it is, there is an answer, it is bounded, and nothing in it can spoil a log.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chosenBySeed } from '../../../../src/delivery/next-hops/choice.js';
import { findDestination } from '../../../../src/delivery/next-hops/find-destination.js';
import {
  bothFamilies,
  MOST_ADDRESSES,
  MOST_ADDRESSES_OF_HOST,
} from '../../../../src/delivery/next-hops/host-addresses.js';
import { MOST_HOSTS } from '../../../../src/delivery/next-hops/mail-hosts.js';
import type { LookupAnswer, MxAnswer, Names } from '../../../../src/delivery/next-hops/names.js';
import { ownHosts } from '../../../../src/delivery/next-hops/own-hosts.js';
import { fixedNames } from '../../../support/fixed-names.js';

const own = ownHosts(
  'me.test',
  () => [{ address: '0.0.0.0', port: 25 }],
  () => [],
);
const finder = (names: Names) => ({ names, own, choice: chosenBySeed('seed', 3) });

test('ten thousand mail hosts with a thousand addresses each cost ten questions', async () => {
  const mx = Array.from({ length: 10_000 }, (_, index) => `${index % 7} mx${index}.a.test`);
  const ips = Array.from({ length: 1000 }, (_, index) => `192.0.${index >> 8}.${index & 255}`);
  const zone = fixedNames({ 'a.test': { mx } });
  const asked: string[] = [];
  const names: Names = {
    ...zone,
    addresses: async (host) => {
      asked.push(host);
      return { kind: 'addresses', ips };
    },
  };
  const found = await findDestination(
    { port: 25, domain: 'a.test', filter: {}, families: bothFamilies },
    finder(names),
  );
  expect(asked).toHaveLength(MOST_HOSTS);
  if (!('addresses' in found)) throw new Error('nothing was found');
  expect(found.addresses).toHaveLength(MOST_ADDRESSES);
  expect(new Set(found.addresses.map(({ remoteMx }) => remoteMx)).size).toBeGreaterThan(1);
  for (const host of asked) {
    const count = found.addresses.filter(({ remoteMx }) => `${remoteMx}.` === host).length;
    expect(count).toBeLessThanOrEqual(MOST_ADDRESSES_OF_HOST);
  }
});

const anyName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom(
    '',
    '.',
    'me.test',
    'mx.a.test',
    '127.0.0.1',
    '::1',
    '*.a.test',
    'a\0b.test',
    'localhost',
    '[::1]',
  ),
  fc.domain(),
);
const anyIp = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('127.0.0.1', '0.0.0.0', '::', 'x', ''));
const none = fc.record({
  kind: fc.constant('none' as const),
  reason: fc.constantFrom('nxdomain' as const, 'nodata' as const, 'other' as const),
  message: fc.constant('said so'),
});
const anyMx: fc.Arbitrary<MxAnswer> = fc.oneof(
  fc.record({
    kind: fc.constant('hosts' as const),
    hosts: fc.array(fc.record({ name: anyName, preference: fc.nat(65535) }), { maxLength: 40 }),
    isSecure: fc.boolean(),
  }),
  none,
);
const anyAddresses: fc.Arbitrary<LookupAnswer> = fc.oneof(
  fc.record({
    kind: fc.constant('addresses' as const),
    ips: fc.array(anyIp, { maxLength: 40 }),
    isSecure: fc.boolean(),
  }),
  none,
);

test('whatever is said, there is a bounded answer of printable names', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyName,
      anyMx,
      fc.array(anyAddresses, { minLength: 1, maxLength: 5 }),
      fc.record({ ipv4: fc.boolean(), ipv6: fc.boolean() }),
      fc.array(anyName, { maxLength: 3 }),
      fc.boolean(),
      async (domain, mx, answers, families, exclude, isNamed) => {
        let turn = 0;
        const names: Names = {
          mailHosts: async () => mx,
          addresses: async () => answers[turn++ % answers.length]!,
        };
        const where = isNamed ? { host: domain } : { domain };
        const found = await findDestination(
          { port: 25, ...where, filter: { exclude }, families },
          finder(names),
        );
        if ('addresses' in found) {
          expect(found.addresses.length).toBeGreaterThan(0);
          expect(found.addresses.length).toBeLessThanOrEqual(MOST_ADDRESSES);
          if (found.mailDomain !== undefined) {
            for (const { remoteMx, isSecure } of found.addresses) {
              expect(remoteMx).toMatch(/^[a-z0-9._-]{1,253}$/);
              expect(isSecure && mx.kind === 'hosts' ? mx.isSecure : true).toBe(true);
            }
          }
        } else {
          expect(found.error?.message).toMatch(/^[\x20-\x7e]{1,1000}$/);
        }
      },
    ),
    { seed: 20_260, numRuns: 2000 },
  );
});
