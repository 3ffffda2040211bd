import { expect, test } from 'vitest';
import { createRunHost } from '../../../../src/scripting/host/run-host.js';

test('a host has real clocks, random numbers and the event loop', async () => {
  const host = createRunHost({ echo: () => {} });
  expect(Math.abs(host.clock.now() - Date.now() / 1000)).toBeLessThan(5);
  const began = host.clock.monotonic();
  await new Promise<void>((resolve) => host.nextTurn(resolve));
  expect(host.clock.monotonic()).toBeGreaterThanOrEqual(began);

  const numbers = Array.from({ length: 2000 }, () => host.random.number());
  expect(numbers.every((n) => n >= 0 && n < 1)).toBe(true);
  expect(new Set(numbers).size).toBeGreaterThan(1990);
  expect(Math.abs(numbers.reduce((a, b) => a + b) / 2000 - 0.5)).toBeLessThan(0.1);
  const bytes = host.random.bytes(1000);
  expect(bytes).toMatch(/^[\x00-\xff]{1000}$/);
});

test('hosts share memory and cached calls only when told to', () => {
  const one = createRunHost({ echo: () => {} });
  const two = createRunHost({ echo: () => {}, memory: one.memory, cache: one.cache });
  const three = createRunHost({ echo: () => {} });
  one.memory.set('k', 1);
  expect([two.memory.get('k'), three.memory.get('k')]).toEqual([1, undefined]);
});

test('one pattern engine serves the whole process', () => {
  const [one, two] = [createRunHost({ echo: () => {} }), createRunHost({ echo: () => {} })];
  expect(one.patterns.compile('a', '')).toBe(two.patterns.compile('a', ''));
});
