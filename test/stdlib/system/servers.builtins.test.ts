import { expect, test } from 'vitest';
import { serverConcurrency } from '../../../stdlib/system/servers.builtins.js';
import { FakeContext } from '../../support/fake-context.js';

test('server_concurrency asks the process, with an address or a network, or none', () => {
  const asked: unknown[] = [];
  const ctx = new FakeContext({
    services: {
      servers: {
        connections: (...question) => {
          asked.push(question);
          return question[0] === 'in' ? 7 : undefined;
        },
      },
    },
  });
  expect(ctx.call(serverConcurrency, 'in')).toBe(7);
  expect(ctx.call(serverConcurrency, 'in', '2001:db8::/32')).toBe(7);
  expect(ctx.call(serverConcurrency, 'in', '192.0.2.1-192.0.2.9')).toBe(7);
  expect(ctx.call(serverConcurrency, 'out')).toBeNull();
  expect(asked).toEqual([
    ['in', undefined],
    ['in', '2001:db8::/32'],
    ['in', '192.0.2.1-192.0.2.9'],
    ['out', undefined],
  ]);
  expect(() => ctx.call(serverConcurrency, 'in', 'localhost')).toThrow(
    'server_concurrency: argument 2 (address) is "localhost"; expected an address or a network',
  );
});

test('where there is no daemon there is no server', () => {
  expect(new FakeContext().call(serverConcurrency, 'in')).toBeNull();
});
