import { expect, test } from 'vitest';
import { run } from './auth.js';

test('whatever a client says in AUTH, scripts see only that, and nobody gets in without the password', {
  timeout: 120_000,
}, async () => {
  const counts = await run(60, 4954, 2000);
  // Streams that never get anywhere would prove little.
  expect(counts.asked).toBeGreaterThan(800);
  expect(counts.letIn).toBeGreaterThan(60);
  expect(counts.proxied).toBeGreaterThan(counts.sessions);
});
