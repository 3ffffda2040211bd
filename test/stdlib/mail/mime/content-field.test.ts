import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parameterText } from '../../../../stdlib/mail/mime/builder.js';
import { parameterOf, parseContentField } from '../../../../stdlib/mail/mime/content-field.js';

const utf8 = (text: string) => Buffer.from(text).toString('latin1');
const parameter = (raw: string, name: string) => parameterOf(parseContentField(raw), name);

test('the value is in lower case, without comments and blanks', () => {
  expect(parseContentField(' Text/HTML ; x=y').value).toBe('text/html');
  expect(parseContentField(' (a (b)) text/(c)plain').value).toBe('text/plain');
  expect(parseContentField(' "text/plain"').value).toBe('text/plain');
  expect(parseContentField('').value).toBe('');
});

test('parameters are found in any form that senders use', () => {
  expect(parameter('a/b; Name = "x y" ; z=1', 'name')).toBe('x y');
  expect(parameter('a/b; name=x y; z=1', 'NAME')).toBe('x y');
  expect(parameter('a/b; name="q\\"u\\\\ote"; z=1', 'name')).toBe('q"u\\ote');
  expect(parameter('a/b; name="never closed; z=1', 'name')).toBe('never closed; z=1');
  expect(parameter('a/b; name="x" dirt; z=1', 'z')).toBe('1');
  expect(parameter('a/b;;; z=1;', 'z')).toBe('1');
  expect(parameter('a/b; name', 'name')).toBe('');
  expect(parameter('a/b; name=1; name=2', 'name')).toBe('1');
  expect(parameter('a/b;\r\n\tname=x', 'name')).toBe('x');
  expect(parameter('a/b', 'name')).toBeUndefined();
});

test('a parameter may say its character set and come in sections (RFC 2231)', () => {
  expect(parameter("a/b; n*=utf-8'de'gr%C3%BC%C3%9Fe", 'n')).toBe(utf8('grüße'));
  expect(parameter("a/b; n*=iso-8859-1''gr%FC%DFe", 'n')).toBe(utf8('grüße'));
  expect(parameter('a/b; n*1*=%C3%9Fe; n*0*=utf-8\'\'gr%C3%BC; n*2="%41"', 'n')).toBe(utf8('grüße%41'));
  expect(parameter('a/b; n*0=a; n*2=c; n*1=b', 'n')).toBe('abc');
  expect(parameter('a/b; n*0=a; n*2=c', 'n')).toBe('a');
  expect(parameter("a/b; n=plain; n*=utf-8''better", 'n')).toBe('better');
  expect(parameter('a/b; n*=no-quotes%41', 'n')).toBe('no-quotesA');
  expect(parameter("a/b; n*=x-none''%E5", 'n')).toBe('\xe5');
});

test('a parameter that is written reads back the same, whatever it is', () => {
  const name = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 80 }),
    fc.constantFrom('a"b\\c', '\r\nX: 1', ' ', 'x'.repeat(200), 'ü'.repeat(100), '%41', "'", ';', '\x00'),
  );
  fc.assert(
    fc.property(name, (text) => {
      const written = `attachment${parameterText('filename', utf8(text))}`;
      for (const line of written.split('\r\n\t')) {
        expect(line).toMatch(/^[\x20-\x7e]*$/);
        expect(line.length).toBeLessThanOrEqual(140);
      }
      expect(parameter(written, 'filename')).toBe(utf8(text));
    }),
  );
});
