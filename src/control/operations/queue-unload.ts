// J, QueueUnload (control-api 4.4): moves messages out to files, one for each. A message is forgotten when its file is on disk under its
// name, and not before: a crash in between leaves it in both places, and then its import here is refused.

import type { MessageQueue } from '../../queue/message-queue.js';
import { type MessageId, type Spool, SpoolError } from '../../spool/spool.js';
import { givenConditions, type QueueConditions } from '../conditions/conditions.js';
import { scan } from '../conditions/scan.js';
import { ControlError, type Operation } from '../operation.js';
import { queueFileName, writeQueueFile } from '../transfer/queue-file.js';
import { UnloadFolder } from '../transfer/unload-folder.js';

/** Messages that are moved at once. */
const AT_ONCE = 32;
/** Failures that are told one by one. */
const MOST_FAILURES = 100;

/** `QueueUnloadRequest`. */
export interface QueueUnloadRequest {
  readonly conditions?: QueueConditions;
  readonly path?: string;
  readonly limit?: number;
}

/** `QueueUnloadResponse`. */
export interface QueueUnloadResponse {
  readonly affected: number;
  readonly failures: readonly { readonly id: object; readonly reason: string }[];
}

/** What the operation works on. */
export interface QueueUnloadParts {
  readonly queue: Pick<MessageQueue, 'look' | 'find' | 'unload'>;
  readonly spool: Pick<Spool, 'open'>;
  /** Folders of the spool, to which nothing is moved out. */
  readonly spoolFolders: readonly string[];
  readonly now: () => number;
  readonly log: { info(fields: object, message: string): void };
}

/** Moves messages out. */
export function queueUnload(parts: QueueUnloadParts): Operation<QueueUnloadRequest, QueueUnloadResponse> {
  return {
    async run({ conditions, path = '', limit = Number.POSITIVE_INFINITY }) {
      const folder = await UnloadFolder.open(path, parts.spoolFolders);
      try {
        const result = await new Unloading(parts, folder).run(conditions, limit);
        parts.log.info(
          {
            command: 'QueueUnload',
            affected: result.affected,
            conditions: givenConditions(conditions),
            folder: path,
          },
          'messages were moved out of the queue',
        );
        return result;
      } finally {
        await folder.close();
      }
    },
  };
}

class Unloading {
  readonly #parts: QueueUnloadParts;
  readonly #folder: UnloadFolder;
  readonly #running = new Set<Promise<void>>();
  readonly #failures: { readonly id: object; readonly reason: string }[] = [];
  #affected = 0;

  constructor(parts: QueueUnloadParts, folder: UnloadFolder) {
    this.#parts = parts;
    this.#folder = folder;
  }

  async run(conditions: QueueConditions | undefined, limit: number): Promise<QueueUnloadResponse> {
    const { queue, now } = this.#parts;
    let begun = 0;
    if (limit > 0)
      await scan(queue, conditions, now(), async ({ message: { id } }) => {
        begun++;
        const running = this.#unload(id).finally(() => this.#running.delete(running));
        this.#running.add(running);
        if (this.#running.size >= AT_ONCE) await Promise.race(this.#running);
        return begun < limit;
      });
    await Promise.all(this.#running);
    return { affected: this.#affected, failures: this.#failures };
  }

  /** Rejects for mistakes of ours only. */
  async #unload(id: MessageId): Promise<void> {
    const { queue, spool } = this.#parts;
    let result: 'done' | 'busy' | 'unknown';
    try {
      result = await queue.unload(id, (message) =>
        this.#folder.save(queueFileName(message), (file) =>
          writeQueueFile(file, message, spool.open(id).chunks()),
        ),
      );
    } catch (error) {
      if (!isTrouble(error)) throw error;
      this.#failed(id, error.message);
      return;
    }
    if (result === 'done') this.#affected++;
    else if (result === 'busy') this.#failed(id, 'it is being worked on; ask again later');
  }

  #failed({ transaction, number }: MessageId, reason: string): void {
    if (this.#failures.length < MOST_FAILURES)
      this.#failures.push({ id: { transaction, queue: number }, reason });
  }
}

/** The disk, on either side, and what we have said ourselves. */
function isTrouble(error: unknown): error is Error {
  return (
    error instanceof SpoolError ||
    error instanceof ControlError ||
    (error instanceof Error && 'syscall' in error)
  );
}
