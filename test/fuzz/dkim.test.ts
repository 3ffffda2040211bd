import { expect, test } from 'vitest';
import { run } from './dkim.js';

test('hostile signatures, records and messages are read in time, and what we sign passes after delivery', {
  timeout: 60_000,
}, async () => {
  const counts = await run(30, 4711, 1500);
  expect(counts.rounds).toBe(1500);
  expect(counts.passed).toBe(1500);
  expect(counts.signatures).toBeGreaterThan(100);
  expect(counts.keys).toBeGreaterThan(20);
  expect(counts.refused).toBeGreaterThan(400);
});
