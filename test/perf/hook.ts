import path from 'node:path';
import { root, runProgram } from '../support/peers.js';
import { median } from './measure.js';

/** A 40-line hook from a fresh context, in a warm process: microseconds each. The bar is 12 in the interpreter. */
export async function run(): Promise<void> {
  const { code, stdout, stderr } = await runProgram(process.execPath, [
    path.join(root, 'dist/test/perf/hook-child.js'),
    '8',
  ]);
  if (code !== 0) throw new Error(stderr);
  const [, ...times] = stdout.trim().split(' ').map(Number);
  process.stdout.write(
    `hook, context and body, warm: ${(median(times.slice(2)) / 100).toFixed(2)} us (first 100,000: ${(times[0]! / 100).toFixed(2)} us)\n`,
  );
}
