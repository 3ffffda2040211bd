import { expect, test } from 'vitest';
import {
  metricsDecrement,
  metricsGet,
  metricsIncrement,
  metricsSet,
} from '../../../stdlib/metrics/metrics.builtins.js';
import { FakeContext, fromValue, keyed, toValue } from '../../support/fake-context.js';

function contextWith(calls: unknown[], answer = true): FakeContext {
  const record =
    (operation: string) =>
    (...args: unknown[]) => {
      calls.push([operation, ...args]);
      return answer;
    };
  return new FakeContext({
    services: {
      metrics: {
        increment: record('increment'),
        decrement: record('decrement'),
        set: record('set'),
        get: () => (answer ? { value: 3 } : undefined),
      },
    },
  });
}

test('the store is asked with labels as texts and a value of 1 unless given', () => {
  const calls: unknown[] = [];
  const ctx = contextWith(calls);
  expect(ctx.call(metricsIncrement, 'm', toValue({ code: 550, to: 'x' }))).toBe(true);
  expect(ctx.call(metricsDecrement, 'm', toValue([]), 2)).toBe(true);
  expect(ctx.call(metricsSet, 'm', toValue([]), 0.5)).toBe(true);
  expect(fromValue(ctx.call(metricsGet, 'm', toValue([])))).toEqual(keyed(['value', 3]));
  expect(calls).toEqual([
    ['increment', 'm', { code: '550', to: 'x' }, 1],
    ['decrement', 'm', {}, 2],
    ['set', 'm', {}, 0.5],
  ]);
});

test('what the store refuses is none', () => {
  const ctx = contextWith([], false);
  expect(ctx.call(metricsIncrement, 'm', toValue([]))).toBeNull();
  expect(ctx.call(metricsDecrement, 'm', toValue([]))).toBeNull();
  expect(ctx.call(metricsSet, 'm', toValue([]), 1)).toBeNull();
  expect(ctx.call(metricsGet, 'm', toValue([]))).toBeNull();
});

test('labels that are no names with texts are a mistake of the script', () => {
  const ctx = contextWith([]);
  expect(() => ctx.call(metricsIncrement, 'm', toValue(['a']))).toThrow(
    'metrics_increment: the labels have the key 0; expected label names as keys',
  );
  expect(() => ctx.call(metricsSet, 'm', toValue({ a: [] }), 1)).toThrow(
    'metrics_set: the label "a" is array; expected a string',
  );
});
