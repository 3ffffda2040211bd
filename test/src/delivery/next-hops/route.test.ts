import { expect, test } from 'vitest';
import { routeOf } from '../../../../src/delivery/next-hops/route.js';
import { makeTransport } from '../../../support/delivery-attempt.js';

const toMailHosts = makeTransport({ host: undefined });
const toRelay = makeTransport({ host: 'relay.test', port: 2525 });

test.each([
  [
    'a transport without a host means the mail hosts of the recipient',
    toMailHosts,
    {},
    { domain: 'b.test', port: 25 },
  ],
  ['a transport with a host means it', toRelay, {}, { host: 'relay.test', port: 2525 }],
  ['Try may name another', toRelay, { host: '192.0.2.1', port: 24 }, { host: '192.0.2.1', port: 24 }],
  ['Try may name one where there is none', toMailHosts, { host: 'x.test' }, { host: 'x.test', port: 25 }],
  [
    'Try may mean the mail hosts all the same',
    toRelay,
    { host: 'Lookup-MX' },
    { domain: 'b.test', port: 2525 },
  ],
  ['Try may mean those of another domain', toMailHosts, { domain: 'c.test' }, { domain: 'c.test', port: 25 }],
  ['a domain is of no use beside a host', toRelay, { domain: 'c.test' }, { host: 'relay.test', port: 2525 }],
  [
    'a smart host may have mail hosts itself',
    makeTransport({ host: 'relay.test', lookup: 'mx' }),
    {},
    { domain: 'relay.test', port: 25 },
  ],
  [
    'a host may be a host',
    makeTransport({ host: 'relay.test', lookup: 'address' }),
    {},
    { host: 'relay.test', port: 25 },
  ],
  [
    'the mail hosts of a message are not those of the smart host',
    makeTransport({ host: 'relay.test', lookup: 'mx' }),
    { host: 'lookup-mx' },
    { domain: 'b.test', port: 25 },
  ],
] as const)('%s', (_what, transport, wish, expected) => {
  const route = routeOf(transport, wish, 'b.test');
  expect(route).toEqual({ filter: {}, families: { ipv4: true, ipv6: true }, ...expected });
});

test('a filter of Try takes the place of the same one of the transport', () => {
  const transport = makeTransport({ mx: { include: ['a.test'], exclude: ['b.test'] } });
  expect(routeOf(transport, { mxExclude: ['c.test'] }, 'b.test')).toMatchObject({
    filter: { include: ['a.test'], exclude: ['c.test'] },
  });
});

test('the families are those that are sent from', () => {
  const families = { ipv4: false, ipv6: true };
  expect(routeOf(toMailHosts, {}, 'b.test', families)).toMatchObject({ families });
});

test('a port that is none is a slip of ours', () => {
  expect(routeOf(toRelay, { port: 0 }, 'b.test')).toEqual({
    error: {
      type: 'config',
      temporary: true,
      message: 'the port of host "relay.test" must be a number from 1 to 65535, got 0',
    },
  });
  expect(routeOf(toMailHosts, { port: 70_000 }, 'b.test')).toMatchObject({
    error: { message: expect.stringContaining('the port of the mail hosts') },
  });
});
