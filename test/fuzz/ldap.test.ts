import { expect, test } from 'vitest';
import { run } from './ldap.js';

test('whatever a directory sends, an operation ends and the process goes on', {
  timeout: 60_000,
}, async () => {
  const counts = await run(30, 4711, 1000);
  expect(counts.results).toBeGreaterThan(100);
  expect(counts.errors).toBeGreaterThan(100);
  expect(counts.entries).toBeGreaterThan(100);
});
