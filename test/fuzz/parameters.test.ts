import { expect, test } from 'vitest';
import { run } from './parameters.js';

test('arguments of MAIL and RCPT are read or refused, whatever they hold', { timeout: 60_000 }, async () => {
  const counts = await run(30, 4711, 20_000);
  expect(counts.taken).toBeGreaterThan(2000);
  expect(counts.refused).toBeGreaterThan(5000);
});
