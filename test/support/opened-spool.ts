import { onTestFinished } from 'vitest';
import { type DiskSpool, openSpool, type SpoolOptions } from '../../src/spool/disk-spool.js';
import type { QueuedMessage } from '../../src/spool/spool.js';
import { FrozenFiles } from './frozen-files.js';
import { keptLog } from './mail-samples.js';

/** A recovered spool in memory, closed when the test has finished. */
export async function openedSpool(
  files: FrozenFiles = new FrozenFiles(),
  options: Partial<SpoolOptions> = {},
): Promise<{
  spool: DiskSpool;
  files: FrozenFiles;
  found: readonly QueuedMessage[];
  log: ReturnType<typeof keptLog>;
}> {
  const log = keptLog();
  const spool = await openSpool({
    folder: '/spool',
    files,
    log,
    now: () => 1000,
    ...options,
    sizes: { reserveBytes: 0, ...options.sizes },
  });
  onTestFinished(() => spool.close());
  const found: QueuedMessage[] = [];
  await spool.recover((messages) => found.push(...messages));
  return { spool, files, found, log };
}

/** Ids as people write them, in order. */
export function idsOf(messages: readonly QueuedMessage[]): string[] {
  return messages.map(({ id }) => `${id.transaction}:${id.number}`).sort();
}
