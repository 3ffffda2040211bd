import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addressBytes,
  addressText,
  isLoopback,
  reversedLabels,
  reverseName,
  withoutMapping,
} from '../../../stdlib/dns/addresses.js';

test.each([
  ['192.0.2.1', [192, 0, 2, 1]],
  ['::', new Array(16).fill(0)],
  ['::1', [...new Array(15).fill(0), 1]],
  ['2001:db8::1', [32, 1, 13, 184, ...new Array(11).fill(0), 1]],
  ['::ffff:192.0.2.1', [...new Array(10).fill(0), 255, 255, 192, 0, 2, 1]],
  ['fe80::1%eth0', [254, 128, ...new Array(13).fill(0), 1]],
  ['example.com', undefined],
  ['192.0.2', undefined],
  ['', undefined],
])('the bytes of %s', (text, bytes) => {
  expect(addressBytes(text)).toEqual(bytes);
});

test.each([
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['1:0:0:0:0:0:0:0', '1::'],
])('%s is written %s (RFC 5952)', (text, short) => {
  expect(addressText(addressBytes(text)!)).toBe(short);
});

test('text and bytes of any address agree', () => {
  const bytes = fc.oneof(
    fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 }),
    fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })), { minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(bytes, (address) => {
      const text = addressText(address);
      expect(isIP(text)).toBe(address.length === 4 ? 4 : 6);
      expect(addressBytes(text)).toEqual(address);
    }),
  );
});

test('reverse zones are asked with the last part first', () => {
  expect(reverseName(addressBytes('192.0.2.1')!)).toBe('1.2.0.192.in-addr.arpa');
  expect(reversedLabels(addressBytes('2001:db8::1')!)).toBe(
    '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2',
  );
  expect(reverseName(addressBytes('::1')!)).toMatch(/^1\.0\..*\.ip6\.arpa$/);
});

test('a mapped IPv4 address is the address inside', () => {
  expect(withoutMapping(addressBytes('::ffff:192.0.2.1')!)).toEqual([192, 0, 2, 1]);
  expect(withoutMapping(addressBytes('2001:db8::1')!)).toHaveLength(16);
});

test.each([
  ['127.0.0.53', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['128.0.0.1', false],
  ['::2', false],
])('%s is loopback: %s', (text, isIt) => {
  expect(isLoopback(addressBytes(text)!)).toBe(isIt);
});
