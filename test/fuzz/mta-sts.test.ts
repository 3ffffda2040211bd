import { expect, test } from 'vitest';
import { run } from './mta-sts.js';

test('whatever strangers publish about TLS, reading it ends soon and gives nothing malformed', {
  timeout: 60_000,
}, async () => {
  const counts = await run(30, 8461, 5000);
  expect(counts.policies).toBe(5000);
  expect(counts.understood).toBeGreaterThan(500);
  expect(counts.ids).toBeGreaterThan(50);
  expect(counts.usable).toBeGreaterThan(50);
});
