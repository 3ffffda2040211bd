// Drives `load-client.ts`: a number of open sessions that send a burst of mail when told to.

import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { root, stopChild } from '../support/peers.js';
import type { BurstResult, LoadOptions } from './load-client.js';

/** Sessions that are open and have greeted. */
export interface Load {
  /** Sends for so many seconds; what has begun is finished. */
  burst(seconds: number): Promise<BurstResult>;
  stop(): Promise<void>;
}

/** Opens all sessions of a client program. @throws when the server refuses one */
export async function startLoad(
  options: Omit<LoadOptions, 'tls' | 'pipelining'> & Partial<LoadOptions>,
  program = 'load-client.js',
): Promise<Load> {
  const child = spawn(
    process.execPath,
    [path.join(root, 'dist/test/perf', program), JSON.stringify(options)],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done !== true) return value;
    await ended;
    throw new Error(`the load client ended: ${stderr.trim()}`);
  };
  await line();
  return {
    async burst(seconds) {
      child.stdin.write(`${seconds}\n`);
      return JSON.parse(await line()) as BurstResult;
    },
    stop: () => stopChild(child),
  };
}
