import { expect, test } from 'vitest';
import { logAttempt, logDecision } from '../../../src/queue/queue-log.js';
import { commitMessage, keptLog, queueRequest, uuid } from '../../support/mail-samples.js';
import { startedQueue } from '../../support/started-queue.js';

async function message() {
  const { spool } = await startedQueue();
  const [one] = await commitMessage(spool, uuid(1), Buffer.from('x\r\n'), [queueRequest(1)]);
  return one!;
}

test('a line has times that people read, and the beginning of what a peer said', async () => {
  const log = keptLog();
  const one = await message();
  const said = `busy\u009b${'x'.repeat(40_000)}`;
  logAttempt(log, one, 'deferred', said, { durationSeconds: 0.123456789012 });
  const change = { retry: 1, nextTry: 1_795_000_000.5, reason: said };
  logDecision(log, one, { kind: 'defer', change });
  const [attempt, deferred] = log.lines.map(({ fields }) => fields as Record<string, unknown>);
  expect(attempt!['seconds']).toBe(0.123);
  expect(deferred!['next']).toBe('2026-11-18T11:06:40.500Z');
  for (const fields of [attempt!, deferred!]) {
    expect(fields['reason']).toMatch(/^busy\\x9bx+\.\.\.$/);
    expect(String(fields['reason']).length).toBeLessThan(600);
  }
});
