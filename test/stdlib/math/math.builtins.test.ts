import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ceil, floor, hash, log, pow, round } from '../../../stdlib/math/math.builtins.js';
import { randomBytes, randomNumber } from '../../../stdlib/math/random.builtins.js';
import { FakeContext, toValue } from '../../support/fake-context.js';

function run(builtin: Parameters<FakeContext['call']>[0], ...args: unknown[]): unknown {
  return new FakeContext().call(builtin, ...args.map(toValue));
}

describe('round', () => {
  test.each([
    [[3.14259, 2], 3.14],
    [[2.6], 3],
    [[2.5], 3],
    [[-2.5], -3],
    [[1.005, 2], 1.01],
    [[-1.005, 2], -1.01],
    [[1250, -2], 1300],
    [[1e21, 2], 1e21],
    [[1.5e-10, 10], 2e-10],
    [[0.1, 400], 0.1],
    [[12, -5], 0],
    [[-0.2], 0],
  ])('%j is %j', (args, expected) => {
    expect(run(round, ...args)).toBe(expected);
  });
  test('leaves what is not finite', () => {
    expect(run(round, Number.NaN)).toBe(Number.NaN);
    expect(run(round, Number.POSITIVE_INFINITY, 2)).toBe(Number.POSITIVE_INFINITY);
  });
  test('is never farther away than half a place', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.integer({ min: 0, max: 6 }),
        (n, places) => {
          expect(Math.abs((run(round, n, places) as number) - n)).toBeLessThanOrEqual(
            0.5000001 * 10 ** -places,
          );
        },
      ),
    );
  });
});

test('powers and logarithms of whole bases are exact', () => {
  expect(run(pow, 2, 10)).toBe(1024);
  expect(run(log, 1000, 10)).toBe(3);
  expect(run(log, 8, 2)).toBe(3);
  expect(run(log, 1)).toBe(0);
});

test('there is no negative zero', () => {
  expect(Object.is(run(ceil, -0.5), 0)).toBe(true);
  expect(Object.is(run(floor, -0), 0)).toBe(true);
});

test('hash is 32-bit FNV-1a', () => {
  expect(run(hash, '')).toBe(0x811c9dc5);
  expect(run(hash, 'a')).toBe(0xe40c292c);
  expect(run(hash, 'foobar')).toBe(0xbf9cf968);
});

describe('random', () => {
  test('numbers lie in their bounds, both included', () => {
    expect(new FakeContext({ randoms: [0] }).call(randomNumber, 3, 5)).toBe(3);
    expect(new FakeContext({ randoms: [0.999999] }).call(randomNumber, 3, 5)).toBe(5);
    expect(run(randomNumber)).toBe(0.5);
    expect(() => run(randomNumber, 5, 3)).toThrow('no integer');
    expect(() => run(randomNumber, 5)).toThrow('two');
  });
  test('bytes are at most a mebibyte', () => {
    expect(run(randomBytes, 33)).toHaveLength(33);
    expect(() => run(randomBytes, 2 ** 20 + 1)).toThrow('between');
    expect(() => run(randomBytes, -1)).toThrow('between');
  });
});
