// A benchmark with a resolv.conf of its own: Postfix and Haraka look mail hosts up where the system says, and nobody but a name
// server of ours on loopback may be asked. The benchmark runs itself again in a mount namespace where that file lies over
// /etc/resolv.conf; the machine's own is not touched.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { root, stopChild } from '../support/peers.js';

/** Where the names come from, and the one mail host of them all: port 25, as MX has no port. */
export const nameServer = '127.0.53.53';
export const mailHost = '127.0.53.25';

const inside = 'ARGONITE_BENCH_NAMES';

/** Whether this process has them; if not, it has run itself again with them, and that is over. */
export function hasOwnNames(): boolean {
  if (process.env[inside] === '1') return true;
  if (process.getuid?.() !== 0) throw new Error('--mx needs root: port 53, port 25, and a mount namespace');
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'argonite-names-')), 'resolv.conf');
  writeFileSync(file, `nameserver ${nameServer}\n`);
  const { status } = spawnSync(
    'unshare',
    [
      '--mount',
      ...['sh', '-c', 'mount --bind "$0" /etc/resolv.conf && exec "$@"', file],
      ...[process.execPath, ...process.argv.slice(1)],
    ],
    { stdio: 'inherit', env: { ...process.env, [inside]: '1' } },
  );
  process.exitCode = status ?? 1;
  return false;
}

/** Answers questions until it is stopped. */
export async function startNames(): Promise<{ stop(): Promise<void> }> {
  const program = path.join(root, 'dist/test/perf/mx-responder.js');
  const child = spawn(process.execPath, [program, nameServer, '53', mailHost], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(createInterface({ input: child.stdout }), 'line');
  return { stop: () => stopChild(child) };
}
