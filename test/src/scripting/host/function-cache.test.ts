import { beforeEach, describe, expect, test } from 'vitest';
import type { FunctionCache } from '#lang';
import { createFunctionCache } from '../../../../src/scripting/host/function-cache.js';

let now = 0;
const clock = { now: () => now, monotonic: () => now };
let cache: FunctionCache;

beforeEach(() => {
  now = 100;
  cache = createFunctionCache(clock, 3);
});

const put = (key: string, { size = 2, lru = true, ttl = 60 } = {}) =>
  cache.set('f', key, { value: key, expires: now + ttl }, size, lru);
const has = (...keys: string[]) => keys.map((key) => cache.get('f', key)?.value ?? null);

describe('the store behind cache', () => {
  test('keeps buckets apart', () => {
    put('a');
    expect(cache.get('g', 'a')).toBeUndefined();
    expect(cache.get('f', 'a')).toEqual({ value: 'a', expires: 160 });
  });

  test('drops the entry used least lately when full', () => {
    put('a');
    put('b');
    cache.get('f', 'a');
    put('c');
    expect(has('a', 'b', 'c')).toEqual(['a', null, 'c']);
  });

  test('keeps what it has when full and asked not to evict, but renews what it knows', () => {
    put('a', { lru: false });
    put('b', { lru: false });
    put('c', { lru: false });
    put('a', { lru: false, ttl: 90 });
    expect(has('a', 'b', 'c')).toEqual(['a', 'b', null]);
    expect(cache.get('f', 'a')?.expires).toBe(190);
  });

  test('shows an entry whose time is over, until its place is needed', () => {
    put('a', { ttl: 10 });
    put('b');
    now += 20;
    expect(has('a', 'b')).toEqual(['a', 'b']);
    put('c', { lru: false });
    expect(has('a', 'b', 'c')).toEqual([null, 'b', 'c']);
  });

  test('is narrowed for good by the smallest size', () => {
    put('a', { size: 5 });
    put('b', { size: 5 });
    put('c', { size: 5 });
    put('d', { size: 2 });
    expect(has('a', 'b', 'c', 'd')).toEqual([null, null, 'c', 'd']);
    put('e', { size: 5 });
    expect(has('c', 'd', 'e')).toEqual([null, 'd', 'e']);
  });

  test('stores nothing with size zero', () => {
    put('a', { size: 0 });
    expect(has('a')).toEqual([null]);
  });

  test('holds a bounded number of buckets, those used last', () => {
    for (const bucket of ['1', '2', '3', '1', '4'])
      cache.set(bucket, 'k', { value: bucket, expires: 999 }, 2, true);
    cache.get('1', 'k');
    cache.set('5', 'k', { value: '5', expires: 999 }, 2, true);
    expect(['1', '2', '3', '4', '5'].filter((bucket) => cache.get(bucket, 'k') !== undefined)).toEqual([
      '1',
      '4',
      '5',
    ]);
  });
});
