import { expect, test } from 'vitest';
import { isUnspecified, nobody, ownHosts } from '../../../../src/delivery/next-hops/own-hosts.js';

const machine = () => ['198.51.100.7', 'fe80::1%eth0', '2001:db8::7'];
const we = (...listeners: [address: string, port: number][]) =>
  ownHosts('MX.a.test.', () => listeners.map(([address, port]) => ({ address, port })), machine);

test.each([
  ['mx.a.test', true],
  ['mx.A.test.', true],
  ['mx2.a.test', false],
  ['a.test', false],
])('the host name is ours in whatever spelling: %s', (name, isOurs) => {
  expect(we().isName(name)).toBe(isOurs);
});

test.each([
  // The port counts.
  [['127.0.0.1', 25], '127.0.0.1', 25, true],
  [['127.0.0.1', 2525], '127.0.0.1', 25, false],
  [['127.0.0.1', 25], '127.0.0.2', 25, false],
  [['127.0.0.1', 25], '::ffff:127.0.0.1', 25, true],
  // All addresses of the machine.
  [['0.0.0.0', 25], '198.51.100.7', 25, true],
  [['0.0.0.0', 25], '127.3.2.1', 25, true],
  [['0.0.0.0', 25], '198.51.100.8', 25, false],
  [['0.0.0.0', 25], '2001:db8::7', 25, false],
  [['::', 25], '2001:db8:0::7', 25, true],
  [['::', 25], 'fe80::1', 25, true],
  [['::', 25], '::1', 25, true],
  [['::', 25], '198.51.100.7', 25, true],
  [['::', 25], '198.51.100.7', 26, false],
  // What is no address is nobody.
  [['/run/argonite/in', 25], '127.0.0.1', 25, false],
  [['127.0.0.1', 25], 'mx.a.test', 25, false],
] as const)('with a listener at %s, %s port %d: %s', ([address, port], ip, hopPort, isOurs) => {
  expect(we([address, port]).isAddress(ip, hopPort)).toBe(isOurs);
});

test('listeners that open later count from then on', () => {
  const listeners: { address: string; port: number }[] = [];
  const own = ownHosts('a.test', () => listeners, machine);
  expect(own.isAddress('127.0.0.1', 25)).toBe(false);
  listeners.push({ address: '127.0.0.1', port: 25 });
  expect(own.isAddress('127.0.0.1', 25)).toBe(true);
});

test('the machine knows its own addresses', () => {
  const own = ownHosts('a.test', () => [{ address: '::', port: 25 }]);
  expect(own.isAddress('127.0.0.1', 25)).toBe(true);
  expect(own.isAddress('192.0.2.1', 25)).toBe(false);
});

test('nobody is ourselves where that does not matter', () => {
  expect(nobody.isName('localhost') || nobody.isAddress('127.0.0.1', 25)).toBe(false);
});

test.each([
  ['0.0.0.0', true],
  ['::', true],
  ['::ffff:0.0.0.0', true],
  ['0.0.0.1', false],
  ['::1', false],
])('%s means no host in particular: %s', (ip, is) => {
  expect(isUnspecified(ip)).toBe(is);
});
