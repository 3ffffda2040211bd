import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { configFolder, sendMail, serveUntilItEnds, startDaemonIn } from '../support/mta.js';

// `spool.path` as a list (queue-and-config 1.5, and 8.5 no. 5).

const spool = { path: ['one', 'two'] };
const later = { count: 100, intervals: [{ interval: 3600 }] };

test('mail that waits lies in both folders, and a restart finds all of it', async () => {
  const folder = configFolder({ spool, retry: later });
  for (const name of spool.path) mkdirSync(path.join(folder, name));
  const daemon = await startDaemonIn(folder);
  for (let n = 0; n < 100; n++) {
    expect((await sendMail(daemon, `Subject: number ${n}\r\n\r\nbody`)).code).toBe(250);
  }
  const held = (name: string) =>
    readdirSync(path.join(folder, name))
      .filter((file) => file.startsWith('body-'))
      .map(
        (file) => readFileSync(path.join(folder, name, file), 'latin1').split('Subject: number').length - 1,
      )
      .reduce((sum, count) => sum + count, 0);
  const counts = spool.path.map(held);
  expect(counts[0]! + counts[1]!).toBe(100);
  expect(Math.min(...counts)).toBeGreaterThan(10);
  await daemon.stop('SIGKILL');
  const again = await startDaemonIn(folder);
  const ready = await again.waitForLine(({ msg }) => msg === 'ready');
  const { active, defer, hold } = ready['queue'] as Record<string, number>;
  expect(active! + defer! + hold!).toBe(100);
});

test('a folder of several that is missing is a reason not to start', async () => {
  const folder = configFolder({ spool });
  mkdirSync(path.join(folder, 'one'));
  const { code, stderr } = await serveUntilItEnds(folder);
  expect({ code, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 1, lines: 1 });
  expect(stderr).toContain(`${path.join(folder, 'two')} does not exist`);
  expect(stderr).toContain('mount its disk, or create the folder');
});
