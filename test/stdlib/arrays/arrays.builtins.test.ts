import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HslArray, isSame, ScriptFault, type Value } from '#lang';
import * as plain from '../../../stdlib/arrays/arrays.builtins.js';
import * as withCallbacks from '../../../stdlib/arrays/callbacks.builtins.js';
import { FakeContext, fromValue, keyed, toValue } from '../../support/fake-context.js';

const {
  arrayCombine,
  arrayJoin,
  arrayKeys,
  arrayRandom,
  arrayRange,
  arrayReverse,
  arrayShuffle,
  arrayUnique,
} = plain;
const { arrayEvery, arrayFilter, arrayFind, arrayIncludes, arrayMap, arrayReduce, arraySort } = withCallbacks;

const ctx = (): FakeContext => new FakeContext();

/** What a builtin gives for JavaScript values, as JavaScript. */
function run(builtin: Parameters<FakeContext['call']>[0], ...args: unknown[]): unknown {
  return fromValue(ctx().call(builtin, ...args.map(toValue)));
}

const less = (a: Value, b: Value): boolean => (a as number) < (b as number);

describe('array_combine', () => {
  test('pairs keys and values; a later duplicate overwrites in place', () => {
    expect(run(arrayCombine, ['a', 'b', 'a'], [1, 2, 3])).toEqual(keyed(['a', 3], ['b', 2]));
  });
  test('takes the default for missing values and none for a stored none', () => {
    expect(run(arrayCombine, ['a', 'b', 'c'], [null, 2], 'x')).toEqual(
      keyed(['a', null], ['b', 2], ['c', 'x']),
    );
  });
  test('refuses fewer values than keys without a default', () => {
    expect(() => run(arrayCombine, ['a', 'b'], [1])).toThrow(ScriptFault);
  });
  test('leaves surplus values out', () => {
    expect(run(arrayCombine, ['a'], [1, 2])).toEqual(keyed(['a', 1]));
  });
});

describe('array_range', () => {
  test.each([
    [
      [0, 5],
      [0, 1, 2, 3, 4],
    ],
    [
      [1, 10, 3],
      [1, 4, 7],
    ],
    [[5, 5], []],
    [
      [3, 0, -1],
      [3, 2, 1],
    ],
    [[0, 3, -1], []],
    [[3, 0], []],
    [
      [0, 1, 0.25],
      [0, 0.25, 0.5, 0.75],
    ],
  ])('%j gives %j', (args, expected) => {
    expect(run(arrayRange, ...args)).toEqual(expected);
  });
  test('refuses a step of 0 and more elements than fit', () => {
    expect(() => run(arrayRange, 0, 1, 0)).toThrow('step');
    expect(() => run(arrayRange, 0, 1e9)).toThrow('at most');
    expect(() => run(arrayRange, 0, Number.POSITIVE_INFINITY)).toThrow('at most');
  });
});

describe('order', () => {
  test('array_reverse renumbers numeric keys and keeps string keys', () => {
    expect(run(arrayReverse, [1, 2, 3])).toEqual([3, 2, 1]);
    expect(run(arrayReverse, { a: 1, '7': 2, b: 3 })).toEqual(keyed(['b', 3], ['a', 1], [0, 2]));
  });
  test('array_shuffle keeps all elements', () => {
    const shuffled = new FakeContext({ randoms: [0.1, 0.9, 0.4] }).call(arrayShuffle, toValue([1, 2, 3, 4]));
    expect((fromValue(shuffled) as number[]).sort()).toEqual([1, 2, 3, 4]);
  });
  test('array_random gives a pair, or none for an empty array', () => {
    expect(
      fromValue(new FakeContext({ randoms: [0.99] }).call(arrayRandom, toValue({ a: 1, b: 2 }))),
    ).toEqual(['b', 2]);
    expect(run(arrayRandom, [])).toBe(null);
  });
  test('array_sort keeps keys with their values', () => {
    expect(run(arraySort, less, [30, 10, 20])).toEqual(keyed([1, 10], [2, 20], [0, 30]));
    expect(run(arraySort, less, { x: 2, y: 1 })).toEqual(keyed(['y', 1], ['x', 2]));
    expect(
      run(
        arrayKeys,
        ctx().call(arraySort, toValue(less), toValue({ 3: 'c', 1: 'a' }), toValue({ keys: true })),
      ),
    ).toEqual([1, 3]);
  });
  test('array_sort agrees with a stable sort', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat())), (pairs) => {
        const byFirst = (a: Value, b: Value): boolean => (a as HslArray).get(0)! < (b as HslArray).get(0)!;
        const sorted = ctx().call(arraySort, toValue(byFirst), toValue(pairs)) as HslArray;
        const expected = [...pairs.entries()].sort(([, a], [, b]) => a[0] - b[0]);
        expect([...sorted.keys()]).toEqual(expected.map(([key]) => key));
      }),
    );
  });
});

describe('callbacks', () => {
  const odd = (value: Value): boolean => (value as number) % 2 === 1;

  test('array_filter keeps keys', () => {
    expect(run(arrayFilter, odd, [1, 2, 3])).toEqual(keyed([0, 1], [2, 3]));
  });
  test('array_map keeps keys', () => {
    expect(run(arrayMap, (x: Value) => `${x}!`, { a: 'x', b: 'y' })).toEqual(keyed(['a', 'x!'], ['b', 'y!']));
    expect(run(arrayMap, (x: Value) => (x as number) * 3, [1, 2])).toEqual([3, 6]);
  });
  test('array_every stops at the first element that fails', () => {
    const seen: Value[] = [];
    expect(run(arrayEvery, (x: Value) => seen.push(x) < 2 && true, [1, 2, 3])).toBe(false);
    expect(seen).toEqual([1, 2]);
    expect(run(arrayEvery, () => false, [])).toBe(true);
  });
  test('array_find gives the first element, or none', () => {
    expect(run(arrayFind, odd, [2, 3, 5])).toBe(3);
    expect(run(arrayFind, odd, [2])).toBe(null);
  });
  test('array_includes compares strictly, or asks a function', () => {
    expect(run(arrayIncludes, '1', [1, 2])).toBe(false);
    expect(run(arrayIncludes, [1], [[1]])).toBe(true);
    expect(run(arrayIncludes, odd, [2, 3])).toBe(true);
  });
  test('array_reduce starts with the first element when there is no initial value', () => {
    const sum = (a: Value, b: Value): number => (a as number) + (b as number);
    expect(run(arrayReduce, sum, [1, 2, 3])).toBe(6);
    expect(run(arrayReduce, sum, [1, 2, 3], 10)).toBe(16);
    expect(run(arrayReduce, () => 'called', [7])).toBe(7);
    expect(run(arrayReduce, sum, [], null)).toBe(null);
    expect(() => run(arrayReduce, sum, [])).toThrow('empty');
  });
  test('an array given to a callback is not written to by whoever stores it', () => {
    const inner = toValue([1]) as HslArray;
    ctx().call(
      arrayMap,
      toValue((x: Value) => x),
      HslArray.fromList([inner]),
    );
    expect(inner.shared).toBe(true);
  });
});

describe('array_unique', () => {
  test('compares strictly and keeps first keys', () => {
    expect(run(arrayUnique, ['a', 'b', 'a', 1, '1', true, 1])).toEqual(
      keyed([0, 'a'], [1, 'b'], [3, 1], [4, '1'], [5, true]),
    );
    expect(
      run(arrayUnique, [
        [1, [2]],
        [1, [2]],
        [1, [3]],
      ]),
    ).toEqual(keyed([0, [1, [2]]], [2, [1, [3]]]));
  });
  test('agrees with comparing each with each', () => {
    const element = fc.oneof(
      fc.integer({ min: 0, max: 3 }),
      fc.constantFrom('a', '1', '', true, null),
      fc.array(fc.nat(2), { maxLength: 2 }),
    );
    fc.assert(
      fc.property(fc.array(element), (list) => {
        const values = list.map(toValue);
        const expected = values.flatMap((value, i) =>
          values.slice(0, i).some((other) => isSame(value, other)) ? [] : [i],
        );
        const unique = ctx().call(arrayUnique, HslArray.fromList(values)) as HslArray;
        expect([...unique.keys()]).toEqual(expected);
      }),
    );
  });
});

test('array_join puts elements through string()', () => {
  expect(run(arrayJoin, ['a', 1, 2.5, true, null, [1]], '-')).toBe('a-1-2.5-true-none-[0=>1]');
  expect(run(plain.implode, ',', ['a', 'b'])).toBe('a,b');
});

test('in_array compares loosely', () => {
  expect(run(plain.inArray, '1', [1])).toBe(true);
});
