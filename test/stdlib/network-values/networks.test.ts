import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import { networkIncludes } from '../../../stdlib/network-values/networks.js';

test.each([
  ['10.0.0.1', '10.0.0.1', true],
  ['10.0.0.1', '10.0.0.2', false],
  ['10.0.0.0/8', '10.255.255.255', true],
  ['10.9.9.9/8', '10.0.0.0', true],
  ['10.0.0.0/8', '11.0.0.0', false],
  ['0.0.0.0/0', '255.255.255.255', true],
  ['192.0.2.128/25', '192.0.2.127', false],
  ['192.0.2.128/31', '192.0.2.129', true],
  ['192.0.2.7/32', '192.0.2.7', true],
  ['10.0.0.250-10.0.1.5', '10.0.1.0', true],
  ['10.0.0.250-10.0.1.5', '10.0.0.249', false],
  ['10.0.0.250-10.0.1.5', '10.0.1.5', true],
  ['2001:db8::/32', '2001:db8:ffff::1', true],
  ['2001:db8::/33', '2001:db8:8000::', false],
  ['::1-::ff', '::80', true],
  ['::/0', '1.2.3.4', false],
  ['0.0.0.0/0', '::1', false],
  ['1.2.3.0/24', '::ffff:1.2.3.4', false],
  ['::ffff:1.2.3.0/120', '::ffff:1.2.3.4', true],
  ['::ffff:0:0/96', '1.2.3.4', false],
] as const)('%s and %s: %s', (network, address, expected) => {
  expect(networkIncludes(network, address)).toBe(expected);
});

describe('what is no network gives nothing', () => {
  test.each([
    '',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8.0',
    '10.0.0.0/ 8',
    '10.0.0.0/0x8',
    '10.0.0.0/255.0.0.0',
    '::/129',
    '10.0.0/8',
    '10.0.0.9-10.0.0.1',
    '10.0.0.1-',
    '-10.0.0.1',
    '10.0.0.1-::1',
    '10.0.0.1-10.0.0.2-10.0.0.3',
    '10.0.0.1,10.0.0.2',
    'localhost',
  ])('%j', (network) => {
    expect(networkIncludes(network, '10.0.0.1')).toBeUndefined();
  });

  test('nor does what is no address', () => {
    expect(networkIncludes('10.0.0.0/8', '10.0.0')).toBeUndefined();
    expect(networkIncludes('10.0.0.0/8', '10.0.0.1/32')).toBeUndefined();
  });
});

const address = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);

test('a prefix includes what ipaddr.js says', () => {
  fc.assert(
    fc.property(address, address, fc.nat(128), fc.nat(16), (base, other, wished, kept) => {
      // Else two random addresses would hardly ever share a prefix.
      const near = Uint8Array.from(base, (byte, index) => (index < kept ? byte : (other[index] ?? 0)));
      const network = ipaddr.fromByteArray([...base]);
      const candidate = ipaddr.fromByteArray([...near]);
      const bits = Math.min(wished, base.length * 8);
      expect(networkIncludes(`${network.toString()}/${bits}`, candidate.toString())).toBe(
        candidate.match([network, bits] as never),
      );
    }),
  );
});

test('a range includes what lies between its ends', () => {
  const number = fc.integer({ min: 0, max: 0xffffffff });
  const quad = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
  fc.assert(
    fc.property(number, number, number, (a, b, c) => {
      const [first, last] = [Math.min(a, b), Math.max(a, b)];
      expect(networkIncludes(`${quad(first)}-${quad(last)}`, quad(c))).toBe(c >= first && c <= last);
    }),
  );
});
