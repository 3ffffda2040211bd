import { describe, expect, test } from 'vitest';
import { parsePattern } from '../../../../../src/scripting/host/patterns/parse-pattern.js';
import { v8Source } from '../../../../../src/scripting/host/patterns/v8-source.js';

function toV8(source: string, flags = ''): string | undefined {
  const tree = parsePattern(source, flags);
  return tree === undefined ? undefined : v8Source(tree.body);
}

describe('what V8 may run is rewritten to what PCRE2 means', () => {
  test.each([
    ['abc', '', 'abc'],
    ['^a.c$', '', '^a[^\\x0a]c(?=\\x0a?$)'],
    ['^a.c$', 's', '^a[^]c(?=\\x0a?$)'],
    ['a+b*?c??', '', 'a+b*?c??'],
    ['a+b*?', 'U', 'a+?b*'],
    ['(a|b)(?:c|d)', '', '(a|b)(?:c|d)'],
    ['(?<n>a)(?P<m>b)', '', '(a)(b)'],
    ['aB1', 'i', '[Aa][Bb]1'],
    ['[a-c]', 'i', '[A-Ca-c]'],
    ['[^a]', 'i', '[^Aa]'],
    ['\\d\\s', '', '[0-9][\\x09-\\x0d ]'],
    ['[[:alpha:]_]', '', '[A-Z_a-z]'],
    ['a(?i)b|c', '', 'a[Bb]|[Cc]'],
    ['(a(?i)b)c', '', '(a[Bb])c'],
    ['(?i:a)b', '', '[Aa]b'],
    ['a b # c', 'x', 'ab'],
    ['a\\ b[ ]', 'x', 'a b '],
    ['[]a]', '', '[\\x5da]'],
    ['\\/\\.', '', '\\x2f\\x2e'],
    ['a{2,3}b{4}c{5,}', '', 'a{2,3}b{4}c{5,}'],
    ['\\x41\\x{7a}', '', 'Az'],
    ['a(?=b)(?!c)', '', 'a(?=b)(?!c)'],
  ])('%s with "%s"', (source, flags, expected) => {
    expect(toV8(source, flags)?.replaceAll('(?=\\n?$)', '(?=\\x0a?$)')).toBe(expected);
  });
});

describe('what is left to PCRE2', () => {
  test.each([
    'a++',
    'a*+',
    '(?>a)',
    '(a)\\1',
    '(?<n>a)\\k<n>',
    '(?&n)',
    '(?R)',
    '(?1)',
    'a\\Kb',
    '(?<=a)b',
    '(?<!a)b',
    '\\R',
    '\\h',
    '[\\v]',
    '\\X',
    '\\C',
    '\\G',
    '\\pL',
    '\\Qa\\E',
    '\\01',
    '\\cA',
    '\\j',
    '(*ANY)a',
    '(?|a|b)',
    '(?#c)a',
    'a{,3}',
    'a{',
    'a**',
    'a{3,2}',
    'a{0}',
    'a{2000}',
    '[a',
    '(a',
    'a)',
    '[z-a]',
    '[\\d-z]',
    '[[.a.]]',
    '[[:nope:]]',
    '(?=(a))',
    '^*',
    '(?<n>a)(?<n>b)',
    '(?xx)a',
    '(?n)a',
    'a\\',
    '[a\\',
  ])('%s', (source) => {
    expect(parsePattern(source, '')).toBeUndefined();
  });

  test('everything with the flag u', () => {
    expect(parsePattern('a', 'u')).toBeUndefined();
  });
});

test('named groups keep their number and order', () => {
  expect(parsePattern('(a)(?<x>b)(?:c)(?<y>d)', '')).toMatchObject({
    groupCount: 3,
    names: [
      { name: 'x', group: 2 },
      { name: 'y', group: 3 },
    ],
  });
});
