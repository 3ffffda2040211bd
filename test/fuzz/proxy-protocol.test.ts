import { expect, test } from 'vitest';
import { run } from './proxy-protocol.js';

test('whatever stands in front of a connection, only a good PROXY header lets a client in', {
  timeout: 60_000,
}, async () => {
  const counts = await run(30, 4711, 4000);
  expect(counts.accepted).toBeGreaterThan(1000);
  expect(counts.refused).toBeGreaterThan(500);
  expect(counts.connections).toBeGreaterThan(100);
});
