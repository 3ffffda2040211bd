import { expect, test } from 'vitest';
import { run } from './control.js';

test('whatever comes over the control socket or in a queue file is read or refused, within bounds', {
  timeout: 60_000,
}, async () => {
  const counts = await run(30, 4711, 3000);
  expect(counts.requests).toBeGreaterThan(1000);
  expect(counts.bodies).toBeGreaterThan(100);
  expect(counts.files).toBeGreaterThan(100);
});
