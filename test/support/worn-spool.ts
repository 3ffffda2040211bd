// A spool with files of every kind, as it lies on a disk: a snapshot and logs behind it, several body segments, large messages in
// files of their own, messages that were changed and removed since.

import { openSpool, type SpoolSizes } from '../../src/spool/disk-spool.js';
import { messageIdToText } from '../../src/spool/id-table.js';
import type { QueuedMessage } from '../../src/spool/spool.js';
import { FrozenFiles } from './frozen-files.js';
import { commitMessage, keptLog, queueRequest, uuid } from './mail-samples.js';

/** Small files. */
export const wornSizes: Partial<SpoolSizes> = {
  memoryBytes: 2000,
  bodySegmentBytes: 3000,
  metaSegmentBytes: 1500,
  snapshotBytes: 4000,
  recentBytes: 0,
  reserveBytes: 0,
};

/** What must be found again. */
export interface WornSpool {
  readonly isClosed: boolean;
  readonly files: FrozenFiles;
  readonly messages: ReadonlyMap<string, { readonly message: QueuedMessage; readonly bytes: Buffer }>;
}

/** Makes one; without `isClosed` as a kill leaves it. */
export async function wornSpool(isClosed: boolean): Promise<WornSpool> {
  const files = new FrozenFiles();
  const spool = await openSpool({
    folder: '/spool',
    files,
    log: keptLog(),
    now: () => 1000,
    sizes: wornSizes,
  });
  await spool.recover(() => {});
  const messages = new Map<string, { message: QueuedMessage; bytes: Buffer }>();
  for (let n = 1; n <= 24; n++) {
    const body = Buffer.alloc(n % 8 === 0 ? 5000 : 300, `message ${n} `);
    const pieces = [
      { kind: 'bytes', bytes: Buffer.from(`X-Edit: ${n}\r\n`) },
      { kind: 'range', start: 0, end: body.length },
    ] as const;
    const requests = [queueRequest(1), queueRequest(2, n % 3 === 0 ? { pieces } : {})];
    for (const message of await commitMessage(spool, uuid(n), body, requests)) {
      const isEdited = message.id.number === 2 && n % 3 === 0;
      const bytes = isEdited ? Buffer.concat([pieces[0].bytes, body]) : body;
      messages.set(messageIdToText(message.id), { message, bytes });
    }
    // Between snapshots and after the last one.
    if (n % 2 === 0) {
      const changed = messages.get(`${uuid(n - 1)}:1`)!;
      const change = { retry: n, nextTry: 2000 + n, reason: `later ${n}` };
      await spool.update(changed.message.id, change);
      changed.message = { ...changed.message, ...change };
    }
    if (n % 5 === 0) {
      const { message } = messages.get(`${uuid(n - 2)}:2`)!;
      await spool.remove(message.id);
      messages.delete(messageIdToText(message.id));
    }
    if (n === 16) await spool.compacted();
  }
  await spool.flushed();
  const result = { isClosed, files: files.copy(), messages };
  await spool.close();
  return isClosed ? { isClosed, files, messages } : result;
}
