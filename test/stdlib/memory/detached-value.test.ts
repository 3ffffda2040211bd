import { describe, expect, test } from 'vitest';
import { HslArray, isSame, share, type Value } from '#lang';
import { createFunctionCache } from '../../../src/scripting/host/function-cache.js';
import { AnswerCache } from '../../../stdlib/dns/answer-cache.js';
import { detachedValue } from '../../../stdlib/memory/detached-value.js';
import { createLocalMemory } from '../../../stdlib/memory/local-memory.js';
import { createLocalRates } from '../../../stdlib/memory/local-rates.js';
import { heldBytes } from '../../support/heap.js';

const MESSAGE_BYTES = 4 * 1024 * 1024;

/** A word cut out of a message: all are different. */
function wordOfMessage(number: number): string {
  const message = Buffer.alloc(MESSAGE_BYTES, `message ${number} `).toString('latin1');
  return message.slice(1000, 1040);
}

/** How many messages are kept when a word of each of 20 is stored. */
function messagesKept(store: (word: string) => void): number {
  const before = heldBytes();
  for (let number = 0; number < 20; number++) store(wordOfMessage(number));
  return Math.max(0, Math.round((heldBytes() - before) / MESSAGE_BYTES));
}

describe('a word of a message does not keep the message', () => {
  test('that is stored in the shared memory, as key, value, or in an array', () => {
    const memory = createLocalMemory();
    expect(messagesKept((word) => memory.set(word, 1))).toBe(0);
    expect(messagesKept((word) => memory.set(`v${word.slice(0, 12)}`, word))).toBe(0);
    expect(
      messagesKept((word) => memory.set(`a${word.slice(0, 12)}`, HslArray.fromRecord({ [word]: word }))),
    ).toBe(0);
    expect(memory.sizeBytes).toBeGreaterThan(0);
  });

  test('that is counted by rate, also when it is counted again', () => {
    const rates = createLocalRates();
    const hit = (entry: string) =>
      rates.hit({ namespace: 'n', entry, count: 5, intervalSeconds: 60, nowSeconds: 1, isShared: false });
    expect(messagesKept(hit)).toBe(0);
    expect(messagesKept(hit)).toBe(0);
  });

  test('that is the argument or the result of a cached call', () => {
    const cache = createFunctionCache({ clock: { now: () => 1, monotonic: () => 1 } });
    expect(
      messagesKept((word) => cache.set('f', `s40:${word}`, { value: word, expires: 60 }, 100, true)),
    ).toBe(0);
    expect(messagesKept((word) => cache.get('f', `s40:${word}`))).toBe(0);
  });

  test('that is looked up in DNS', () => {
    const cache = new AnswerCache(100);
    const none = { kind: 'none', reason: 'NXDOMAIN' } as unknown as Parameters<AnswerCache['set']>[1];
    expect(messagesKept((word) => cache.set(`a ${word}`, none, 60, 100, 1))).toBe(0);
    cache.set('a other', none, 60, 100, 1);
    expect(messagesKept((word) => cache.get(`a ${word}`, 2))).toBe(0);
  });
});

describe('a detached value', () => {
  const list = (...values: Value[]) => HslArray.fromList(values);

  test('is the same, and what it was made of is not touched', () => {
    const inner = list('a text that is long enough', 1);
    const value = HslArray.fromRecord({ 'a key that is long enough': inner, n: null, again: inner });
    const copy = detachedValue(value) as HslArray;
    expect(isSame(copy, value)).toBe(true);
    expect(copy).not.toBe(value);
    expect(copy.shared).toBe(true);
    expect(value.shared).toBe(false);
    expect(copy.get('again')).toBe(copy.get('a key that is long enough'));
  });

  test('keeps the parts that were stored before', () => {
    const stored = detachedValue(list('a text that is long enough', list('b'))) as HslArray;
    const changed = stored.clone();
    changed.append('more');
    const copy = detachedValue(changed, stored) as HslArray;
    expect(copy.get(1)).toBe(stored.get(1));
    expect(isSame(copy, changed)).toBe(true);
  });

  test('of an array nested very deep is an array nested very deep', () => {
    let deep = list();
    for (let level = 0; level < 100_000; level++) deep = list(deep);
    expect((detachedValue(deep) as HslArray).length).toBe(1);
  });

  test('of few arrays in a great many places stays few', () => {
    let many = list('x');
    for (let level = 0; level < 60; level++) many = list(share(many), many);
    expect(isSame(detachedValue(many), many)).toBe(true);
  });
});
