// Looking at all messages without stalling the daemon: after a few milliseconds of looking the event loop has its turn
// (control-api 3). Each message that stays is seen once, as it is at that moment.

import type { ListedMessage, SeenInQueue } from '../../queue/message-queue.js';
import type { MessageId } from '../../spool/spool.js';
import { nextTurn } from '../operation.js';
import { compileConditions, exactIds, type QueueConditions } from './conditions.js';

/** The part of the queue that is looked at. */
export interface LookedAt {
  look(): Iterable<SeenInQueue>;
  find(id: MessageId): ListedMessage | undefined;
}

/** One look is no longer. A delivery may be waiting. */
const SLICE_MS = 5;
/** So many messages between two looks at the clock. */
const STRIDE = 64;

/**
 * What is done with a message at the moment it is seen; false ends the scan, a promise makes it wait. What is seen passes: who needs
 * it after that moment, or needs all of it, keeps it.
 */
export type OnFound = (seen: SeenInQueue, keep: () => ListedMessage) => boolean | Promise<boolean>;

/** Hands over the messages that fit, in the order of the queue. @throws ControlError for conditions that cannot be read */
export async function scan(
  queue: LookedAt,
  conditions: QueueConditions | undefined,
  now: number,
  onFound: OnFound,
  signal?: AbortSignal,
): Promise<void> {
  const fits = compileConditions(conditions, now);
  const ids = exactIds(conditions);
  const messages = ids === undefined ? queue.look() : foundOf(queue, ids);
  let seen: SeenInQueue | undefined;
  const keep = (): ListedMessage => queue.find(seen!.message.id)!;
  let deadline = performance.now() + SLICE_MS;
  let count = 0;
  for (seen of messages) {
    if (fits(seen)) {
      const goesOn = onFound(seen, keep);
      if (goesOn !== true && !(await goesOn)) return;
    }
    if (++count % STRIDE !== 0 || performance.now() < deadline) continue;
    await nextTurn();
    if (signal?.aborted) return;
    deadline = performance.now() + SLICE_MS;
  }
}

function* foundOf(queue: LookedAt, ids: readonly MessageId[]): Generator<ListedMessage> {
  const given = new Set<string>();
  for (const id of ids) {
    const name = `${id.transaction}:${id.number}`;
    const found = given.has(name) ? undefined : queue.find(id);
    given.add(name);
    if (found !== undefined) yield found;
  }
}
