import { expect, test } from 'vitest';
import { run } from './mime.js';

test('whatever a message holds and however it is edited, its parts are found, and what nobody touched stays', {
  timeout: 60_000,
}, async () => {
  const counts = await run(30, 4711, 2000);
  expect(counts.parts).toBeGreaterThan(5000);
  expect(counts.edits).toBeGreaterThan(5000);
});
