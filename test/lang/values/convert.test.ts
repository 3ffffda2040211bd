import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  HslArray,
  HslFunction,
  HslObject,
  HslResource,
  numberToText,
  toBoolean,
  toNumber,
  toText,
  type Value,
} from '#lang';

const someFunction = new HslFunction(undefined, 'f', undefined, undefined);
const someObject = new HslObject({ name: 'Foo' }, new Map(), undefined);
const someResource = new HslResource('Regex', undefined);

describe('string()', () => {
  test.each<[Value, string]>([
    [9, '9'],
    [2.5, '2.5'],
    [0.1, '0.1'],
    [-0, '0'],
    [1e20, '100000000000000000000'],
    [2 ** 53 - 1, '9007199254740991'],
    [Number.NaN, 'nan'],
    [Number.POSITIVE_INFINITY, 'inf'],
    [Number.NEGATIVE_INFINITY, '-inf'],
    [true, 'true'],
    [false, 'false'],
    [null, 'none'],
    ['text', 'text'],
    [HslArray.empty(), '[]'],
    [HslArray.fromList(['a', 1.5, true, null]), '[0=>"a",1=>1.5,2=>true,3=>none]'],
    [HslArray.fromRecord({ k: HslArray.fromList([1]) }), '["k"=>[0=>1]]'],
    [HslArray.fromList(['a"b\\c\n\r\t\x01\xff']), '[0=>"a\\"b\\\\c\\n\\r\\t\\x01\xff"]'],
    [someFunction, 'function'],
    [someObject, 'object(Foo)'],
    [someResource, 'resource(Regex)'],
  ])('of %o is %s', (value, text) => {
    expect(toText(value)).toBe(text);
  });

  test('of a number reads back as the same number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(toNumber(numberToText(number))).toBe(number + 0);
      }),
    );
  });
});

describe('number()', () => {
  test.each<[Value, number]>([
    ['42', 42],
    [' 42\n', 42],
    ['-1.5', -1.5],
    ['+7', 7],
    ['0x1f', 31],
    ['-0xFF', -255],
    ['1e3', 1000],
    ['12abc', 0],
    ['', 0],
    ['1_000', 0],
    ['0o7', 0],
    ['0b1', 0],
    ['inf', 0],
    ['Infinity', 0],
    ['nan', 0],
    ['5.', 0],
    ['\xa05', 0],
    [true, 1],
    [false, 0],
    [null, 0],
    [HslArray.fromList([1]), 0],
    [someObject, 0],
  ])('of %o is %d', (value, number) => {
    expect(toNumber(value)).toBe(number);
  });
});

describe('truth', () => {
  test.each<[Value, boolean]>([
    [null, false],
    [0, false],
    [-0, false],
    [Number.NaN, true],
    [0.1, true],
    ['', false],
    ['0', true],
    ['false', true],
    [HslArray.empty(), false],
    [HslArray.fromList([null]), true],
    [someFunction, true],
    [someObject, true],
    [someResource, true],
  ])('of %o is %s', (value, truth) => {
    expect(toBoolean(value)).toBe(truth);
  });
});
