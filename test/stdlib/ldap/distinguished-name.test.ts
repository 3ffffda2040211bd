import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDistinguishedName, parseDistinguishedName } from '../../../stdlib/ldap/distinguished-name.js';

test.each([
  ['', []],
  ['dc=example', [['dc', 'example']]],
  [
    'UID=jsmith,DC=example,DC=net',
    [
      ['UID', 'jsmith'],
      ['DC', 'example'],
      ['DC', 'net'],
    ],
  ],
  [
    'OU=Sales+CN=J.  Smith,DC=net',
    [
      ['OU', 'Sales', 'CN', 'J.  Smith'],
      ['DC', 'net'],
    ],
  ],
  ['CN=James \\"Jim\\" Smith\\, III', [['CN', 'James "Jim" Smith, III']]],
  ['CN=Before\\0dAfter', [['CN', 'Before\rAfter']]],
  ['1.3.6.1.4.1.1466.0=#04024869', [['1.3.6.1.4.1.1466.0', 'Hi']]],
  ['CN=Lu\\C4\\8Di\\C4\\87', [['CN', 'Lu\xc4\x8di\xc4\x87']]],
  [
    ' cn = a b \\  , dc= x ',
    [
      ['cn', 'a b  '],
      ['dc', 'x'],
    ],
  ],
  ['cn=\\ a\\ ', [['cn', ' a ']]],
  [
    'cn=,dc=x',
    [
      ['cn', ''],
      ['dc', 'x'],
    ],
  ],
  ['cn=a=b', [['cn', 'a=b']]],
  [
    'cn=a;dc=x',
    [
      ['cn', 'a'],
      ['dc', 'x'],
    ],
  ],
])('"%s" is %o', (text, parts) => {
  expect(parseDistinguishedName(text)).toEqual(parts);
});

test.each([
  'example',
  '=x',
  'cn=a,',
  ',cn=a',
  'cn=a,,dc=x',
  'cn=a+',
  'cn=a"b"',
  'cn=a\\',
  'cn=a\\g',
  'cn=<x>',
  'cn=#04',
  'cn=#0402',
  'cn=#30020400',
  '1..2=x',
  'c_n=x',
])('"%s" is no distinguished name', (text) => {
  expect(parseDistinguishedName(text)).toBeUndefined();
});

const type = fc.oneof(
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/),
  fc.stringMatching(/^[0-9]{1,3}(\.[0-9]{1,3}){0,3}$/),
);
const value = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const special = fc.string({
  unit: fc.constantFrom(' ', '#', '\\', ',', '+', '"', '\0', 'a', '4', 'f'),
  maxLength: 8,
});
const part = fc
  .array(fc.tuple(type, fc.oneof(value, special)), { minLength: 1, maxLength: 3 })
  .map((pairs) => pairs.flat());

test('what was put together comes apart again, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
      const text = formatDistinguishedName(parts);
      expect(parseDistinguishedName(text!)).toEqual(parts);
    }),
  );
});

test('a name that is no attribute cannot be put together', () => {
  expect(formatDistinguishedName([['a b', 'x']])).toBeUndefined();
  expect(formatDistinguishedName([['cn']])).toBeUndefined();
  expect(formatDistinguishedName([['cn=x,dc', 'y']])).toBeUndefined();
  expect(formatDistinguishedName([[' cn', 'y']])).toBeUndefined();
});
