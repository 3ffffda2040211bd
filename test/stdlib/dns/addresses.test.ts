import { expect, test } from 'vitest';
import { addressBytes, isLoopback, reverseName, withoutMapping } from '../../../stdlib/dns/addresses.js';

test.each([
  ['192.0.2.1', '\xc0\x00\x02\x01'],
  ['::1', `${'\0'.repeat(15)}\x01`],
  ['fe80::1%eth0', `\xfe\x80${'\0'.repeat(13)}\x01`],
  ['example.com', undefined],
])('the bytes of %s', (text, bytes) => {
  expect(addressBytes(text)).toBe(bytes);
});

test('reverse zones are asked with the last part first', () => {
  expect(reverseName(addressBytes('192.0.2.1')!)).toBe('1.2.0.192.in-addr.arpa');
  expect(reverseName(addressBytes('::1')!)).toBe(`1.${'0.'.repeat(31)}ip6.arpa`);
});

test('a mapped IPv4 address is the address inside', () => {
  expect(withoutMapping(addressBytes('::ffff:192.0.2.1')!)).toBe('\xc0\x00\x02\x01');
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
