import { describe, expect, test } from 'vitest';
import type { HslArray, Value } from '#lang';
import {
  pcreCompile,
  pcreMatch,
  pcreMatchAll,
  pcreQuote,
  pcreReplace,
} from '../../../stdlib/regex/patterns.builtins.js';
import { parseReplacement } from '../../../stdlib/regex/replacement.js';
import { FakeContext, fromValue, keyed, toValue } from '../../support/fake-context.js';

function run(builtin: Parameters<FakeContext['call']>[0], ...args: unknown[]): unknown {
  return fromValue(new FakeContext().call(builtin, ...args.map(toValue)));
}

describe('pcre_match', () => {
  test('gives whole match and groups, an empty array without match', () => {
    expect(run(pcreMatch, '/(\\w+)@(\\w+)/', 'joe@host x')).toEqual(['joe@host', 'joe', 'host']);
    expect(run(pcreMatch, '/^x/', 'abc')).toEqual([]);
  });
  test('gives "" for groups that took no part, also at the end', () => {
    expect(run(pcreMatch, '(a)|(b)(c)?', 'b')).toEqual(['b', '', 'b', '']);
  });
  test('gives named groups under name and number', () => {
    expect(run(pcreMatch, '(?<user>\\w+)@(\\w+)', 'joe@box')).toEqual(
      keyed([0, 'joe@box'], ['user', 'joe'], [1, 'joe'], [2, 'box']),
    );
  });
  test('takes compiled patterns', () => {
    const ctx = new FakeContext();
    expect(fromValue(ctx.call(pcreMatch, ctx.call(pcreCompile, '/V(\\d)/i'), 'v7'))).toEqual(['v7', '7']);
  });
  test('refuses a bad pattern with a sentence', () => {
    expect(() => run(pcreMatch, '(', 'x')).toThrow('pcre_match');
  });
});

describe('pcre_match_all', () => {
  test('groups by group', () => {
    expect(run(pcreMatchAll, '(\\w)=(\\d)', 'a=1 b=2')).toEqual([
      ['a=1', 'b=2'],
      ['a', 'b'],
      ['1', '2'],
    ]);
    expect(run(pcreMatchAll, 'z', 'abc')).toEqual([]);
  });
  test('goes on behind empty matches', () => {
    expect(run(pcreMatchAll, 'x*', 'axb')).toEqual([['', 'x', '', '']]);
  });
  test('lists under name and number are not the same array', () => {
    const result = new FakeContext().call(pcreMatchAll, '(?<n>a)', 'aa') as HslArray;
    expect(result.get('n')).not.toBe(result.get(1));
  });
});

describe('pcre_replace', () => {
  test.each([
    [['(\\d+)', '<$0>', 'a1b22'], 'a<1>b<22>'],
    [['(\\w+) (\\w+)', '$2 $1', 'hello world'], 'world hello'],
    [['o', '0', 'foo boo', 2], 'f00 boo'],
    [['o', '0', 'foo', 0], 'f00'],
    [['x*', '-', 'ab'], '-a-b-'],
    [['(a)', '${1}1$2$', 'ba'], 'ba1$'],
    [['q', 'x', 'abc'], 'abc'],
  ])('%j is %j', (args, expected) => {
    expect(run(pcreReplace, ...args)).toBe(expected);
  });
  test('calls a function with the match array', () => {
    const upper = (match: Value): string => `<${(match as HslArray).get(1)}>`;
    expect(run(pcreReplace, '\\b([a-z])', upper, 'hello big')).toBe('<h>ello <b>ig');
  });
});

test('a replacement reference takes two digits when there are so many groups', () => {
  expect(parseReplacement('$12', 12)).toEqual(['', 12, '']);
  expect(parseReplacement('$12', 3)).toEqual(['', 1, '2']);
});

test('a quoted text matches itself and nothing else', () => {
  const text = 'a.b*c[d]$ (x)|{y}^ -/#\\';
  expect(run(pcreMatch, `^${run(pcreQuote, text)}$`, text)).toEqual([text]);
  expect(run(pcreMatch, run(pcreQuote, '1.2'), '1x2')).toEqual([]);
});
