import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HslArray, stringToKey, toKey, type Value } from '#lang';
import { DICTIONARY, LIST, MAX_RECORD_KEYS, shapeOf } from '../../../lang/values/shape.js';

// The model: entries in order of insertion, keys compared strictly.
class Model {
  entries: [Value, Value][] = [];

  set(key: Value, value: Value): void {
    const found = this.entries.find(([known]) => known === toKey(key));
    if (found === undefined) this.entries.push([toKey(key), value]);
    else found[1] = value;
  }

  append(value: Value): void {
    const highest = Math.max(-1, ...this.entries.map(([key]) => (typeof key === 'number' ? key : -1)));
    this.set(highest + 1, value);
  }

  delete(key: Value): boolean {
    const before = this.entries.length;
    this.entries = this.entries.filter(([known]) => known !== toKey(key));
    return this.entries.length < before;
  }
}

const keys = fc.oneof(
  fc.integer({ min: -2, max: 6 }),
  fc.constantFrom('a', 'b', 'c', '1', '01', '-3', 'long name'),
  fc.constantFrom<Value>(true, false, 2.7),
);
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('set' as const), key: keys, value: fc.integer() }),
    fc.record({ kind: fc.constant('append' as const), value: fc.integer() }),
    fc.record({ kind: fc.constant('delete' as const), key: keys }),
  ),
  { maxLength: 30 },
);
type Step = ReturnType<typeof steps.generate>['value_'][number];

function apply(array: HslArray | Model, step: Step): unknown {
  if (step.kind === 'set') return array.set(step.key, step.value);
  return step.kind === 'append' ? array.append(step.value) : array.delete(step.key);
}

describe('arrays', () => {
  test('behave like a list of entries whatever is done to them', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const array = HslArray.empty();
        const model = new Model();
        for (const step of list) {
          expect(apply(array, step)).toBe(apply(model, step));
          expect([...array.entries()]).toEqual(model.entries);
          expect([...array.keys()]).toEqual(model.entries.map(([key]) => key));
          expect(array.toList()).toEqual(model.entries.map(([, value]) => value));
          expect(array.length).toBe(model.entries.length);
          expect(array.isList).toBe(model.entries.every(([key], index) => key === index));
          for (const [key, value] of model.entries) expect(array.get(key)).toBe(value);
        }
      }),
    );
  });

  test('are not touched by what is done to a clone', () => {
    fc.assert(
      fc.property(steps, steps, (before, after) => {
        const array = HslArray.empty();
        for (const step of before) apply(array, step);
        const kept = [...array.entries()];
        const copy = array.clone();
        for (const step of after) apply(copy, step);
        expect([...array.entries()]).toEqual(kept);
      }),
    );
  });

  test('mark their nested arrays when they are cloned', () => {
    for (const outer of [
      HslArray.fromList([HslArray.empty()]),
      HslArray.fromRecord({ a: HslArray.empty() }),
      HslArray.fromEntries([[7, HslArray.empty()]]),
    ]) {
      const copy = outer.clone();
      expect((copy.toList()[0] as HslArray).shared).toBe(true);
      expect(copy.shared).toBe(false);
    }
  });

  test('with the same string keys in the same order have one shape', () => {
    // As a program's: there is room for it, whatever data has done in this process.
    shapeOf(['x', 'y', 'z']);
    const a = HslArray.fromRecord({ x: 1, y: 2 });
    const b = HslArray.fromEntries([
      ['x', 'other'],
      ['y', null],
    ]);
    expect(a.shape).toBe(b.shape);
    expect(a.shape).toBe(shapeOf(['x', 'y']));
    b.set('z', 1);
    expect(b.shape).not.toBe(a.shape);
    b.delete('z');
    expect(b.shape).toBe(a.shape);
  });

  test('become dictionaries when a record grows too large, loses a key from its middle or gets an integer key', () => {
    const large = HslArray.empty();
    for (let i = 0; i <= MAX_RECORD_KEYS; i++) large.set(`k${i}`, i);
    expect(large.shape).toBe(DICTIONARY);
    const cut = HslArray.fromRecord({ a: 1, b: 2 });
    cut.delete('a');
    expect(cut.shape).toBe(DICTIONARY);
    const mixed = HslArray.fromRecord({ a: 1 });
    mixed.append(2);
    expect([...mixed.entries()]).toEqual([
      ['a', 1],
      [0, 2],
    ]);
  });

  test('append behind the highest key that is there now, never below 0', () => {
    const array = HslArray.fromList([1, 2, 3]);
    array.delete(2);
    expect(array.nextIndex).toBe(2);
    array.set(-5, 'x');
    array.delete(0);
    array.delete(1);
    expect(array.nextIndex).toBe(0);
    expect(array.shape).not.toBe(LIST);
  });

  test('find arrays that are keys by what these hold', () => {
    const array = HslArray.fromEntries([[HslArray.fromList([1]), 'one']]);
    expect(array.get(HslArray.fromList([1]))).toBe('one');
    expect(array.get(HslArray.fromList(['1']))).toBeUndefined();
    array.set(HslArray.fromList([1]), 'again');
    expect(array.toList()).toEqual(['again']);
    expect(array.delete(HslArray.fromList([1]))).toBe(true);
    expect(array.length).toBe(0);
  });

  test('keep keys that are neither numbers nor strings, compared strictly', () => {
    const key = HslArray.fromList([1]);
    const array = HslArray.fromEntries([
      [null, 'none'],
      [key, 'array'],
    ]);
    expect(array.get(null)).toBe('none');
    expect(array.get(key)).toBe('array');
    expect(array.get(HslArray.fromList([true]))).toBeUndefined();
  });
});

describe('keys', () => {
  test.each<[Value, Value]>([
    [true, 1],
    [false, 0],
    [1.9, 1],
    [-1.9, -1],
    [-0.5, 0],
    ['7', 7],
    ['-7', -7],
    ['01', '01'],
    ['1.9', '1.9'],
    [' 1', ' 1'],
    ['', ''],
    ['-', '-'],
    ['-0', '-0'],
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', '9007199254740993'],
    [null, null],
  ])('%j means %j', (given, meant) => {
    expect(Object.is(toKey(given), meant)).toBe(true);
  });

  test('that are canonical integers are numbers, all others stay texts', () => {
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeInteger().map(String), fc.string()), (text) => {
        const key = stringToKey(text);
        expect(String(key)).toBe(text);
        expect(typeof key === 'number').toBe(
          /^(0|-?[1-9][0-9]*)$/.test(text) && Number.isSafeInteger(Number(text)),
        );
      }),
    );
  });
});
