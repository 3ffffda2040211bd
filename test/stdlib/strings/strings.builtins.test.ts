import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ScriptFault } from '#lang';
import * as declarations from '../../../stdlib/strings/strings.builtins.js';
import { FakeContext, fromValue, toValue } from '../../support/fake-context.js';

function run(builtin: Parameters<FakeContext['call']>[0], ...args: unknown[]): unknown {
  return fromValue(new FakeContext().call(builtin, ...args.map(toValue)));
}

const {
  strFind,
  strRfind,
  strSplit,
  strSlice,
  strReplace,
  strRepeat,
  strChunk,
  strStrip,
  strLower,
  strUpper,
  chr,
  ord,
} = declarations;

/** Any bytes. */
const bytes = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((n) => String.fromCharCode(n)) });

describe('searching', () => {
  test.each([
    [['halon', 'lo'], 2],
    [['halon', 'x'], -1],
    [['abcabc', 'b', 2], 4],
    [['ab', 'abc'], -1],
    [['abc', '', 9], -1],
    [['abcabc', 'b', -2], 4],
  ])('str_find(%j) is %j', (args, expected) => {
    expect(run(strFind, ...args)).toBe(expected);
  });
  test.each([
    [['abcabc', 'b'], 4],
    [['abcabc', 'z'], -1],
    [['abcabc', 'b', 3], 1],
    [['abc', 'abc', 1], -1],
  ])('str_rfind(%j) is %j', (args, expected) => {
    expect(run(strRfind, ...args)).toBe(expected);
  });
});

describe('str_split', () => {
  test.each([
    [
      ['a,b,,c', ','],
      ['a', 'b', '', 'c'],
    ],
    [
      ['one two three', ' ', 2],
      ['one', 'two three'],
    ],
    [
      ['one two three', ' ', -2],
      ['one two', 'three'],
    ],
    [['one two three', ' ', 1], ['one two three']],
    [['one two three', ' ', -1], ['one two three']],
    [
      ['one two', ' ', 5],
      ['one', 'two'],
    ],
    [['plain', ';'], ['plain']],
    [
      [',x,', ','],
      ['', 'x', ''],
    ],
    [
      ['abc', ''],
      ['a', 'b', 'c'],
    ],
    [['', ','], ['']],
  ])('%j gives %j', (args, expected) => {
    expect(run(strSplit, ...args)).toEqual(expected);
  });
  test('joining the parts gives the text back, whatever the limit', () => {
    fc.assert(
      fc.property(
        bytes,
        fc.constantFrom(',', 'ab', ' '),
        fc.integer({ min: -4, max: 4 }),
        (text, delimiter, limit) => {
          const parts = run(strSplit, text, delimiter, limit) as string[];
          expect(parts.join(delimiter)).toBe(text);
          if (limit !== 0) expect(parts.length).toBeLessThanOrEqual(Math.abs(limit));
        },
      ),
    );
  });
  test('explode has the delimiter first', () => {
    expect(run(declarations.explode, ',', 'a,b,c', 2)).toEqual(['a', 'b,c']);
  });
});

describe('cutting', () => {
  test.each([
    [['halon mta', 6], 'mta'],
    [['halon mta', 2, 4], 'lon '],
    [['abc', 1, 99], 'bc'],
    [['abc', -2], 'bc'],
    [['abc', -9, 2], 'ab'],
    [['abc', 9], ''],
    [['abc', 1, 0], ''],
    [['abcd', 1, -1], 'bc'],
  ])('str_slice(%j) is %j', (args, expected) => {
    expect(run(strSlice, ...args)).toBe(expected);
  });
  test('str_chunk cuts into pieces, the first of its own length', () => {
    expect(run(strChunk, 'abcdefgh', 3)).toEqual(['abc', 'def', 'gh']);
    expect(run(strChunk, 'abcdefgh', 3, 1)).toEqual(['a', 'bcd', 'efg', 'h']);
    expect(run(strChunk, '', 3)).toEqual([]);
    expect(() => run(strChunk, 'abc', 0)).toThrow(ScriptFault);
  });
  test('stripping takes the named bytes off the ends only', () => {
    expect(run(strStrip, ' \t x y \r\n')).toBe('x y');
    expect(run(strStrip, '--a-b--', '-')).toBe('a-b');
    expect(run(declarations.strLstrip, '  x  ')).toBe('x  ');
    expect(run(declarations.strRstrip, '  x  ')).toBe('  x');
    expect(run(strStrip, '    ')).toBe('');
  });
});

describe('str_replace', () => {
  test.each([
    [['l', 'LL', 'hello all'], 'heLLLLo aLLLL'],
    [['aa', 'a', 'aaaa'], 'aa'],
    [['', 'x', 'abc'], 'abc'],
    [['a', '$&$1$$', 'ba'], 'b$&$1$$'],
  ])('%j is %j', (args, expected) => {
    expect(run(strReplace, ...args)).toBe(expected);
  });
  test('refuses a result that is too long', () => {
    expect(() => run(strReplace, 'a', 'x'.repeat(2 ** 20), 'a'.repeat(1024))).toThrow('at most');
  });
});

describe('bytes', () => {
  test('str_repeat truncates and never fails for small counts', () => {
    expect(run(strRepeat, 'ab', 3)).toBe('ababab');
    expect(run(strRepeat, 'ab', 2.9)).toBe('abab');
    expect(run(strRepeat, 'ab', -1)).toBe('');
    expect(run(strRepeat, '', 1e300)).toBe('');
    expect(() => run(strRepeat, 'ab', 1e12)).toThrow('at most');
    expect(() => run(strRepeat, 'ab', Number.POSITIVE_INFINITY)).toThrow('at most');
  });
  test('chr and ord are a pair on bytes', () => {
    for (let byte = 0; byte < 256; byte++) expect(run(ord, run(chr, byte))).toBe(byte);
    expect(run(chr, -1)).toBe('\xff');
    expect(run(chr, 321)).toBe('A');
    expect(() => run(ord, '')).toThrow(ScriptFault);
  });
  test('letter case changes US-ASCII only', () => {
    expect(run(strLower, 'MIXED\xc3\x85B')).toBe('mixed\xc3\x85b');
    expect(run(strUpper, 'stra\xdfe \xe5\xff')).toBe('STRA\xdfE \xe5\xff');
  });
});
