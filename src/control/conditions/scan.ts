// Looking at all messages without stalling the daemon: after a few milliseconds of looking the event loop has its turn
// (control-api 3). Each message that stays is seen once, as it is at that moment.

import type { ListedMessage } from '../../queue/message-queue.js';
import type { MessageId } from '../../spool/spool.js';
import { nextTurn } from '../operation.js';
import { compileConditions, exactIds, type Fits, type QueueConditions } from './conditions.js';

/** The part of the queue that is looked at. */
export interface LookedAt {
  list(): Iterable<ListedMessage>;
  find(id: MessageId): ListedMessage | undefined;
}

/** One look is no longer. A delivery may be waiting. */
const SLICE_MS = 5;
/** So many messages between two looks at the clock. */
const STRIDE = 64;

/** What is done with a message at the moment it is seen; false ends the scan, a promise makes it wait. */
export type OnFound = (listed: ListedMessage) => boolean | Promise<boolean>;

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
  await look(ids === undefined ? queue.list() : foundOf(queue, ids), fits, onFound, signal);
}

function* foundOf(queue: LookedAt, ids: readonly MessageId[]): Generator<ListedMessage> {
  const seen = new Set<string>();
  for (const id of ids) {
    const name = `${id.transaction}:${id.number}`;
    const found = seen.has(name) ? undefined : queue.find(id);
    seen.add(name);
    if (found !== undefined) yield found;
  }
}

async function look(
  messages: Iterable<ListedMessage>,
  fits: Fits,
  onFound: OnFound,
  signal: AbortSignal | undefined,
): Promise<void> {
  let deadline = performance.now() + SLICE_MS;
  let seen = 0;
  for (const listed of messages) {
    if (fits(listed)) {
      const goesOn = onFound(listed);
      if (goesOn !== true && !(await goesOn)) return;
    }
    if (++seen % STRIDE !== 0 || performance.now() < deadline) continue;
    await nextTurn();
    if (signal?.aborted) return;
    deadline = performance.now() + SLICE_MS;
  }
}
