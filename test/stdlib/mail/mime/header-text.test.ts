import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseHeaderSection } from '../../../../stdlib/mail/mime/header-section.js';
import {
  charsetOf,
  decodeValue,
  encodeField,
  rawField,
  unfold,
} from '../../../../stdlib/mail/mime/header-text.js';

const utf8 = (text: string) => Buffer.from(text).toString('latin1');
const text = (bytes: Buffer) => bytes.toString('latin1');

describe('a field that is written', () => {
  test('stays as it is when it is short ASCII', () => {
    expect(text(encodeField('Subject', 'hello world'))).toBe('Subject: hello world\r\n');
  });

  test('is folded before blanks, each line within 78', () => {
    const value = Array.from({ length: 40 }, (_, index) => `word${index}`).join(' ');
    const field = text(encodeField('Subject', value));
    for (const line of field.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
    expect(unfold(field.slice('Subject:'.length))).toBe(value);
  });

  test('has encoded words where it is not ASCII, and reads back the same', () => {
    const value = utf8('Hej där, schöne Grüße, これは長い件名です。'.repeat(3));
    const field = text(encodeField('Subject', value));
    expect(field).toMatch(/^[\x20-\x7e\r\n\t]*$/);
    for (const line of field.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
    expect(decodeValue(unfold(field.slice('Subject:'.length)), undefined)).toBe(value);
  });

  test.each([
    ['Subject', 'y'.repeat(1200), 'y'.repeat(1200)],
    ['From', `"${'y'.repeat(1200)}" <a@b.test>`, `${'y'.repeat(1200)} <a@b.test>`],
    ['To', `a@b.test, ${'y'.repeat(1200)} <c@d.test>`, `a@b.test, ${'y'.repeat(1200)} <c@d.test>`],
  ])('of %s has no line that is too long for mail', (name, value, read) => {
    const field = text(encodeField(name, value));
    for (const line of field.split('\r\n')) expect(line.length).toBeLessThanOrEqual(998);
    expect(decodeValue(unfold(field.slice(name.length + 1)), undefined)).toBe(read);
  });

  test('never ends early, whatever its value holds', () => {
    const piece = fc.constantFrom(
      '\r',
      '\n',
      '\r\n',
      ' ',
      '\t',
      'a',
      'Bcc: x',
      '\x00',
      '\xe5',
      '=?',
      '\r\n\r\n',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 15 }), (pieces) => {
        for (const field of [encodeField('X', pieces.join('')), rawField('X', pieces.join(''))]) {
          const { fields, isClosed, end } = parseHeaderSection(field);
          expect(fields).toHaveLength(1);
          expect(isClosed).toBe(false);
          expect(end).toBe(field.length);
          expect(text(field).endsWith('\r\n')).toBe(true);
        }
      }),
    );
  });

  test('raw keeps its folding, with line ends made CR LF', () => {
    expect(text(rawField('DKIM-Signature', 'a=b;\n\tc=d\r\n e=f\r\n'))).toBe(
      'DKIM-Signature: a=b;\r\n\tc=d\r\n e=f\r\n',
    );
    expect(text(rawField('X', 'a\nb'))).toBe('X: a\r\n b\r\n');
  });
});

describe('a value that is read', () => {
  test('has its encoded words decoded', () => {
    expect(decodeValue('=?utf-8?Q?B=C3=B6b?= <b@x>', undefined)).toBe(utf8('Böb <b@x>'));
    expect(decodeValue('=?iso-8859-1?B?SGVqIGTkcg==?=', undefined)).toBe(utf8('Hej där'));
  });

  test("with raw 8-bit text is read by the part's charset, else as UTF-8 if it is, else as windows-1252", () => {
    expect(decodeValue('\xc4\xd5', 'koi8-r')).toBe(utf8('ду'));
    expect(decodeValue(utf8('ä'), 'iso-8859-1')).toBe(utf8('Ã¤'));
    expect(decodeValue(utf8('där'), undefined)).toBe(utf8('där'));
    expect(decodeValue(utf8('där'), 'us-ascii')).toBe(utf8('där'));
    expect(decodeValue('d\xe4r', undefined)).toBe(utf8('där'));
    expect(decodeValue('d\xe4r', 'utf-8')).toBe(utf8('där'));
    expect(decodeValue('d\xe4r', 'no-such-charset')).toBe(utf8('där'));
  });
});

test('the charset parameter is found with and without quotes', () => {
  expect(charsetOf(' text/plain; charset="koi8-r"')).toBe('koi8-r');
  expect(charsetOf('text/plain; format=flowed; CHARSET = utf-8')).toBe('utf-8');
  expect(charsetOf('text/plain')).toBeUndefined();
});
