import { expect, test } from 'vitest';
import { run } from './address-lists.js';

test('whatever a list of addresses holds, what is found in it is found again when it is written', {
  timeout: 60_000,
}, async () => {
  const counts = await run(30, 4711, 5000);
  expect(counts.addresses).toBeGreaterThan(5000);
});
