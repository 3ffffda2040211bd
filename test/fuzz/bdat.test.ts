import { expect, test } from 'vitest';
import { run } from './bdat.js';

test('messages in chunks arrive byte by byte, and wrong chunks harm nobody', {
  timeout: 120_000,
}, async () => {
  const counts = await run(60, 4711, 600);
  expect(counts.accepted).toBeGreaterThan(200);
  expect(counts.refused).toBeGreaterThan(200);
  expect(counts.chunks).toBeGreaterThan(1000);
});
