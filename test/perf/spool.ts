// How many messages a second the spool makes durable, and at what CPU cost: N writers, each waiting for its commit before the
// next. Run the build: node dist/test/perf/spool.js [folder] [seconds].

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openSpool } from '../../src/spool/disk-spool.js';
import { commitMessage, keptLog, uuid } from '../support/mail-samples.js';

const parent = process.argv[2] ?? tmpdir();
const seconds = Number(process.argv[3] ?? 2);

async function measure(writers: number, sizeBytes: number, removes: boolean): Promise<void> {
  const folder = mkdtempSync(path.join(parent, 'argonite-spool-'));
  const spool = await openSpool({ folder, log: keptLog() });
  await spool.recover(() => {});
  const body = Buffer.alloc(sizeBytes, 'x');
  const times: number[] = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  let n = 0;
  const end = start + seconds * 1000;
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (performance.now() < end) {
        const begun = performance.now();
        const [message] = await commitMessage(spool, uuid(n++), body);
        times.push(performance.now() - begun);
        if (removes) void spool.remove(message!.id);
      }
    }),
  );
  const took = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await spool.close();
  rmSync(folder, { recursive: true });
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]!.toFixed(2);
  console.log(
    `${writers} writers, ${sizeBytes} bytes${removes ? ', removed at once' : ''}: ` +
      `${Math.round(times.length / took)}/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ` +
      `${((user + system) / 1000 / times.length).toFixed(3)} CPU s per 1,000`,
  );
}

await measure(100, 4096, false);
await measure(1, 4096, false);
await measure(20, 4096, false);
await measure(1000, 4096, false);
await measure(100, 4096, true);
await measure(100, 102_400, true);
