import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HslArray, type Value } from '#lang';
import { createLocalMemory } from '../../../stdlib/memory/local-memory.js';
import * as declarations from '../../../stdlib/memory/memory.builtins.js';
import { FakeContext, fromValue, scriptFunction, toValue } from '../../support/fake-context.js';

const {
  memoryAdd,
  memoryDec,
  memoryDelete,
  memoryExists,
  memoryFetch,
  memoryInc,
  memoryStore,
  memoryUpdate,
} = declarations;

test('values are stored, fetched and removed by key', () => {
  const ctx = new FakeContext();
  expect(ctx.call(memoryAdd, 'k', 1)).toBe(true);
  expect(ctx.call(memoryAdd, 'k', 2)).toBe(false);
  expect(ctx.call(memoryFetch, 'k')).toBe(1);
  expect(ctx.call(memoryStore, 'k', 3)).toBe(true);
  expect(ctx.call(memoryStore, 'other', null)).toBe(false);
  expect(ctx.call(memoryExists, 'other')).toBe(true);
  expect(ctx.call(memoryDelete, 'k')).toBe(true);
  expect(ctx.call(memoryDelete, 'k')).toBe(false);
  expect(ctx.call(memoryFetch, 'k')).toBe(null);
  expect(ctx.call(memoryExists, 'k')).toBe(false);
});

test('a number as key is its text', () => {
  const ctx = new FakeContext();
  ctx.call(memoryStore, 7, 'x');
  expect(ctx.call(memoryFetch, '7')).toBe('x');
});

test('arrays that are stored or fetched are shared, so nobody writes to the stored one', () => {
  const ctx = new FakeContext();
  const array = toValue([1]) as HslArray;
  ctx.call(memoryStore, 'k', array);
  expect(array.shared).toBe(true);
});

describe('callbacks', () => {
  const record = (calls: unknown[], result: Value = null) =>
    scriptFunction((...args) => {
      calls.push(args.map(fromValue));
      return result;
    });

  test('are called with key and value, if there is one', () => {
    const ctx = new FakeContext();
    const calls: unknown[] = [];
    ctx.call(memoryStore, 'k', 1, record(calls));
    ctx.call(memoryStore, 'k', 2, record(calls));
    ctx.call(memoryExists, 'k', record(calls));
    ctx.call(memoryDelete, 'k', record(calls));
    ctx.call(memoryDelete, 'k', record(calls));
    expect(calls).toEqual([
      ['k', 1],
      ['k', 2],
      ['k', 2],
    ]);
  });
  test('of memory_fetch stand in for a missing value and store nothing', () => {
    const ctx = new FakeContext();
    const calls: unknown[] = [];
    expect(ctx.call(memoryFetch, 'k', record(calls, 'made'))).toBe('made');
    expect(ctx.call(memoryExists, 'k')).toBe(false);
    expect(calls).toEqual([['k']]);
  });
  test('of memory_update make the new value', () => {
    const ctx = new FakeContext();
    const append = scriptFunction((_, current, value) =>
      HslArray.fromList([...(current as HslArray).values(), value!]),
    );
    expect(ctx.call(memoryUpdate, 'k', 'a', append)).toBe(false);
    expect(ctx.call(memoryExists, 'k')).toBe(false);
    expect(ctx.call(memoryUpdate, 'k', 'a', append, HslArray.empty())).toBe(false);
    expect(ctx.call(memoryUpdate, 'k', 'b', append, HslArray.empty())).toBe(true);
    expect(fromValue(ctx.call(memoryFetch, 'k'))).toEqual(['a', 'b']);
  });
  test('of memory_update get a stored none as it is', () => {
    const ctx = new FakeContext();
    ctx.call(memoryStore, 'k', null);
    expect(
      ctx.call(
        memoryUpdate,
        'k',
        'v',
        scriptFunction((_, current) => current === null),
        'initial',
      ),
    ).toBe(true);
    expect(ctx.call(memoryFetch, 'k')).toBe(true);
  });
  test('run under the lock of their key, which they cannot take again', () => {
    const ctx = new FakeContext();
    ctx.call(memoryStore, 'k', 1);
    const nested = scriptFunction(() => ctx.call(memoryInc, 'k'));
    expect(() => ctx.call(memoryStore, 'k', 2, nested)).toThrow('locked by this script');
    expect(ctx.host.memory.isLocked('k')).toBe(false);
    // The callback failed, so nothing was stored.
    expect(ctx.call(memoryFetch, 'k')).toBe(1);
    const other = scriptFunction(() => ctx.call(memoryInc, 'other'));
    expect(ctx.call(memoryStore, 'k', 2, other)).toBe(true);
  });
});

describe('counting', () => {
  test('begins at 0 and gives the new number', () => {
    const ctx = new FakeContext();
    expect(ctx.call(memoryInc, 'k')).toBe(1);
    expect(ctx.call(memoryInc, 'k', 5)).toBe(6);
    expect(ctx.call(memoryDec, 'k')).toBe(5);
    expect(ctx.call(memoryDec, 'k', 5, true)).toBe(0);
    expect(ctx.call(memoryExists, 'k')).toBe(false);
    expect(ctx.call(memoryDec, 'k', 2)).toBe(-2);
  });
  test('is none when the value is no number', () => {
    const ctx = new FakeContext();
    ctx.call(memoryStore, 'k', 'x');
    ctx.call(memoryStore, 'n', null);
    expect(ctx.call(memoryInc, 'k')).toBe(null);
    expect(ctx.call(memoryInc, 'n')).toBe(null);
    expect(ctx.call(memoryFetch, 'k')).toBe('x');
  });
});

describe('while somebody else holds the key', () => {
  test('operations wait', async () => {
    const ctx = new FakeContext();
    ctx.host.memory.tryLock('k');
    const results: unknown[] = [];
    const both = [ctx.callAsync(memoryInc, 'k'), ctx.callAsync(memoryFetch, 'k')].map((pending) =>
      pending.then((value) => results.push(value)),
    );
    await Promise.resolve();
    expect(results).toEqual([]);
    ctx.host.memory.unlock('k');
    await Promise.all(both);
    expect(results).toEqual([1, 1]);
    expect(ctx.host.memory.isLocked('k')).toBe(false);
  });
  test('an execution that is cancelled gives its place up', () => {
    const ctx = new FakeContext();
    ctx.host.memory.tryLock('k');
    void ctx.callAsync(memoryInc, 'k');
    ctx.aborter.abort();
    ctx.host.memory.unlock('k');
    expect(ctx.host.memory.isLocked('k')).toBe(false);
    expect(ctx.host.memory.get('k')).toBe(undefined);
  });
});

test('who was granted a lock and gave up before its turn does nothing with it', async () => {
  const ctx = new FakeContext();
  const { memory } = ctx.host;
  memory.tryLock('k');
  const pending = ctx.callAsync(memoryInc, 'k');
  // Granted by this unlock, given up before the promise's turn, taken by another at once.
  memory.unlock('k');
  ctx.aborter.abort();
  expect(memory.tryLock('k')).toBe(true);
  await pending;
  expect(memory.get('k')).toBeUndefined();
  expect(memory.isLocked('k')).toBe(true);
});

test('a lock passes from one waiter to another picked at random, and ends free', async () => {
  const memory = createLocalMemory(() => 0.99);
  expect(memory.tryLock('k')).toBe(true);
  expect(memory.tryLock('k')).toBe(false);
  const order: string[] = [];
  const waiting = ['a', 'b', 'c'].map((name) =>
    memory.lock('k').granted.then(() => {
      order.push(name);
      memory.unlock('k');
    }),
  );
  memory.lock('k').cancel();
  memory.unlock('k');
  await Promise.all(waiting);
  expect(order).toEqual(['c', 'b', 'a']);
  expect(memory.isLocked('k')).toBe(false);
  await memory.lock('k').granted;
  expect(memory.isLocked('k')).toBe(true);
});

test('agrees with a plain table', () => {
  const add = scriptFunction((_, current, value) => (current as number) + (value as number));
  const step = fc.record({
    what: fc.constantFrom(
      'add',
      'store',
      'fetch',
      'exists',
      'delete',
      'inc',
      'dec',
      'dec0',
      'update',
      'updateInitial',
    ),
    key: fc.constantFrom('a', 'b', 'c'),
    value: fc.integer({ min: -3, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const ctx = new FakeContext();
      const model = new Map<string, number>();
      const counted = (key: string, by: number, removes = false) => {
        const sum = (model.get(key) ?? 0) + by;
        if (sum === 0 && removes) model.delete(key);
        else model.set(key, sum);
        return sum;
      };
      const expected = (what: string, key: string, value: number): unknown => {
        const current = model.get(key);
        switch (what) {
          case 'add':
            if (current === undefined) model.set(key, value);
            return current === undefined;
          case 'store':
            model.set(key, value);
            return current !== undefined;
          case 'fetch':
            return current ?? null;
          case 'exists':
            return current !== undefined;
          case 'delete':
            return model.delete(key);
          case 'inc':
            return counted(key, value);
          case 'dec':
            return counted(key, -value);
          case 'dec0':
            return counted(key, -value, true);
          case 'update':
            if (current !== undefined) model.set(key, current + value);
            return current !== undefined;
          default:
            model.set(key, (current ?? 10) + value);
            return current !== undefined;
        }
      };
      const found = (what: string, key: string, value: number): unknown => {
        switch (what) {
          case 'add':
            return ctx.call(memoryAdd, key, value);
          case 'store':
            return ctx.call(memoryStore, key, value);
          case 'fetch':
            return ctx.call(memoryFetch, key);
          case 'exists':
            return ctx.call(memoryExists, key);
          case 'delete':
            return ctx.call(memoryDelete, key);
          case 'inc':
            return ctx.call(memoryInc, key, value);
          case 'dec':
            return ctx.call(memoryDec, key, value);
          case 'dec0':
            return ctx.call(memoryDec, key, value, true);
          case 'update':
            return ctx.call(memoryUpdate, key, value, add);
          default:
            return ctx.call(memoryUpdate, key, value, add, 10);
        }
      };
      for (const { what, key, value } of steps)
        expect([what, key, found(what, key, value)]).toEqual([what, key, expected(what, key, value)]);
      // What is 0 and -0 to JavaScript is one number to scripts.
      for (const key of ['a', 'b', 'c']) expect(ctx.host.memory.isLocked(key)).toBe(false);
    }),
  );
});
