import { expect, test } from 'vitest';
import { run } from './headers.js';

test('whatever a header section holds and however it is edited, untouched bytes go out as they came in', {
  timeout: 60_000,
}, async () => {
  const counts = await run(30, 4711, 5000);
  expect(counts.edits).toBeGreaterThan(5000);
  expect(counts.fields).toBeGreaterThan(10_000);
});
