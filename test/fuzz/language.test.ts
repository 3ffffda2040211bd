import { expect, test } from 'vitest';
import { run } from './language.js';

test('whatever a program says, compiler and VM answer with a diagnostic, a result or an exception', {
  timeout: 120_000,
}, async () => {
  const counts = await run(60, 4711, 400);
  // The generator is no use if nothing of it runs.
  expect(counts.compiled).toBeGreaterThan(150);
  expect(counts.finished).toBeGreaterThan(10);
  expect(counts.failed).toBeGreaterThan(10);
});
