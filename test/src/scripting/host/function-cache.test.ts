import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { createFunctionCache, type ProcessCache } from '../../../../src/scripting/host/function-cache.js';

let now = 0;
const clock = { now: () => now, monotonic: () => now };
let cache: ProcessCache;
let stamp: string | undefined;

beforeEach(() => {
  now = 100;
  stamp = '1';
  cache = createFunctionCache({
    clock,
    mostBuckets: 3,
    fileStamp: (name) => (name === 'a.hsl' ? stamp : undefined),
  });
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

  test('holds a bounded number of bytes: entries of the buckets used least lately go', () => {
    cache = createFunctionCache({ clock, mostBytes: 2000 });
    const fill = (bucket: string, key: string, bytes: number) =>
      cache.set(bucket, key, { value: 'x'.repeat(bytes), expires: 999 }, 100, true);
    fill('old', 'a', 300);
    fill('old', 'b', 300);
    fill('new', 'c', 300);
    fill('new', 'd', 300);
    expect(cache.get('old', 'a')).toBeUndefined();
    expect(cache.get('old', 'b')).toBeDefined();
    fill('new', 'huge', 5000);
    expect(cache.get('new', 'huge')).toBeUndefined();
    expect(cache.get('new', 'd')).toBeDefined();
  });

  test('agrees with a plain list about what is over, over many renewals', () => {
    const step = fc.record({
      key: fc.nat(8).map(String),
      wait: fc.nat(20),
      ttl: fc.integer({ min: 1, max: 60 }),
      lru: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        cache = createFunctionCache({ clock });
        now = 0;
        // Used least lately first.
        let model: { key: string; expires: number }[] = [];
        for (const { key, wait, ttl, lru } of steps) {
          now += wait;
          put(key, { size: 4, lru, ttl });
          const isNew = !model.some((entry) => entry.key === key);
          model = model.filter((entry) => entry.key !== key);
          if (model.length >= 4) model = model.filter(({ expires }) => expires > now);
          if (model.length < 4 || lru || !isNew) {
            if (model.length >= 4) model.shift();
            model.push({ key, expires: now + ttl });
          }
        }
        const expected = model.map((entry) => [entry.key, entry.expires]).sort();
        const found = Array.from({ length: 9 }, (_, i) => String(i)).flatMap((key) => {
          const entry = cache.get('f', key);
          return entry === undefined ? [] : [[key, entry.expires]];
        });
        expect(found.sort()).toEqual(expected);
      }),
    );
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

  test('empties a namespace that is tied to a file when the file changes', () => {
    const entry = { value: 1, expires: 999 };
    cache.set('file:a.hsl\nf', 'k', entry, 2, true);
    cache.set('file:b.hsl\nf', 'k', entry, 2, true);
    expect(cache.get('file:a.hsl\nf', 'k')).toEqual(entry);
    stamp = '2';
    expect(cache.get('file:a.hsl\nf', 'k')).toBeUndefined();
    expect(cache.get('file:b.hsl\nf', 'k')).toEqual(entry);
    cache.set('file:a.hsl\nf', 'k', entry, 2, true);
    expect(cache.get('file:a.hsl\nf', 'k')).toEqual(entry);
  });

  test('keeps what belongs to one message from another, and shares the rest', () => {
    const [one, two] = [cache.forMessage('1'), cache.forMessage('2')];
    one.set('$messageid\nf', 'k', { value: 1, expires: 999 }, 2, true);
    one.set('\nf', 'k', { value: 2, expires: 999 }, 2, true);
    expect(cache.forMessage('1').get('$messageid\nf', 'k')?.value).toBe(1);
    expect(two.get('$messageid\nf', 'k')).toBeUndefined();
    expect(two.get('\nf', 'k')?.value).toBe(2);
  });

  test('can be emptied by namespace', () => {
    cache.set('n\nf', 'k', { value: 1, expires: 999 }, 2, true);
    cache.set('nn\nf', 'k', { value: 1, expires: 999 }, 2, true);
    cache.clear('n');
    expect([cache.get('n\nf', 'k'), cache.get('nn\nf', 'k')?.value]).toEqual([undefined, 1]);
  });
});
