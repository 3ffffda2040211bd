import { describe, expect, test } from 'vitest';
import {
  decodeBase64,
  isTagDomain,
  isWithin,
  readTagList,
  withoutSignatureValue,
} from '../../../../stdlib/mail/dkim/signature-tags.js';

describe('a tag list', () => {
  test('gives its tags sorted by name, without the white space around values', () => {
    const tags = readTagList(' v=1; s = sel ;\r\n\td=example.com; bh= ab\r\n cd =;');
    expect([...tags!]).toEqual([
      ['bh', 'abcd='],
      ['d', 'example.com'],
      ['s', 'sel'],
      ['v', '1'],
    ]);
  });
  test('keeps blanks inside other values', () => {
    expect(readTagList('n=a  b\r\n c')?.get('n')).toBe('a  b c');
  });
  test('may have empty values and empty places', () => {
    expect([...readTagList('p=;; ')!]).toEqual([['p', '']]);
  });
  test.each([
    ['a=1; a=2'],
    ['a'],
    ['=1'],
    ['1a=1'],
    ['a=\x00'],
    ['a=1\r\nb=2'],
    ['a-b=1'],
    [`a=${'x'.repeat(70_000)}`],
  ])('%j is none', (text) => {
    expect(readTagList(text)).toBeUndefined();
  });
});

describe('the value of b=', () => {
  test.each([
    ['DKIM-Signature: a=1; b=abc', 'DKIM-Signature: a=1; b='],
    ['DKIM-Signature: b=abc; a=1', 'DKIM-Signature: b=; a=1'],
    ['DKIM-Signature: bh=x;\r\n\tb = a\r\n\tb= ; a=b=c', 'DKIM-Signature: bh=x;\r\n\tb =; a=b=c'],
    ['DKIM-Signature: bh=x', 'DKIM-Signature: bh=x'],
    ['DKIM-Signature:b=', 'DKIM-Signature:b='],
  ])('is taken out of %j', (field, expected) => {
    expect(withoutSignatureValue(field)).toBe(expected);
  });
});

test('base64 is read strictly', () => {
  expect(decodeBase64('aGk=')?.toString()).toBe('hi');
  for (const bad of ['', 'a b', '====', 'a-b_', 'aGk===']) expect(decodeBase64(bad)).toBeUndefined();
});

test('domains that can be asked for are told from others', () => {
  for (const good of ['example.com', 'a', '_x.b-c.d', 'bl\xc3\xa5.se']) expect(isTagDomain(good)).toBe(true);
  for (const bad of ['', '.', 'a..b', 'a.', '.a', 'a b', 'a;b', 'a\r\nb', 'x'.repeat(254)])
    expect(isTagDomain(bad)).toBe(false);
});

test('a subdomain lies within its domain', () => {
  expect(isWithin('A.example.com', 'example.COM')).toBe(true);
  expect(isWithin('example.com', 'example.com')).toBe(true);
  expect(isWithin('badexample.com', 'example.com')).toBe(false);
  expect(isWithin('com', 'example.com')).toBe(false);
});
