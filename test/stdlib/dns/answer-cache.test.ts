import { expect, test } from 'vitest';
import { AnswerCache } from '../../../stdlib/dns/answer-cache.js';
import type { DnsAnswer } from '../../../stdlib/dns/resolver.js';

const answer = (address: string, ttlSeconds = 60): DnsAnswer => ({
  kind: 'records',
  records: [{ type: 'a', ttlSeconds, address }],
  canonicalName: 'example.test',
  isSecure: false,
});

test('an answer is given until its time is over, with the TTL that is left', () => {
  const cache = new AnswerCache(10);
  cache.set('a x', answer('192.0.2.1'), 60, 100, 0);
  expect(cache.get('a x', 999)).toEqual(answer('192.0.2.1', 60));
  expect(cache.get('a x', 10_500)).toEqual(answer('192.0.2.1', 50));
  expect(cache.get('a x', 10_900)).toBe(cache.get('a x', 10_950));
  expect(cache.get('a x', 60_000)).toBeUndefined();
  expect(cache.counters).toEqual({ size: 0, hits: 4, expires: 1, evicts: 0 });
});

test('the answer used longest ago goes first', () => {
  const cache = new AnswerCache(2);
  cache.set('1', answer('192.0.2.1'), 60, 100, 0);
  cache.set('2', answer('192.0.2.2'), 60, 100, 0);
  cache.get('1', 0);
  cache.set('3', answer('192.0.2.3'), 60, 100, 0);
  expect(['1', '2', '3'].map((key) => cache.get(key, 0) !== undefined)).toEqual([true, false, true]);
  expect(cache.counters.evicts).toBe(1);
});

test('large answers push out more than their number', () => {
  const cache = new AnswerCache(100);
  for (let key = 0; key < 100; key++) cache.set(String(key), answer('192.0.2.1'), 60, 65_000, 0);
  expect(cache.counters.size).toBeLessThanOrEqual(4);
  expect(cache.counters.size).toBeGreaterThan(0);
});

test('what has no lifetime is not kept, and takes the place of what was there', () => {
  const cache = new AnswerCache(10);
  cache.set('x', answer('192.0.2.1'), 60, 100, 0);
  cache.set('x', answer('192.0.2.1'), 0, 100, 0);
  expect(cache.get('x', 0)).toBeUndefined();
  const none = new AnswerCache(0);
  none.set('x', answer('192.0.2.1'), 60, 100, 0);
  expect(none.get('x', 0)).toBeUndefined();
});

test('after clearing nothing is known', () => {
  const cache = new AnswerCache(10);
  cache.set('x', answer('192.0.2.1'), 60, 100, 0);
  cache.clear();
  expect(cache.get('x', 0)).toBeUndefined();
  expect(cache.counters.size).toBe(0);
});
