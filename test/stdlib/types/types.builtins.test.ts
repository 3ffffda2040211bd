import { expect, test } from 'vitest';
import { type Builtin, HslResource } from '#lang';
import { types } from '../../../stdlib/types/types.builtins.js';
import { FakeContext, scriptFunction, toValue } from '../../support/fake-context.js';

const named = (name: string): Builtin => types.find((builtin) => builtin.name === name)!;
const run = (name: string, value: unknown): unknown => new FakeContext().call(named(name), toValue(value));

test.each([
  ['number', '0x1F', 31],
  ['number', 'abc', 0],
  ['number', ' -12.5 ', -12.5],
  ['number', '12abc', 0],
  ['number', true, 1],
  ['number', null, 0],
  ['boolean', '0', true],
  ['boolean', '', false],
  ['boolean', [], false],
  ['boolean', [0], true],
  ['boolean', null, false],
  ['string', 1.0, '1'],
  ['string', null, 'none'],
  ['length', '\xc3\xa5', 2],
  ['length', { a: 1 }, 1],
  ['length', 5, null],
  ['length', null, null],
  ['count', [1], 1],
])('%s(%j) is %j', (name, value, expected) => {
  expect(run(name, value)).toBe(expected);
});

test('exactly one type test holds for each value, and none for none and resources', () => {
  const names = ['array', 'boolean', 'function', 'number', 'object', 'string'];
  const holding = (value: unknown): string[] => names.filter((name) => run(`is_${name}`, value) === true);
  expect(holding([])).toEqual(['array']);
  expect(holding(true)).toEqual(['boolean']);
  expect(holding(scriptFunction(() => null))).toEqual(['function']);
  expect(holding(1)).toEqual(['number']);
  expect(holding('')).toEqual(['string']);
  expect(holding(null)).toEqual([]);
  expect(holding(new HslResource('Regex', undefined))).toEqual([]);
});
