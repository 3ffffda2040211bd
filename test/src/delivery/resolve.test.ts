import { expect, test } from 'vitest';
import type { Lookup, LookupAnswer } from '../../../src/delivery/lookup.js';
import { systemLookup } from '../../../src/delivery/lookup.js';
import { resolveDestination } from '../../../src/delivery/resolve.js';
import { makeTransport } from '../../support/delivery-attempt.js';

const never: Lookup = () => Promise.reject(new Error('nobody should look anything up'));
const answering =
  (answer: LookupAnswer): Lookup =>
  () =>
    Promise.resolve(answer);

test('an address needs no look-up, and remotemx is the text as configured', async () => {
  const transport = makeTransport({ host: '127.0.1.1', port: 2526 });
  expect(await resolveDestination(transport, {}, never)).toEqual({
    remoteMx: '127.0.1.1',
    addresses: [{ ip: '127.0.1.1', port: 2526, remoteMx: '127.0.1.1' }],
  });
});

test('an address in brackets is an address', async () => {
  expect(await resolveDestination(makeTransport({ host: '[::1]' }), {}, never)).toEqual({
    remoteMx: '[::1]',
    addresses: [{ ip: '::1', port: 25, remoteMx: '[::1]' }],
  });
});

test('host and port of Try win over the transport', async () => {
  const lookup = answering({ kind: 'addresses', ips: ['127.0.0.2', '::1'] });
  expect(await resolveDestination(makeTransport(), { host: 'mx.test', port: 24 }, lookup)).toEqual({
    remoteMx: 'mx.test',
    addresses: [
      { ip: '127.0.0.2', port: 24, remoteMx: 'mx.test' },
      { ip: '::1', port: 24, remoteMx: 'mx.test' },
    ],
  });
});

test.each([
  [makeTransport({ host: undefined }), {}, /transport "relay" has no host.*not supported yet/],
  [makeTransport(), { host: 'lookup-mx' }, /"lookup-mx" is not supported yet/],
  [makeTransport(), { port: 0 }, /port.*from 1 to 65535, got 0/],
])('what is not configured is told and keeps the mail', async (transport, options, message) => {
  const answer = await resolveDestination(transport, options, never);
  expect(answer).toMatchObject({
    error: { type: 'config', temporary: true, message: expect.stringMatching(message) },
  });
});

test.each(['nxdomain', 'nodata', 'other'] as const)(
  'a configured host without addresses (%s) is a slip of ours and keeps the mail',
  async (reason) => {
    const lookup = answering({ kind: 'none', reason, message: 'no such host' });
    expect(await resolveDestination(makeTransport({ host: 'relay.test' }), {}, lookup)).toEqual({
      error: {
        type: 'dns',
        dns: reason,
        temporary: true,
        message: 'host "relay.test" has no address: no such host',
      },
    });
  },
);

test('the system knows localhost', async () => {
  const answer = await systemLookup('localhost');
  expect(answer.kind === 'addresses' && answer.ips.some((ip) => ip === '127.0.0.1' || ip === '::1')).toBe(
    true,
  );
});
