import fc from 'fast-check';
import * as ldapts from 'ldapts';
import { describe, expect, test } from 'vitest';
import { BerError, elementLength } from '../../../stdlib/ldap/ber.js';
import { RequestWriter, readMessage, type SearchWish } from '../../../stdlib/ldap/messages.js';

const writer = new RequestWriter(ldapts);
const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');
const wish: SearchWish = {
  base: 'dc=x',
  scope: 'sub',
  filter: '(a=b)',
  attributes: ['cn'],
  timeLimitSeconds: 0,
};

describe('requests', () => {
  test('are written in bytes', () => {
    expect(writer.bind(1, 3, 'cn=\xe4', '\xff').toString('hex')).toBe(
      hex('30 11 02 01 01 60 0c 02 01 03 04 04 63 6e 3d e4 80 01 ff').toString('hex'),
    );
    expect(writer.unbind(2)).toEqual(hex('30 08 02 04 00 00 00 02 42 00'));
    expect(writer.abandon(3, 2)).toEqual(hex('30 0c 02 04 00 00 00 03 50 04 00 00 00 02'));
  });

  test('a search has its filter’s escapes as the bytes they are', () => {
    const bytes = writer.search(1, { ...wish, filter: '(cn=\\c3\\a5\\2a\xff)' })!;
    expect(bytes.includes(Buffer.from([0xa3, 0x0a, 4, 2, 0x63, 0x6e, 4, 4, 0xc3, 0xa5, 0x2a, 0xff]))).toBe(
      true,
    );
  });

  test.each([
    '',
    '(',
    '(a=b',
    '(&(a=b)',
    '(a=\\zz)',
    '((a=b))',
    '(=b)',
    '(a=b)(c=d)',
    '('.repeat(100_000),
    '(!'.repeat(100_000),
  ])('the filter %.20s is refused', (filter) => {
    expect(writer.search(1, { ...wish, filter })).toBeUndefined();
  });

  test.each(['a=b', '(a=*)', '(&(a=b)(|(c=d*e*)(!(f>=1))))', '(cn~=x)', '(cn:caseExactMatch:=x)'])(
    'the filter %s is taken',
    (filter) => {
      expect(writer.search(1, { ...wish, filter })).toBeDefined();
    },
  );
});

describe('responses', () => {
  test('an entry has its values in bytes', () => {
    const bytes = hex('30 1b 02 01 05 64 16 04 04 64633d78 30 0e 30 0c 04 02 636e 31 06 04 01 ff 04 01 61');
    expect(readMessage(bytes)).toEqual({
      id: 5,
      response: { kind: 'entry', entry: { dn: 'dc=x', attributes: [{ name: 'cn', values: ['\xff', 'a'] }] } },
    });
  });

  test('a result has its code and referrals', () => {
    const bytes = hex('30 15 02 01 01 65 10 0a 01 0a 04 00 04 00 a3 07 04 05 6c6461703a');
    expect(readMessage(bytes)).toEqual({
      id: 1,
      response: { kind: 'result', result: { code: 10, referrals: ['ldap:'] } },
    });
  });

  test.each([
    ['an indefinite length', '30 80 02 01 01 00 00'],
    ['a length of five bytes', '30 85 00 00 00 00 01 00'],
    ['an element longer than its parent', '30 05 02 01 01 65 05'],
    ['no operation', '30 03 02 01 01'],
    ['a number without bytes', '30 04 02 00 65 00'],
    ['another tag', '31 05 02 01 01 65 00'],
    ['a result without a code', '30 05 02 01 01 65 00'],
  ])('with %s are refused', (_, text) => {
    expect(() => readMessage(hex(text))).toThrow(BerError);
  });

  test('of any bytes are read or refused, and nothing else', () => {
    const valid = hex('30 1b 02 01 05 64 16 04 04 64633d78 30 0e 30 0c 04 02 636e 31 06 04 01 ff 04 01 61');
    const mutated = fc
      .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 4 })
      .map((changes) => {
        const bytes = Buffer.from(valid);
        for (const [at, byte] of changes) bytes[at] = byte;
        return bytes;
      });
    const noise = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(mutated, noise), (bytes) => {
        try {
          elementLength(bytes);
          readMessage(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(BerError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
