import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeMimeWords } from '../../../../stdlib/encodings/mimeword.js';
import { parseAddressList } from '../../../../stdlib/mail/addresses/address-list.js';
import { mailboxToText } from '../../../../stdlib/mail/addresses/mailbox.js';
import { addressWithName, isWritableAddress } from '../../../../stdlib/mail/addresses/write-address-list.js';

const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

test.each([
  ['Bob', 'Bob <b@x>'],
  ["O'Brien & Sons", "O'Brien & Sons <b@x>"],
  ['Last, First', '"Last, First" <b@x>'],
  ['Bob B.', '"Bob B." <b@x>'],
  ['a"b\\c', '"a\\"b\\\\c" <b@x>'],
  ['two  blanks', '"two  blanks" <b@x>'],
  [' edge ', '" edge " <b@x>'],
  [utf8('B\u00f6b'), '=?utf-8?Q?B=C3=B6b?= <b@x>'],
  ['=?utf-8?q?x?=', '=?utf-8?Q?=3D=3Futf-8=3Fq=3Fx=3F=3D?= <b@x>'],
  ['a\r\nBcc: eve@x', '"a Bcc: eve@x" <b@x>'],
  ['\t', 'b@x'],
  ['', 'b@x'],
])('the name %j is written as %s', (name, expected) => {
  expect(addressWithName(name, 'b@x')).toBe(expected);
});

test.each(['b@x', '"john doe"@x', '"a,b"@x', 'b@[192.0.2.7]', 'root', 'a..b@x', 'j\xc3\xb6@x'])(
  '%s can be written',
  (address) => {
    expect(isWritableAddress(address)).toBe(true);
  },
);

test.each([
  '',
  ' ',
  'a b@x',
  'a@x, b@y',
  'a@x>',
  '<a@x>',
  'a@x\r\nBcc: b@y',
  '(c)a@x',
  'a@x@y',
  '@x',
  '@x:a@y',
  'mailto:a@x',
  '"a@x',
  'a@x ',
])('%j cannot be written', (address) => {
  expect(isWritableAddress(address)).toBe(false);
});

test('a local part without a domain keeps its brackets', () => {
  expect(addressWithName('', 'root')).toBe('<root>');
});

const name = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'ab ",;<>@()\\.:=?_[]\''),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 20,
});
const address = fc
  .tuple(
    fc.string({ unit: fc.constantFrom(...'ab. ",;<>@()\\:[]'), minLength: 1, maxLength: 8 }),
    fc.constantFrom('x', 'a.example', '[192.0.2.1]'),
  )
  .map(([localPart, domain]) => mailboxToText({ localPart, domain }));

/** What is left of a name: control characters become one blank, and a reader takes the blanks at its edges away. */
function kept(text: string): string {
  return utf8(text)
    .replace(/[\x00-\x1f\x7f]+/g, ' ')
    .trim();
}

test('a list that is written is read as the same names and addresses', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ name, address }), { maxLength: 5 }), (list) => {
      const text = list.map((item) => addressWithName(utf8(item.name), item.address)).join(', ');
      expect(text).not.toMatch(/[\r\n]/);
      const read = parseAddressList(text)!;
      expect(read.unreadable).toBe(0);
      expect(
        read.addresses.map((one) => ({ name: decodeMimeWords(one.name).trim(), address: one.address })),
      ).toEqual(list.map((item) => ({ name: kept(item.name), address: item.address })));
    }),
    { numRuns: 500 },
  );
});

test('every address that the grammar of envelopes allows can be written', () => {
  fc.assert(
    fc.property(address, (one) => {
      expect(isWritableAddress(one)).toBe(true);
    }),
  );
});
