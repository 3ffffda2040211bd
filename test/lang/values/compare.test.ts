import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  HslArray,
  HslFunction,
  HslObject,
  HslResource,
  isEqual,
  isLess,
  isSame,
  ScriptFault,
  share,
  type Value,
} from '#lang';
import { isLessOrEqual } from '../../../lang/values/compare.js';

const f = new HslFunction(undefined, 'f', undefined, undefined);
const o = new HslObject({ name: 'Foo' }, new Map(), undefined);
const r = new HslResource('Regex', undefined);
const list = (...values: Value[]) => HslArray.fromList(values);

describe('==', () => {
  test.each<[Value, Value, boolean]>([
    [null, null, true],
    [null, false, false],
    [null, 0, false],
    [null, '', false],
    [null, list(), false],
    [5, true, false],
    [1, true, true],
    [0, false, true],
    [5, '5', true],
    [255, '0xff', true],
    [0, 'abc', true],
    [5, '6', false],
    ['1', '01', false],
    ['', false, true],
    ['x', true, true],
    [list(), false, true],
    [list(0), true, true],
    [1, list(0), true],
    [2, list(0), false],
    [0, list(), true],
    ['a', list('a'), false],
    [list(1, 2), list(1, 2), true],
    [HslArray.fromRecord({ a: 1, b: 2 }), HslArray.fromRecord({ b: 2, a: 1 }), false],
    [o, true, true],
    [o, 1, true],
    [o, 2, false],
    [o, 'object(Foo)', false],
    [o, list(), false],
    [o, o, true],
    [o, f, false],
    [f, f, true],
    [r, r, true],
    [r, o, false],
    [Number.NaN, Number.NaN, false],
  ])('%o == %o is %s', (a, b, expected) => {
    expect(isEqual(a, b)).toBe(expected);
    expect(isEqual(b, a)).toBe(expected);
  });
});

describe('===', () => {
  test.each<[Value, Value, boolean]>([
    [5, 5.0, true],
    [5, '5', false],
    [1, true, false],
    [null, false, false],
    [0, -0, true],
    [Number.NaN, Number.NaN, false],
    [list(1, list('a')), list(1, list('a')), true],
    [list(1), list('1'), false],
    [HslArray.fromEntries([[0, 'a']]), list('a'), true],
    [o, new HslObject({ name: 'Foo' }, new Map(), undefined), false],
  ])('%o === %o is %s', (a, b, expected) => {
    expect(isSame(a, b)).toBe(expected);
    expect(isSame(b, a)).toBe(expected);
  });

  const values: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<Value>(null, true, false),
      fc.integer(),
      fc.string(),
      fc.array(tie('value')).map((items) => HslArray.fromList(items)),
    ),
  })).value;

  test('holds between a value and a copy of it, and then so does ==', () => {
    fc.assert(
      fc.property(values, (value) => {
        const copy = value instanceof HslArray ? value.clone() : value;
        expect(isSame(value, copy)).toBe(true);
        expect(isEqual(value, copy)).toBe(true);
      }),
    );
  });
});

test('arrays with few parts in a great many places are compared part by part', () => {
  const grown = (rounds: number, width: number): HslArray => {
    let array = list('x');
    for (let i = 0; i < rounds; i++) array = HslArray.fromList(Array(width).fill(share(array)));
    return array;
  };
  expect(isSame(grown(60, 2), grown(60, 2))).toBe(true);
  expect(isSame(grown(9, 10), grown(9, 10))).toBe(true);
  expect(isSame(HslArray.fromList([grown(9, 10), 1]), HslArray.fromList([grown(9, 10), 2]))).toBe(false);
});

describe('the order', () => {
  test('of numbers is theirs, of strings bytewise, of mixed operands by number', () => {
    expect(isLess(1, 2)).toBe(true);
    expect(isLess('10', '9')).toBe(true);
    expect(isLess('10', 9)).toBe(false);
    expect(isLess('a\xff', 'b')).toBe(true);
    expect(isLess(false, true)).toBe(true);
    expect(isLessOrEqual('2', 2)).toBe(true);
  });

  test('has no place for none: every comparison with it is false', () => {
    for (const other of [null, 0, 1, '', 'x', true]) {
      expect(isLess(null, other)).toBe(false);
      expect(isLess(other, null)).toBe(false);
      expect(isLessOrEqual(null, other)).toBe(false);
    }
  });

  test('of anything else is an exception', () => {
    expect(() => isLess(list(), 1)).toThrow(ScriptFault);
    expect(() => isLess(1, o)).toThrow(ScriptFault);
    expect(() => isLess(null, f)).toThrow(ScriptFault);
  });
});
