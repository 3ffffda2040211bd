import { expect, test } from 'vitest';
import { isWithin, questionName } from '../../../stdlib/dns/names.js';

const label63 = 'a'.repeat(63);
const longest = `${label63}.${label63}.${label63}.${'a'.repeat(61)}`;

test.each([
  ['example.com', 'example.com'],
  ['Example.COM.', 'Example.COM'],
  ['_dmarc.example.com', '_dmarc.example.com'],
  ['.', ''],
  ['two words.example', 'two\\032words.example'],
  // "bücher.example" as UTF-8 bytes
  ['b\xc3\xbccher.example', 'xn--bcher-kva.example'],
  [`${label63}.test`, `${label63}.test`],
  [longest, longest],
  [`${longest}.`, longest],
])('%s is asked for as %s', (given, name) => {
  expect(questionName(given, 'a')).toBe(name);
});

test.each([
  '',
  '..',
  '.example.com',
  'a..example.com',
  'line\nfeed.example',
  'nul\0.example',
  'back\\slash.example',
  `${label63}a.test`,
  `${longest}a`,
  '\xff\xfe.example',
])('%j is no domain name', (given) => {
  expect(questionName(given, 'a')).toBeUndefined();
});

test('an address has its PTR in the reverse zone', () => {
  expect(questionName('192.0.2.1', 'ptr')).toBe('1.2.0.192.in-addr.arpa');
  expect(questionName('192.0.2.1', 'txt')).toBe('192.0.2.1');
});

test('a zone holds itself and what is below', () => {
  expect(isWithin('a.Example.com', 'example.COM')).toBe(true);
  expect(isWithin('example.com', 'example.com')).toBe(true);
  expect(isWithin('badexample.com', 'example.com')).toBe(false);
  expect(isWithin('anything', '')).toBe(true);
});
