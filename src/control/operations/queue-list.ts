// F, QueueList (control-api 4.1): the messages that fit, a page of them, in the order that was asked for.

import type { ListedMessage, SeenInQueue } from '../../queue/message-queue.js';
import { BestOf } from '../best-of.js';
import type { QueueConditions } from '../conditions/conditions.js';
import { type LookedAt, scan } from '../conditions/scan.js';
import { ControlError, nextTurn, type Operation } from '../operation.js';
import { itemMaker, itemOrder, type QueueItem, type SortKey } from '../queue-items.js';

const DEFAULT_LIMIT = 100;
const HIGHEST_LIMIT = 10_000;
/** A sorted page may begin so late: what comes before it is kept too while the messages are looked at. */
const LAST_SORTED = 200_000;
/** Messages that are made into items before others have a turn. */
const SLICE = 200;

/** `QueueListRequest`. */
export interface QueueListRequest {
  readonly conditions?: QueueConditions;
  readonly limit?: number;
  readonly offset?: number;
  readonly sort: readonly SortKey[];
  readonly fields: readonly string[];
  readonly total?: boolean;
}

/** `QueueListResponse`. */
export interface QueueListResponse {
  readonly items: readonly QueueItem[];
  readonly total?: number;
}

/** Lists what is in the queue. */
export function queueList(
  queue: LookedAt,
  now: () => number,
): Operation<QueueListRequest, QueueListResponse> {
  return {
    async run(request, { signal }) {
      const { conditions, limit = DEFAULT_LIMIT, offset = 0, sort, fields, total = false } = request;
      if (limit > HIGHEST_LIMIT)
        throw new ControlError(`limit: found ${limit}; expected at most ${HIGHEST_LIMIT}`);
      const began = now();
      const show = itemMaker(fields);
      const page = sort.length === 0 ? pageInOrder(offset, limit) : sortedPage(sort, offset, limit, began);
      let seen = 0;
      await scan(
        queue,
        conditions,
        began,
        (passing, keep) => {
          seen++;
          return page.offer(passing, keep) || total;
        },
        signal,
      );
      const items: QueueItem[] = [];
      for await (const listed of page.take()) items.push(show(listed, began));
      return { items, ...(total ? { total: seen } : undefined) };
    },
  };
}

interface Page {
  /** @returns false when no later message can come onto it */
  offer(passing: SeenInQueue, keep: () => ListedMessage): boolean;
  take(): AsyncIterable<SeenInQueue>;
}

function pageInOrder(offset: number, limit: number): Page {
  const kept: ListedMessage[] = [];
  let seen = 0;
  return {
    offer: (_passing, keep) => {
      if (seen++ >= offset && kept.length < limit) kept.push(keep());
      return kept.length < limit;
    },
    take: () => inSlices(kept),
  };
}

function sortedPage(sort: readonly SortKey[], offset: number, limit: number, now: number): Page {
  if (offset + limit > LAST_SORTED)
    throw new ControlError(
      `offset: a sorted list ends at message ${LAST_SORTED}; found ${offset} and a limit of ${limit}. Use conditions`,
    );
  const best = new BestOf<SeenInQueue>(offset + limit, itemOrder(sort, now));
  return {
    offer: (passing, keep) => {
      if (best.wants(passing)) best.offer(keep());
      return true;
    },
    async *take() {
      const kept: SeenInQueue[] = [];
      for (let taken = 1; best.size > 0; taken++) {
        const worst = best.takeWorst()!;
        if (best.size >= offset) kept.push(worst);
        if (taken % SLICE === 0) await nextTurn();
      }
      yield* inSlices(kept.reverse());
    },
  };
}

async function* inSlices(kept: readonly SeenInQueue[]): AsyncGenerator<SeenInQueue> {
  for (let at = 0; at < kept.length; at += SLICE) {
    yield* kept.slice(at, at + SLICE);
    await nextTurn();
  }
}
