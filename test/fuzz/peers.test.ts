import { expect, test } from 'vitest';
import { run } from './peers.js';

test('whatever a peer says, an attempt ends, and its verdict is what the dialogue bears out', {
  timeout: 60_000,
}, async () => {
  const counts = await run(40, 4711, 3000);
  expect(Math.min(counts.delivered, counts.deferred, counts.failed)).toBeGreaterThan(100);
});
