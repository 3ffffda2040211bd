import { expect, test } from 'vitest';
import { run } from './spool-crash.js';

test('whatever fails, and whenever the process or the power does, what was promised is in the spool, once and whole', {
  timeout: 120_000,
}, async () => {
  const counts = await run(60, 4711, 150);
  expect(counts.images).toBeGreaterThan(1000);
  expect(counts.acknowledged).toBeGreaterThan(2000);
  expect(counts.refused).toBeGreaterThan(50);
});
