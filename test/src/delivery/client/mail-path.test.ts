import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addMailDsnParameters,
  addRcptDsnParameters,
  writeParameters,
} from '../../../../src/delivery/client/mail-path.js';

const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

function rcpt(orcpt: string): string {
  const parameters = new Map<string, string>();
  addRcptDsnParameters(parameters, { orcpt });
  return writeParameters(parameters).trim();
}

function mail(envid: string): string {
  const parameters = new Map<string, string>();
  addMailDsnParameters(parameters, { envid });
  return writeParameters(parameters).trim();
}

describe('ORCPT', () => {
  test.each([
    ['rfc822;a@b.test', 'ORCPT=rfc822;a@b.test'],
    ['RFC822;A+b=c@B.test', 'ORCPT=RFC822;A+2Bb+3Dc@B.test'],
    ['x400;/c=de/', 'ORCPT=x400;/c+3Dde/'],
    ['a@b.test', 'ORCPT=rfc822;a@b.test'],
    ['rfc822;"a;b" c@d.test', 'ORCPT=rfc822;"a;b"+20c@d.test'],
    ['', ''],
    ['rfc822;', ''],
  ])('%j is said as %j', (orcpt, said) => {
    expect(rcpt(orcpt)).toBe(said);
  });

  test.each([
    [utf8('utf-8;grün@bücher.test'), 'ORCPT=utf-8;gr\\x{FC}n@b\\x{FC}cher.test'],
    ['utf-8;gr\\x{FC}n@b\\x{fc}cher.test', 'ORCPT=utf-8;gr\\x{FC}n@b\\x{fc}cher.test'],
    [utf8('UTF-8;\\x{FC}ü'), 'ORCPT=utf-8;\\x{FC}\\x{FC}'],
    ['utf-8;a+b=c\\d e@f.test', 'ORCPT=utf-8;a\\x{2B}b\\x{3D}c\\x{5C}d\\x{20}e@f.test'],
    [utf8('utf-8;👍@b.test'), 'ORCPT=utf-8;\\x{1F44D}@b.test'],
    [utf8('rfc822;ü@b.test'), 'ORCPT=utf-8;\\x{FC}@b.test'],
    [utf8('ü@b.test'), 'ORCPT=utf-8;\\x{FC}@b.test'],
    ['rfc822;\xfc@b.test', 'ORCPT=rfc822;+FC@b.test'],
  ])('beyond ASCII %j is said in the form that any peer may be given: %j (RFC 6533)', (orcpt, said) => {
    expect(rcpt(orcpt)).toBe(said);
  });

  test('that no peer has to take is not said (RFC 3461 §4.2)', () => {
    expect(rcpt(`rfc822;${'x'.repeat(493)}`)).toHaveLength(506);
    expect(rcpt(`rfc822;${'x'.repeat(494)}`)).toBe('');
    expect(rcpt(`rfc822;${'+'.repeat(165)}`)).toBe('');
    for (const no of ['rfc822;a\r\nb@c.test', 'rfc822;a\x00@b.test', 'utf-8;\x7f@b.test'])
      expect(rcpt(no)).toBe('');
  });
});

describe('ENVID', () => {
  test('is said in xtext, up to the length that a peer has to take (RFC 3461 §4.4)', () => {
    expect(mail('QQ 314+159=x')).toBe('ENVID=QQ+20314+2B159+3Dx');
    expect(mail('x'.repeat(100))).toHaveLength(106);
    expect(mail('x'.repeat(101))).toBe('');
    expect(mail(' '.repeat(34))).toBe('');
    for (const no of ['a\nb', 'a\tb', 'a\x7f', utf8('ü')]) expect(mail(no)).toBe('');
  });
});

test('whatever is in them, nothing else is said', () => {
  const text = fc
    .array(
      fc.oneof(
        fc.constantFrom('\r\n', '\n', ' ', ';', '+', '=', '\\', '\\x{', '}', 'rfc822;', 'utf-8;', 'RSET'),
        fc.string({ unit: 'binary', maxLength: 10 }).map(utf8),
        fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      ),
      { maxLength: 12 },
    )
    .map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(text, (one) => {
      expect(rcpt(one)).toMatch(
        /^(?:ORCPT=[A-Za-z0-9-]+;(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})+)?$/,
      );
      expect(mail(one)).toMatch(/^(?:ENVID=(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})+)?$/);
    }),
    { numRuns: 2000, seed: 3461 },
  );
});
