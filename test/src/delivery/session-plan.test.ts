import { expect, test } from 'vitest';
import type { Introduction } from '../../../src/delivery/client/greeting.js';
import { noTls } from '../../../src/delivery/client/tls.js';
import type { TlsDemand } from '../../../src/delivery/security/demand.js';
import { poolKey } from '../../../src/delivery/session-plan.js';

const route = { ip: '192.0.2.1', port: 25 };
const demand: TlsDemand = {
  minimum: 'required',
  verify: [],
  fallsBack: false,
  unmet: { type: 'dane', temporary: true },
};
const introduction: Introduction = {
  helo: 'client.test',
  protocol: 'smtp',
  peerName: 'mx.test',
  tls: { ...noTls, mode: 'dane' },
  demand,
};
const pinned = (count: number, last = 'ab') => {
  const record = (data: string) => ({ usage: 3, selector: 1, matchingType: 1, data: data.repeat(32) });
  const records = Array.from({ length: count }, (_, index) => record(index === count - 1 ? last : 'cd'));
  return poolKey(route, {
    ...introduction,
    demand: { ...demand, verify: [{ kind: 'dane', records, names: ['mx.test'] }] },
  });
};

test('a host with very many TLSA records does not make a very long key, and other records are another key', () => {
  expect(pinned(1500).length).toBeLessThan(100);
  expect(pinned(1500)).toBe(pinned(1500));
  expect(new Set([pinned(1500), pinned(1500, 'ba'), pinned(1499), pinned(1), pinned(1, 'ba')]).size).toBe(5);
});
