import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { textToBytes } from '#lang';
import { decodeBase32, encodeBase32 } from '../../../stdlib/encodings/base32.js';
import {
  decodeBase64,
  decodeBase64Url,
  encodeBase64,
  encodeBase64Url,
} from '../../../stdlib/encodings/base64.js';
import { domainFromAscii, domainToAscii } from '../../../stdlib/encodings/idna.js';
import { decodeMimeWords, encodeMimeWords } from '../../../stdlib/encodings/mimeword.js';
import { decodeUrl, decodeXtext, encodeUrl, encodeXtext } from '../../../stdlib/encodings/percent.js';
import { cpuSeconds } from '../../support/cpu-time.js';

/** Any bytes. */
const bytes = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((n) => String.fromCharCode(n)),
  maxLength: 200,
});

describe('what is encoded decodes to itself', () => {
  test.each([
    ['base64', encodeBase64, decodeBase64],
    ['base64url', encodeBase64Url, decodeBase64Url],
    ['base32', encodeBase32, decodeBase32],
    ['url', encodeUrl, decodeUrl],
    ['xtext', encodeXtext, decodeXtext],
  ] as const)('%s', (_, encode, decode) => {
    fc.assert(
      fc.property(bytes, (text) => {
        const encoded = encode(text);
        expect(encoded).toMatch(/^[\x21-\x7e]*$/);
        expect(decode(encoded)).toBe(text);
      }),
    );
  });
  test('mimewords, in words of at most 75 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 120 }), (text) => {
        const utf8 = textToBytes(text);
        const encoded = encodeMimeWords(utf8);
        expect(encoded).toMatch(/^[\x20-\x7e]*$/);
        if (encoded !== utf8)
          for (const word of encoded.split(' ')) expect(word.length).toBeLessThanOrEqual(75);
        expect(decodeMimeWords(encoded)).toBe(utf8);
      }),
    );
  });
});

describe('base64', () => {
  test.each([
    ['', ''],
    ['Zg==', 'f'],
    ['Zg', 'f'],
    ['Zm9v\r\n YmFy', 'foobar'],
    ['//79/A==', '\xff\xfe\xfd\xfc'],
    ['Zg=', undefined],
    ['Z', undefined],
    ['Zg==Zg==', undefined],
    ['Zm9v!', undefined],
    ['-__-', undefined],
    ['====', undefined],
  ])('%j decodes to %j', (text, expected) => {
    expect(decodeBase64(text)).toBe(expected);
  });
  test('for URLs there is no padding', () => {
    expect(encodeBase64Url('\xfb\xff\xfe')).toBe('-__-');
    expect(encodeBase64Url('f')).toBe('Zg');
    expect(decodeBase64Url('Zg==')).toBe('f');
    expect(decodeBase64Url('+//+')).toBe(undefined);
  });
});

describe('base32', () => {
  test.each([
    ['', ''],
    ['f', 'MY======'],
    ['fo', 'MZXQ===='],
    ['foo', 'MZXW6==='],
    ['foob', 'MZXW6YQ='],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI======'],
  ])('of %j is %j (RFC 4648 §10)', (text, expected) => {
    expect(encodeBase32(text)).toBe(expected);
  });
  test.each(['M', 'MZX', 'MZXW6Y', 'MZXQ=', 'MZXQ1', '========'])('%j is none', (text) => {
    expect(decodeBase32(text)).toBe(undefined);
  });
  test('is read in lower case and without padding', () => {
    expect(decodeBase32('mzxw6ytboi')).toBe('foobar');
  });
});

describe('percent encodings', () => {
  test('keep what they need not change and read broken marks as they are', () => {
    expect(encodeUrl('Az09-._~ \xc3/')).toBe('Az09-._~%20%C3%2F');
    expect(decodeUrl('a%20b%2bc+d%4')).toBe('a b+c+d%4');
    expect(encodeXtext('user+tag@example.com=x y')).toBe('user+2Btag@example.com+3Dx+20y');
    expect(decodeXtext('a+2Bb+3Dc+2')).toBe('a+b=c+2');
  });
});

describe('domain names', () => {
  test.each([
    ['straße.example', 'xn--strae-oqa.example'],
    ['BÜCHER.Example', 'xn--bcher-kva.example'],
    ['Mail.Example.COM', 'mail.example.com'],
    ['_dmarc.example.com.', '_dmarc.example.com.'],
    ['1.2.3', '1.2.3'],
    ['１２', '12'],
    ['例え。テスト', 'xn--r8jz45g.xn--zckzah'],
    ['', ''],
    ['a..b', undefined],
    ['.a', undefined],
    ['.', undefined],
    [`${'a'.repeat(64)}.example`, undefined],
    [`${'ü'.repeat(60)}.example`, undefined],
    ['\u0130 x', undefined],
  ])('%j in ASCII is %j', (domain, expected) => {
    expect(domainToAscii(textToBytes(domain))).toBe(expected);
  });
  test.each([
    ['xn--strae-oqa.example', 'straße.example'],
    ['XN--BCHER-KVA.Example', 'bücher.example'],
    ['mail.example', 'mail.example'],
    ['xn--zz!!.example', undefined],
  ])('%j in Unicode is %j', (domain, expected) => {
    expect(domainFromAscii(domain)).toBe(expected === undefined ? undefined : textToBytes(expected));
  });
});

describe('mimewords', () => {
  test.each([
    ['=?utf-8?Q?Hej_d=C3=A4r?=', 'Hej där'],
    ['=?utf-8?B?SGVqIGTDpHI=?=', 'Hej där'],
    ['=?iso-8859-1?Q?sm=F6rg=E5s?=', 'smörgås'],
    ['=?ISO-8859-1*sv?q?=f6?=', 'ö'],
    ['=?UTF-8?q?=e2=82=ac_5?=', '€ 5'],
    ['=?utf-8?Q?abc?= =?utf-8?Q?def?=', 'abcdef'],
    ['=?utf-8?Q?abc?=\r\n =?iso-8859-1?Q?=e5?=', 'abcå'],
    ['=?utf-8?Q?a?= b =?utf-8?Q?c?=', 'a b c'],
    ['Re: =?utf-8?Q?f=C3=B6o?= bar', 'Re: föo bar'],
    ['=?windows-1251?B?z/Do4uXy?=', 'Привет'],
    ['=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=', '日本'],
    ['=?gb2312?B?1tDOxA==?=', '中文'],
    ['=?utf-8?Q??=', ''],
    // Cut in the middle of a character, as many senders do.
    ['=?utf-8?B?w6Q=?= =?utf-8?Q?=C3?= =?utf-8?Q?=B6?=', 'äö'],
    ['=?unknown?Q?a?= =?utf-8?Q?b?=', '=?unknown?Q?a?= b'],
    ['=?hex?Q?6161?=', '=?hex?Q?6161?='],
    ['=?utf-8?B?!!?=', '=?utf-8?B?!!?='],
    ['=?utf-8?Q?=4?=', '=?utf-8?Q?=4?='],
    ['=?utf-8?X?a?=', '=?utf-8?X?a?='],
    ['plain =? text ?=', 'plain =? text ?='],
  ])('%j is %j', (field, expected) => {
    expect(decodeMimeWords(field)).toBe(textToBytes(expected));
  });
  test('printable ASCII stays unless it could be taken for a word', () => {
    expect(encodeMimeWords('plain, "text"')).toBe('plain, "text"');
    expect(encodeMimeWords('=?utf-8?Q?a?=')).toBe('=?utf-8?Q?=3D=3Futf-8=3FQ=3Fa=3F=3D?=');
  });
  test('words are never cut inside a character', () => {
    for (const word of encodeMimeWords(textToBytes('€'.repeat(40))).split(' ')) {
      expect(word).toMatch(/^=\?utf-8\?Q\?(?:=E2=82=AC)+\?=$/);
    }
  });
  test('long garbage is read in linear time', async () => {
    const field = '=?a?q?'.repeat(100_000);
    expect(await cpuSeconds(() => expect(decodeMimeWords(field)).toBe(field))).toBeLessThan(2);
  });
});
