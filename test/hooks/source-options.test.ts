// Where Try says that mail comes from (hooks 12.1).

import { describe, expect, test } from 'vitest';
import { predelivery } from '#hooks';
import type { Builtin, Value } from '#lang';
import { createLocalServices, nothingConfigured } from '#stdlib';
import { queueFrame } from '../../hooks/queue-actions.js';
import { FakeContext, toValue } from '../support/fake-context.js';

const addresses: Readonly<Record<string, { address: string; hostname: string | undefined }>> = {
  a: { address: '192.0.2.1', hostname: 'a.test' },
  six: { address: '2001:db8::1', hostname: undefined },
};

function tryWith(options: object): Value {
  const declaration = predelivery.declarations.find(({ name }) => name === 'Try') as Builtin;
  const services = createLocalServices({
    configured: { ...nothingConfigured, address: (id) => addresses[id] },
  });
  const ctx = new FakeContext({ services: { ...services, frame: queueFrame({}, false) } as object });
  return ctx.call(declaration, toValue(options));
}

describe('Try', () => {
  test('takes configured addresses by their ids, with their names', () => {
    expect(tryWith({ sourceip: ['a', 'a', 'six'] })).toEqual({
      kind: 'Try',
      options: {
        sources: [
          { ip: '192.0.2.1', id: 'a', helo: 'a.test' },
          { ip: '192.0.2.1', id: 'a', helo: 'a.test' },
          { ip: '2001:db8::1', id: 'six' },
        ],
      },
    });
  });

  test('takes addresses with names of their own', () => {
    const sourceip = [
      { id: 'a', helo: 'other.test' },
      { address: '192.0.2.9', helo: 'nine.test' },
    ];
    expect(tryWith({ sourceip, sourceip_random: false, nonlocal_source: true })).toEqual({
      kind: 'Try',
      options: {
        sources: [
          { ip: '192.0.2.1', id: 'a', helo: 'other.test' },
          { ip: '192.0.2.9', helo: 'nine.test' },
        ],
        takesFirstSource: true,
        isSourceNonlocal: true,
      },
    });
  });

  test('says nothing where the default is meant', () => {
    expect(tryWith({ sourceip_random: true, nonlocal_source: false })).toEqual({ kind: 'Try', options: {} });
  });

  test.each([
    [[], '"sourceip" is empty; expected at least one address'],
    [['b'], '"b" in "sourceip" is not among the configured addresses'],
    [[7], 'item 0 of "sourceip" must be the id of an address'],
    [[{ address: 'mx.test' }], '"address" in item 0 of "sourceip" is "mx.test"; expected an IP address'],
    [[{ id: 'a', address: '192.0.2.1' }], 'item 0 of "sourceip" must have either "id" or "address"'],
    [[{ helo: 'x' }], 'item 0 of "sourceip" must have either "id" or "address"'],
    [[{ id: 7 }], '"id" in item 0 of "sourceip" must be a string'],
  ])('refuses the list %j', (sourceip, message) => {
    expect(() => tryWith({ sourceip })).toThrow(message);
  });
});
