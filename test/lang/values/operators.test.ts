import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HslArray, HslObject, ScriptFault, toText, type Value } from '#lang';
import {
  add,
  bits,
  concat,
  countable,
  divide,
  invertBits,
  modulo,
  multiply,
  negate,
  power,
  subtract,
} from '../../../lang/values/operators.js';

const free = { charge: () => {} };
const list = (...values: Value[]) => HslArray.fromList(values);
const object = new HslObject({ name: 'Foo' }, new Map(), undefined);

describe('+', () => {
  test.each<[Value, Value, string]>([
    [1, 2, '3'],
    [true, true, '2'],
    ['foo', 'bar', 'foobar'],
    ['n: ', 5, 'n: 5'],
    [7, 'th', '7th'],
    [list(1, 2), list(3), '[0=>1,1=>2,2=>3]'],
    [HslArray.fromRecord({ a: 1, b: 2 }), HslArray.fromRecord({ b: 3, c: 4 }), '["a"=>1,"b"=>3,"c"=>4]'],
    [HslArray.fromEntries([[5, 'x']]), list('y'), '[5=>"x",6=>"y"]'],
    [list('x'), 'y', '[0=>"x",1=>"y"]'],
    [list('x'), null, '[0=>"x",1=>none]'],
  ])('%o + %o', (a, b, expected) => {
    expect(toText(add(a, b, free))).toBe(expected);
  });

  test.each<[Value, Value]>([
    [null, 1],
    [1, null],
    ['a', null],
    ['a', true],
    [1, list(1)],
    [object, 1],
  ])('%o + %o is an exception', (a, b) => {
    expect(() => add(a, b, free)).toThrow(ScriptFault);
  });
});

describe('-', () => {
  test('takes values out of arrays by ===, keeping keys', () => {
    expect(toText(subtract(list('a', 7, 'b'), 7, free))).toBe('[0=>"a",2=>"b"]');
    expect(toText(subtract(list('7', 7), 7, free))).toBe('[0=>"7"]');
    expect(toText(subtract(list('p', 1, 2), list(2, 'p'), free))).toBe('[1=>1]');
    expect(subtract(3, false, free)).toBe(3);
    expect(() => subtract('a', 'b', free)).toThrow('- does not work on string and string');
  });

  test('takes one long list out of another without comparing each with each', () => {
    const numbers = Array.from({ length: 300_000 }, (_, i) => i);
    const odd = subtract(
      HslArray.fromList(numbers),
      HslArray.fromList(numbers.filter((n) => n % 2 === 0)),
      free,
    );
    expect((odd as HslArray).length).toBe(150_000);
  });

  test('compares arrays by their entries, and takes not-a-number away from nothing', () => {
    expect(toText(subtract(list(list(1), list(2)), list(list(2), list(3)), free))).toBe('[0=>[0=>1]]');
    expect(toText(subtract(list(list(1)), list(1), free))).toBe('[0=>[0=>1]]');
    expect(toText(subtract(list(Number.NaN), list(Number.NaN), free))).toBe('[0=>nan]');
  });
});

describe('*', () => {
  test.each<[Value, Value, string]>([
    [6, 7, '42'],
    [true, 5, '5'],
    ['=', 4, '===='],
    [3, 'ab', 'ababab'],
    ['5', 2, '55'],
    ['a', -1, ''],
    ['a', 2.9, 'aa'],
    [list('p', 'q'), 2, '[0=>"p",1=>"q",2=>"p",3=>"q"]'],
    [0, list(1), '[]'],
    [HslArray.fromRecord({ k: 1 }), 2, '[0=>1,1=>1]'],
  ])('%o * %o', (a, b, expected) => {
    expect(toText(multiply(a, b, free))).toBe(expected);
  });

  test('refuses what no string and no array can hold before making it', () => {
    expect(() => multiply('ab', 1e10, free)).toThrow(ScriptFault);
    expect(() => multiply(list(1), 1e10, free)).toThrow(ScriptFault);
    expect(() => multiply('ab', Number.POSITIVE_INFINITY, free)).toThrow(ScriptFault);
    expect(multiply('ab', Number.NaN, free)).toBe('');
  });

  test('asks the meter first', () => {
    const meter = {
      charge: (bytes: number) => {
        if (bytes > 1000) throw new ScriptFault('too much');
      },
    };
    expect(() => multiply('ab', 5000, meter)).toThrow('too much');
    expect(() => multiply(list(1), 5000, meter)).toThrow('too much');
  });
});

describe('/ % **', () => {
  test('are those of doubles, and division by zero is an exception', () => {
    expect(divide(7, 2)).toBe(3.5);
    expect(modulo(-7, 3, free)).toBe(-1);
    expect(modulo(1700000000123, 32, free)).toBe(27);
    expect(modulo(5.5, 2, free)).toBe(1.5);
    expect(power(2, -1)).toBe(0.5);
    expect(negate(true)).toBe(-1);
    expect(() => divide(1, 0)).toThrow('division by zero');
    expect(() => modulo(1, false, free)).toThrow(ScriptFault);
    expect(() => modulo('a', 1, free)).toThrow(ScriptFault);
  });
});

describe('bit operators', () => {
  test('work on 32 bits, shift counts modulo 32', () => {
    expect(bits('|', 0xffffffff, 0)).toBe(-1);
    expect(bits('<<', 1, 31)).toBe(-2147483648);
    expect(bits('<<', 1, 33)).toBe(2);
    expect(bits('>>>', -1, 28)).toBe(15);
    expect(bits('>>', -8, 1)).toBe(-4);
    expect(bits('&', 5.9, true)).toBe(1);
    expect(invertBits(5)).toBe(-6);
    expect(() => bits('&', '5', 3)).toThrow(ScriptFault);
  });
});

describe('.', () => {
  test('joins the texts of all types but none', () => {
    expect(concat(4.0, 7.25, free)).toBe('47.25');
    expect(concat(true, list(1), free)).toBe('true[0=>1]');
    expect(() => concat('a', null, free)).toThrow(ScriptFault);
    expect(() => concat(null, 'a', free)).toThrow(ScriptFault);
  });
});

describe('++ and --', () => {
  test('take numbers and booleans only', () => {
    expect(countable(true)).toBe(1);
    expect(() => countable('1')).toThrow(ScriptFault);
    expect(() => countable(null)).toThrow(ScriptFault);
  });
});

const values: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(null, true, false, '', 'a', '12'),
  fc.double(),
  fc.integer({ min: -5, max: 5 }),
  fc.array(fc.integer(), { maxLength: 3 }).map((items) => HslArray.fromList(items)),
);

test('no operator throws anything but a script fault or writes to an operand', () => {
  const operators = [add, subtract, multiply, divide, modulo, power, concat];
  fc.assert(
    fc.property(values, values, fc.constantFrom(...operators), (a, b, operator) => {
      const before = [toText(a), toText(b)];
      try {
        const result = operator(a, b, free);
        if (result instanceof HslArray) result.append('written');
      } catch (error) {
        expect(error).toBeInstanceOf(ScriptFault);
      }
      expect([toText(a), toText(b)]).toEqual(before);
    }),
  );
});
