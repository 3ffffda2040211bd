import { expect, test } from 'vitest';
import { run } from './dns.js';

test('whatever a server sends, reading it ends soon and gives no more than was sent', {
  timeout: 60_000,
}, async () => {
  const counts = await run(30, 1035, 20_000);
  expect(counts.understood).toBeGreaterThan(2000);
  expect(counts.broken).toBeGreaterThan(1000);
  expect(counts.exchanges).toBe(400);
});
