import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HslArray, ScriptFault, toText, type Value } from '#lang';
import { slice, splice, withoutSlice } from '../../../lang/values/slices.js';

const free = { charge: () => {} };
const list = (...values: Value[]) => HslArray.fromList(values);

describe('a slice', () => {
  test.each<[string, Value, Value, Value, string]>([
    ['mailbox', null, null, null, 'mailbox'],
    ['mailbox', 1, 4, null, 'ail'],
    ['mailbox', -3, null, null, 'box'],
    ['mailbox', -6, -3, null, 'ail'],
    ['mailbox', null, null, -1, 'xobliam'],
    ['mailbox', 4, 1, -2, 'bi'],
    ['queue', 3, 99, null, 'ue'],
    ['queue', 9, null, null, ''],
    ['abcdef', null, null, 3, 'ad'],
    ['abc', '1', true, null, ''],
    ['abc', 0.9, 2.9, null, 'ab'],
  ])('of %s [%o:%o:%o]', (text, first, last, step, expected) => {
    expect(slice(text, first, last, step, free)).toBe(expected);
    expect((slice(list(...text), first, last, step, free) as HslArray).toList().join('')).toBe(expected);
  });

  test('goes by position and renumbers', () => {
    const array = HslArray.fromEntries([
      [5, 'a'],
      ['k', 'b'],
      [9, 'c'],
    ]);
    expect(toText(slice(array, 1, null, null, free))).toBe('[0=>"b",1=>"c"]');
  });

  test('of none is none; of other types, or with step 0, an exception', () => {
    expect(slice(null, 1, 2, null, free)).toBeNull();
    expect(() => slice(5, 1, 2, null, free)).toThrow(ScriptFault);
    expect(() => slice('abc', null, null, 0, free)).toThrow(ScriptFault);
  });

  test('is never out of range', () => {
    const bound = fc.option(fc.integer({ min: -12, max: 12 }));
    fc.assert(
      fc.property(
        fc.string({ maxLength: 8 }),
        bound,
        bound,
        fc.option(fc.integer({ min: -3, max: 3 }).filter((n) => n !== 0)),
        (text, first, last, step) => {
          const result = slice(text, first, last, step, free) as string;
          for (const character of result) expect(text).toContain(character);
          expect(result.length).toBeLessThanOrEqual(text.length);
          const array = slice(list(...text.split('')), first, last, step, free) as HslArray;
          expect(array.toList().join('')).toBe(result);
        },
      ),
    );
  });
});

describe('an assigned slice', () => {
  test('replaces, deletes or inserts, and renumbers', () => {
    expect(toText(splice(list('a', 'x', 'd'), 1, 2, null, list('b', 'c'), free))).toBe(
      '[0=>"a",1=>"b",2=>"c",3=>"d"]',
    );
    expect(toText(splice(list(1, 2, 3, 4), 1, 3, null, list(), free))).toBe('[0=>1,1=>4]');
    expect(toText(splice(list(1, 4), 1, 1, null, list('a'), free))).toBe('[0=>1,1=>"a",2=>4]');
    expect(toText(splice(undefined, null, null, null, list(1), free))).toBe('[0=>1]');
  });

  test('takes arrays only, and no step', () => {
    expect(() => splice('text', 0, 1, null, list(), free)).toThrow(ScriptFault);
    expect(() => splice(list(1), 0, 1, null, 'x', free)).toThrow(ScriptFault);
    expect(() => splice(list(1), 0, 1, 2, list(), free)).toThrow(ScriptFault);
  });
});

test('a slice that is unset leaves the other keys alone', () => {
  const { rest, removed } = withoutSlice(list('a', 'b', 'c', 'd'), 1, 3, null, free);
  expect(toText(rest as Value)).toBe('[0=>"a",3=>"d"]');
  expect(removed).toBe(true);
  expect(withoutSlice(list('a'), 3, 9, null, free).removed).toBe(false);
  expect(withoutSlice(undefined, 0, 1, null, free)).toEqual({ rest: undefined, removed: false });
});
