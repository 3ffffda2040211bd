import { describe, expect, test } from 'vitest';
import type { HslArray, HslObject, NativeClass, Value } from '#lang';
import { iteratorClass } from '../../../stdlib/collections/iterator.builtins.js';
import { mapClass } from '../../../stdlib/collections/map.builtins.js';
import { setClass } from '../../../stdlib/collections/set.builtins.js';
import { FakeContext, fromValue, keyed, toValue } from '../../support/fake-context.js';

const ctx = new FakeContext();
const on = (object: HslObject, name: string, ...args: unknown[]): unknown =>
  fromValue(ctx.method(object, name, ...args.map(toValue)));
const newMap = (key: string, value: string): HslObject => ctx.make(mapClass as NativeClass, key, value);
const walked = (object: HslObject): [Value, Value][] =>
  [...{ [Symbol.iterator]: () => (object.classOf as NativeClass).iterate!(object.state) }].map(([k, v]) => [
    k,
    v,
  ]);

describe('Map', () => {
  test('stores, counts and removes', () => {
    const map = newMap('string', 'number');
    expect(on(map, 'set', 'a', 1)).toBe(true);
    expect(on(map, 'set', 'a', 5)).toBe(false);
    expect(on(map, 'get', 'a')).toBe(5);
    expect(on(map, 'has', 'b')).toBe(false);
    expect(on(map, 'get', 'b')).toBe(null);
    expect(on(map, 'size')).toBe(1);
    expect(on(map, 'delete', 'a')).toBe(true);
    expect(on(map, 'delete', 'a')).toBe(false);
    on(map, 'set', 'x', 1);
    on(map, 'clear');
    expect(on(map, 'size')).toBe(0);
  });
  test('merges as + does', () => {
    const map = newMap('string', 'any');
    expect(on(map, 'merge', 'n', 2)).toBe(true);
    expect(on(map, 'merge', 'n', 40)).toBe(false);
    expect(on(map, 'get', 'n')).toBe(42);
    on(map, 'set', 'a', [1]);
    on(map, 'merge', 'a', 2);
    on(map, 'merge', 'a', [3]);
    expect(on(map, 'get', 'a')).toEqual([1, 2, 3]);
  });
  test('refuses other types', () => {
    const map = newMap('string', 'number');
    expect(() => on(map, 'set', 1, 1)).toThrow('the key must be of type string, found number');
    expect(() => on(map, 'set', 'a', 'x')).toThrow('the value must be of type number, found string');
    expect(() => newMap('array', 'number')).toThrow('key type');
    expect(() => newMap('string', 'nonsense')).toThrow('value type');
    on(map, 'set', 'a', 1);
    expect(() => on(map, 'merge', 'a', 'x')).toThrow('type number');
    expect(on(map, 'get', 'a')).toBe(1);
  });
  test('foreach sees the entries of its beginning', () => {
    const map = newMap('string', 'number');
    on(map, 'set', 'a', 1);
    on(map, 'set', 'b', 2);
    const pairs = walked(map);
    expect(pairs).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    const seen: Value[] = [];
    const iterator = mapClass.iterate!(map.state as never);
    for (let step = iterator.next(); !step.done; step = iterator.next()) {
      seen.push(step.value[0]);
      on(map, 'set', `${step.value[0]}+`, 1);
    }
    expect(seen).toEqual(['a', 'b']);
  });
  test('entries() gives pairs by next() and key and value to foreach', () => {
    const map = newMap('number', 'any');
    on(map, 'set', 7, 'x');
    on(map, 'set', 8, null);
    const iterator = ctx.method(map, 'entries') as HslObject;
    expect(iterator.classOf).toBe(iteratorClass);
    expect(on(iterator, 'next')).toEqual(keyed(['value', [7, 'x']], ['done', false]));
    expect(walked(iterator)).toEqual([[8, null]]);
    expect(on(iterator, 'next')).toEqual(keyed(['value', null], ['done', true]));
  });
  test('arrays inside are values', () => {
    const map = newMap('string', 'array');
    const array = toValue([1]) as HslArray;
    ctx.method(map, 'set', 'a', array);
    expect(array.shared).toBe(true);
  });
});

describe('Set', () => {
  test('holds each member once', () => {
    const set = ctx.make(setClass as NativeClass, 'string');
    expect(on(set, 'add', 'x')).toBe(true);
    expect(on(set, 'add', 'x')).toBe(false);
    on(set, 'add', 'y');
    expect(on(set, 'size')).toBe(2);
    expect(on(set, 'has', 'x')).toBe(true);
    expect(on(set, 'has', 'z')).toBe(false);
    expect(walked(set)).toEqual([
      [0, 'x'],
      [1, 'y'],
    ]);
    const iterator = ctx.method(set, 'values') as HslObject;
    expect(on(iterator, 'next')).toEqual(keyed(['value', 'x'], ['done', false]));
    expect(on(set, 'delete', 'x')).toBe(true);
    on(set, 'clear');
    expect(on(set, 'size')).toBe(0);
    expect(() => on(set, 'add', 1)).toThrow('type string');
    expect(() => ctx.make(setClass as NativeClass, 'any')).toThrow('key type');
  });
});
