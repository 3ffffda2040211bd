import { expect, test } from 'vitest';
import type { HslArray, Value } from '#lang';
import { controlledQueue } from '../../support/controlled-queue.js';

test('a value that is stored from outside is what scripts find, and the other way round', async () => {
  const { ask, memory } = await controlledQueue();
  await ask('z', { key: 'k', value: '{"a":[1,2]}' });
  const inner = (memory.get('k') as HslArray).get('a') as HslArray;
  expect(inner.get(1)).toBe(2);
  memory.set('caf\xc3\xa9', 'h\xc3\xb6r');
  expect(await ask('y', { key: 'café' })).toEqual({ found: true, value: '"hör"' });
  expect(await ask('y', { key: 'nothing' })).toEqual({ found: false });
  expect(await ask('K', {})).toEqual({ keys: ['k', 'café'], total: 2 });
  expect(await ask('K', { prefix: 'ca', limit: 0 })).toEqual({ keys: [], total: 1 });
  expect(await ask('A', { key: 'k' })).toEqual({ deleted: true });
  expect(await ask('A', { key: 'k' })).toEqual({ deleted: false });
});

test('a value that JSON cannot say is there all the same', async () => {
  const { ask, memory } = await controlledQueue();
  memory.set('k', '\xff' as Value);
  expect(await ask('y', { key: 'k' })).toMatchObject({
    found: true,
    problem: expect.stringContaining('JSON'),
  });
});

test('what is no JSON is refused with its line', async () => {
  const { ask } = await controlledQueue();
  await expect(ask('z', { key: 'k', value: '{"a":\n1,,}' })).rejects.toThrow(
    'value: this is no JSON, in line 2',
  );
  await expect(ask('z', { key: 'k', value: '1', ttl: 0 })).rejects.toThrow('ttl: found 0');
});

test('a value with a time goes, unless it has become another one', async () => {
  const { ask, memory, clock } = await controlledQueue();
  for (const key of ['goes', 'changed', 'again']) await ask('z', { key, value: '1', ttl: 10 });
  memory.set('changed', 2);
  await ask('z', { key: 'again', value: '1' });
  await clock.advance(11);
  expect(['goes', 'changed', 'again'].map((key) => memory.get(key))).toEqual([undefined, 2, 1]);
});

test('a time longer than any timer is kept, and a key that is held at its end goes when it is free', async () => {
  const { ask, memory, clock } = await controlledQueue();
  const days = 86_400;
  await ask('z', { key: 'long', value: '1', ttl: 60 * days });
  await clock.advance(59 * days);
  expect(memory.get('long')).toBe(1);
  await clock.advance(2 * days);
  expect(memory.get('long')).toBeUndefined();
  await ask('z', { key: 'held', value: '1', ttl: 10 });
  memory.tryLock('held');
  await clock.advance(11);
  expect(memory.get('held')).toBe(1);
  memory.unlock('held');
  await clock.advance(10);
  expect(memory.get('held')).toBeUndefined();
});

test('a key that a script holds is changed when it is free, or not at all', async () => {
  const { ask, memory, clock } = await controlledQueue();
  expect(memory.tryLock('k')).toBe(true);
  const stored = ask('z', { key: 'k', value: '1' });
  memory.unlock('k');
  await stored;
  expect([memory.get('k'), memory.isLocked('k')]).toEqual([1, false]);
  memory.tryLock('k');
  const late = expect(ask('A', { key: 'k' })).rejects.toThrow('held by a script');
  await clock.advance(6);
  await late;
  memory.unlock('k');
  expect([memory.get('k'), memory.isLocked('k')]).toEqual([1, false]);
});

test('buckets of cached calls are listed with what they were good for, and cleared', async () => {
  const { ask, cache, clock } = await controlledQueue();
  const entry = (value: Value) => ({ value, expires: clock.now() + 60 });
  for (const name of ['n\nhooks/eod/main.hsl\nf', '\nhooks/eod/main.hsl\ng']) {
    expect(cache.get(name, 'a')).toBeUndefined();
    cache.set(name, 'a', entry(1), 2, true);
  }
  cache.get('n\nhooks/eod/main.hsl\nf', 'a');
  cache.get('n\nhooks/eod/main.hsl\nf', 'b');
  for (const key of ['b', 'c']) cache.set('n\nhooks/eod/main.hsl\nf', key, entry(1), 2, true);
  await clock.advance(61);
  cache.get('\nhooks/eod/main.hsl\ng', 'a');
  const of = { file: 'hooks/eod/main.hsl', maxsize: 2 };
  expect((await ask('g'))['buckets']).toEqual([
    { ...of, namespace: '', function: 'g', size: 1, hits: 0, misses: 2, evicts: 0 },
    { ...of, namespace: 'n', function: 'f', size: 2, hits: 1, misses: 2, evicts: 1 },
  ]);
  expect(await ask('h', { namespace: 'n', function: 'g' })).toEqual({ cleared: 0 });
  expect(await ask('h', { namespace: '' })).toEqual({ cleared: 1 });
  expect(cache.get('n\nhooks/eod/main.hsl\nf', 'c')?.value).toBe(1);
  expect(await ask('h', { function: 'f' })).toEqual({ cleared: 1 });
  expect((await ask('g'))['buckets']).toEqual([]);
});

test('rates are listed and cleared by namespace and entry', async () => {
  const { ask, rates, clock } = await controlledQueue();
  const hit = (namespace: string, entry: string, times = 1): void => {
    for (let i = 0; i < times; i++)
      rates.hit({
        namespace,
        entry,
        count: 10,
        intervalSeconds: 60,
        nowSeconds: clock.now(),
        isShared: false,
      });
  };
  hit('in', '192.0.2.1', 3);
  hit('in', '192.0.2.2');
  hit('out', '192.0.2.1');
  expect(await ask('i', { conditions: { namespaces: [{ namespace: 'in' }] } })).toEqual({
    rates: [
      { namespace: 'in', entry: '192.0.2.1', count: 3, interval: 60 },
      { namespace: 'in', entry: '192.0.2.2', count: 1, interval: 60 },
    ],
    total: 2,
  });
  expect((await ask('i', { limit: 1 }))['total']).toBe(3);
  const entries = [{ entry: '1$', regex: true }];
  expect(await ask('j', { conditions: { entries, namespaces: [{ namespace: 'out', not: true }] } })).toEqual({
    affected: 1,
  });
  expect(await ask('j', {})).toEqual({ affected: 2 });
  expect(await ask('i', {})).toEqual({ rates: [], total: 0 });
  await expect(ask('i', { conditions: { entries: [{ entry: '(', regex: true }] } })).rejects.toThrow(
    'conditions.entries[0]',
  );
});
