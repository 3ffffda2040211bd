import { expect, test } from 'vitest';
import type { Destination } from '../../../src/delivery/deliverer.js';
import { SharedDestinations } from '../../../src/queue/shared-destinations.js';

function to(n: number): Destination {
  return { remoteMx: `mx${n}.test`, addresses: [{ ip: '192.0.2.1', port: 25, remoteMx: `mx${n}.test` }] };
}

test('equal destinations are one, others are not', () => {
  const shared = new SharedDestinations();
  const first = shared.share(to(1));
  expect(shared.share(to(1))).toBe(first);
  expect(shared.share(to(2))).toEqual(to(2));
  expect(shared.share({ ...to(1), addresses: [] })).not.toBe(first);
});

test('what is asked for stays known while thousands of others come', () => {
  const shared = new SharedDestinations();
  const often = shared.share(to(0));
  for (let n = 1; n < 10_000; n++) {
    shared.share(to(n));
    if (n % 500 === 0) expect(shared.share(to(0))).toBe(often);
  }
});
