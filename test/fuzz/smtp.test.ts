import { expect, test } from 'vitest';
import { run } from './smtp.js';

test('whatever a client sends, its session ends, with replies, and nothing smuggled is taken', {
  timeout: 120_000,
}, async () => {
  const counts = await run(60, 4711, 600);
  // Streams that never get anywhere would prove little.
  expect(counts.accepted).toBeGreaterThan(100);
  expect(counts.replies).toBeGreaterThan(counts.sessions * 3);
});
