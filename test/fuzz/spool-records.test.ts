import { expect, test } from 'vitest';
import { run } from './spool-records.js';

test('however the files of a spool are damaged, recovery gives what was committed or says why it cannot', {
  timeout: 60_000,
}, async () => {
  const counts = await run(30, 4711, 400);
  expect(counts.recovered).toBeGreaterThan(100);
  expect(counts.refused).toBeGreaterThan(10);
  expect(counts.messages).toBeGreaterThan(500);
});
