// How long a start takes with many queued messages, what each costs in memory, and how long compaction keeps the event loop.
// `npm run bench -- start [--count N] [--folder FOLDER] [--shape fresh|deferred]`. Every step is a process of its own: one
// fills the spool through the real code with fsync off, one starts spool and queue and is measured, one compacts.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

/** Design.md 7: below ten seconds and at most 250 bytes, with a million. */
const AIMS = { seconds: 10, bytes: 250 };

function step(...args: readonly string[]): Record<string, number> {
  const child = spawnSync(
    process.execPath,
    ['--expose-gc', path.join(import.meta.dirname, 'start-child.js'), ...args],
    { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' },
  );
  if (child.status !== 0)
    throw new Error(`start-child ${args[0]} ended with ${child.status ?? child.signal}`);
  return JSON.parse(child.stdout) as Record<string, number>;
}

/** Runs the benchmark. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      count: { type: 'string', default: '1000000' },
      folder: { type: 'string', default: tmpdir() },
      shape: { type: 'string' },
    },
  });
  for (const shape of values.shape === undefined ? ['fresh', 'deferred'] : [values.shape]) {
    const folder = mkdtempSync(path.join(values.folder, 'argonite-start-'));
    try {
      const made = step('fill', folder, values.count, shape);
      console.log(`${values.count} messages, ${shape}: made in ${made['seconds']!.toFixed(1)} s`);
      const { seconds, bytes, rssMiB, cpuSeconds } = step('start', folder, values.count);
      console.log(
        `  start ${seconds!.toFixed(2)} s (${cpuSeconds!.toFixed(2)} CPU; aim ${AIMS.seconds} s), ` +
          `${bytes!.toFixed(0)} bytes a message (aim ${AIMS.bytes}), ${rssMiB!.toFixed(0)} MiB at most`,
      );
      const compacted = step('compact', folder, values.count);
      console.log(
        `  snapshot of what is left of it in ${compacted['seconds']!.toFixed(2)} s, ` +
          `longest block of the event loop ${compacted['blockMs']!.toFixed(1)} ms (p99.9 ${compacted['p999Ms']!.toFixed(1)} ms)`,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
