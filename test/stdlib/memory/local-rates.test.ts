import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLocalRates } from '../../../stdlib/memory/local-rates.js';
import { rate } from '../../../stdlib/memory/rate.builtins.js';
import { FakeContext, toValue } from '../../support/fake-context.js';

describe('rate', () => {
  test('allows so many events per interval, sliding', () => {
    const ctx = new FakeContext({ now: 0 });
    const at = (seconds: number, count = 2): unknown => {
      ctx.now = seconds;
      return ctx.call(rate, 'ns', 'k', count, 60);
    };
    expect([at(0), at(30), at(59.9)]).toEqual([true, true, false]);
    expect(at(59.9, 0)).toBe(2);
    // The first event is 60 seconds old.
    expect([at(60), at(61), at(89)]).toEqual([true, false, false]);
    expect(at(90)).toBe(true);
    expect(at(1000, 0)).toBe(0);
  });
  test('keeps namespaces and entries apart', () => {
    const ctx = new FakeContext();
    const hit = (namespace: string, entry: string | number): unknown =>
      ctx.call(rate, namespace, entry, 1, 60);
    expect([hit('a', 'x'), hit('a', 'x'), hit('a', 'y'), hit('b', 'x'), hit('b', 1), hit('b', '1')]).toEqual([
      true,
      false,
      true,
      true,
      true,
      false,
    ]);
  });
  test('is none for what cannot be counted', () => {
    const ctx = new FakeContext();
    expect(ctx.call(rate, 'a', 'x', -1, 60)).toBe(null);
    expect(ctx.call(rate, 'a', 'x', 1, -1)).toBe(null);
    expect(ctx.call(rate, 'a', 'x', Number.NaN, 60)).toBe(null);
    expect(ctx.call(rate, 'a', 'x', 1, Number.POSITIVE_INFINITY)).toBe(null);
  });
  test('asks the store for a shared or a local counter', () => {
    const asked: boolean[] = [];
    const rates = {
      hit: (request: { isShared: boolean }) => asked.push(request.isShared) > 0,
      count: () => 0,
    };
    const ctx = new FakeContext({ services: { rates } });
    ctx.call(rate, 'a', 'x', 1, 60);
    ctx.call(rate, 'a', 'x', 1, 60, toValue({ sync: false }));
    ctx.call(rate, 'a', 'x', 1, 60, toValue({ local: true }));
    ctx.call(rate, 'a', 'x', 1, 60, toValue({ local: false }));
    expect(asked).toEqual([true, false, false, true]);
  });
  test('is none when a distant store fails', async () => {
    const rates = { hit: () => Promise.reject(new Error('down')), count: () => Promise.resolve(3) };
    const ctx = new FakeContext({ services: { rates } });
    expect(await ctx.callAsync(rate, 'a', 'x', 1, 60)).toBe(null);
    expect(await ctx.callAsync(rate, 'a', 'x', 0, 60)).toBe(3);
  });
});

const request = (
  entry: string,
  count: number,
  nowSeconds: number,
  intervalSeconds = 60,
  namespace = 'ns',
) => ({
  namespace,
  entry,
  count,
  intervalSeconds,
  nowSeconds,
  isShared: false,
});

test('agrees with a list of all moments', () => {
  const step = fc.record({
    wait: fc.nat(40),
    count: fc.integer({ min: 1, max: 9 }),
    interval: fc.constantFrom(10, 60),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const rates = createLocalRates();
      let events: number[] = [];
      let now = 0;
      let largest = 0;
      let longest = 0;
      for (const { wait, count, interval } of steps) {
        now += wait;
        largest = Math.max(largest, count);
        longest = Math.max(longest, interval);
        const inside = events.filter((moment) => now - moment < interval).length;
        const recorded = rates.hit(request('k', count, now, interval));
        expect(recorded).toBe(inside < count);
        // What the rule promises to keep: the newest events, of the longest interval that was asked for.
        if (recorded) {
          events = [...events, now].slice(-largest).filter((moment) => now - moment < longest);
        }
      }
    }),
  );
});

test('agrees with lists of all moments over many entries, reads and clearings', () => {
  const step = fc.record({
    what: fc.constantFrom('hit', 'hit', 'hit', 'count', 'clear', 'clear namespace'),
    namespace: fc.constantFrom('a', 'b'),
    entry: fc.constantFrom('x', 'y', 'z'),
    waitSeconds: fc.double({ min: 0, max: 30, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const rates = createLocalRates();
      const model = new Map<string, number[]>();
      let now = 0;
      for (const { what, namespace, entry, waitSeconds } of steps) {
        now += waitSeconds;
        const key = `${namespace}/${entry}`;
        const inside = (model.get(key) ?? []).filter((moment) => moment > now - 60);
        if (what === 'hit') {
          expect(rates.hit(request(entry, 4, now, 60, namespace))).toBe(inside.length < 4);
          if (inside.length < 4) model.set(key, [...inside, now]);
        } else if (what === 'count') {
          expect(rates.count(request(entry, 0, now, 60, namespace))).toBe(inside.length);
        } else if (what === 'clear') {
          rates.clear(namespace, entry);
          model.delete(key);
        } else {
          rates.clear(namespace);
          for (const name of ['x', 'y', 'z']) model.delete(`${namespace}/${name}`);
        }
      }
      const expected = [...model].flatMap(([key, moments]) => {
        const count = moments.filter((moment) => moment > now - 60).length;
        return count > 0 ? [`${key} ${count}`] : [];
      });
      const listed = rates.list(now).map(({ namespace, entry, count }) => `${namespace}/${entry} ${count}`);
      expect(listed.sort()).toEqual(expected.sort());
      if (model.size === 0 && listed.length === 0) return;
      rates.clear('a');
      rates.clear('b');
      expect(rates.sizeBytes).toBe(0);
    }),
  );
});

test('a count that no ring should hold is a mistake of the script', () => {
  expect(() => new FakeContext().call(rate, 'a', 'x', 4_000_001, 60)).toThrow(
    'rate: argument 3 (count) is 4000001; expected at most 4000000',
  );
});

describe('memory', () => {
  test('is bounded over all namespaces: the one unused for longest goes, and a read is a use', () => {
    const rates = createLocalRates({ totalBytes: 100_000 });
    rates.hit(request('read', 1, 0, 60, 'first'));
    for (let i = 0; i < 5000; i++) {
      rates.hit(request(`e${i}`, 1, 0, 60, `n${i % 100}`));
      rates.count(request('read', 0, 0, 60, 'first'));
      expect(rates.sizeBytes).toBeLessThanOrEqual(100_000);
    }
    expect(rates.list(0, 'first')).toHaveLength(1);
    expect(rates.list(0, 'n0').length).toBeLessThan(50);
  });
  test('is bounded per namespace; what was unused for longest goes', () => {
    const rates = createLocalRates({ namespaceBytes: 20_000, namespaces: 2 });
    for (let i = 0; i < 1000; i++) {
      rates.hit(request(`e${i}`, 5, i / 1000));
      rates.hit(request('busy', 100_000, i / 1000));
    }
    const listed = rates.list(1);
    expect(listed.length).toBeLessThan(120);
    expect(listed.find(({ entry }) => entry === 'busy')?.count).toBe(1000);
  });
  test('entries without events go by themselves', () => {
    const rates = createLocalRates();
    for (let i = 0; i < 100; i++) rates.hit(request(`old${i}`, 5, 0));
    for (let i = 0; i < 100; i++) rates.hit(request(`new${i}`, 5, 1000));
    expect(rates.list(0).some(({ entry }) => entry.startsWith('old'))).toBe(false);
  });
  test('namespaces are bounded too', () => {
    const rates = createLocalRates({ namespaceBytes: 1000, namespaces: 2 });
    for (const namespace of ['a', 'b', 'a', 'c']) rates.hit(request('k', 5, 0, 60, namespace));
    expect(
      rates
        .list(1)
        .map(({ namespace }) => namespace)
        .sort(),
    ).toEqual(['a', 'c']);
  });
  test('entries can be listed and cleared', () => {
    const rates = createLocalRates();
    rates.hit(request('x', 5, 0));
    rates.hit(request('x', 5, 1));
    rates.hit(request('y', 5, 1, 60, 'other'));
    expect(rates.list(2, 'ns')).toEqual([{ namespace: 'ns', entry: 'x', count: 2, intervalSeconds: 60 }]);
    expect(rates.clear('ns', 'x')).toBe(true);
    expect(rates.clear('ns', 'x')).toBe(false);
    expect(rates.clear('other')).toBe(true);
    expect(rates.list(2)).toEqual([]);
  });
});

test('entries that are used while all are gone through are met once', () => {
  const rates = createLocalRates();
  const use = (namespace: string, entry: string, nowSeconds = 0) =>
    rates.hit({ namespace, entry, count: 5, intervalSeconds: 10, nowSeconds, isShared: false });
  for (const namespace of ['a', 'b']) for (const entry of ['1', '2', '3']) use(namespace, entry);
  const met: string[] = [];
  for (const { namespace, entry } of rates.each(1)) {
    met.push(namespace + entry);
    if (met.length > 20) break;
    use('a', '1', 1);
    use('b', '1', 1);
    use('a', '2', 1);
    if (entry === '1') rates.clear(namespace, '3');
  }
  // 1 of b was used while a was gone through, and 3 of a was cleared before its turn.
  expect(met).toEqual(['a1', 'a2', 'b2', 'b3', 'b1']);
});
