import { describe, expect, test } from 'vitest';
import { chosenAtRandom, chosenBySeed, inOrder } from '../../../../src/delivery/next-hops/choice.js';

const named = (text: string) =>
  text.split(' ').map((word) => {
    const [preference, name = ''] = word.split(':');
    return { preference: Number(preference), name };
  });
const ordered = (text: string, choice: Parameters<typeof inOrder>[1]) =>
  inOrder(named(text), choice)
    .map(({ name }) => name)
    .join(' ');

test('the most wanted come first, equal ones by their rank', () => {
  const draws = [0.5, 0.9, 0.1, 0.3];
  expect(
    ordered(
      '20:a 10:b 10:c 5:d',
      chosenAtRandom(() => draws.shift()!),
    ),
  ).toBe('d c b a');
});

describe('the choice for a message', () => {
  test('is the same whenever it is made, and however the hosts are listed', () => {
    const choice = chosenBySeed('11111111-2222-4333-8444-555555555555', 0);
    const once = ordered('10:a.test 10:b.test 10:c.test', choice);
    expect(ordered('10:C.test 10:b.test 10:a.test', choice).toLowerCase()).toBe(once);
    expect(
      ordered('10:b.test 10:c.test 10:a.test', chosenBySeed('11111111-2222-4333-8444-555555555555', 0)),
    ).toBe(once);
  });

  test('begins with the next of the equal ones at each retry, and keeps the preferences', () => {
    const at = (retry: number) => ordered('10:a 10:b 10:c 20:d', chosenBySeed('seed', retry)).split(' ');
    const order = at(0);
    expect(at(1)).toEqual([order[1], order[2], order[0], 'd']);
    expect(at(2)).toEqual([order[2], order[0], order[1], 'd']);
    expect(at(3)).toEqual(order);
  });

  test('spreads messages evenly over equal hosts, even if their names differ little', () => {
    const first = new Map<string, number>();
    for (let message = 0; message < 4000; message++) {
      const name = ordered(
        '10:mx1.test 10:mx2.test 10:mx3.test 10:mx4.test',
        chosenBySeed(`id-${message}`, 0),
      ).split(' ')[0]!;
      first.set(name, (first.get(name) ?? 0) + 1);
    }
    expect([...first.keys()].sort()).toEqual(['mx1.test', 'mx2.test', 'mx3.test', 'mx4.test']);
    for (const count of first.values()) {
      expect(count).toBeGreaterThan(850);
      expect(count).toBeLessThan(1150);
    }
  });
});
