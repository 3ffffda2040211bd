// The inside of ACTIVE: messages that the policies cannot tell apart form a sub-queue, high priority first, then in order of
// entry. A sub-queue is either ready, or parked at the obstacle that stopped its first message; what is parked is not looked at
// again until that obstacle makes room. Then as many sub-queues are woken as it has room for, and no more:
//
//     ready (heap by rank) ──take()──► a ticket: the message goes out
//        ▲                    └──────► an obstacle: the sub-queue is parked there (heap by rank)
//        └──── onRoom(obstacle): the first one parked; the next when that one has used or not used the room
//
// The rank of a sub-queue is that of its first message, so that over all of ACTIVE the order is: priority 1 by entry, then
// priority 0 by entry, blocked ones skipped (queue-and-config 1.2).

import type { Obstacle } from '../../policy/counter.js';
import { isTicket, type PickupGroup, type PickupPolicy, type Ticket } from '../../policy/pickup-policy.js';
import type { PolicyFacts } from '../../policy/policy-config.js';
import { type MessageTable, NONE } from './message-table.js';
import { type Ranked, RankHeap } from './rank-heap.js';
import { SlotList } from './slot-list.js';

/** Entries of normal priority rank behind all of high priority. */
const NORMAL_RANK = 2 ** 52;

class SubQueue {
  readonly group: PickupGroup;
  readonly high: SlotList;
  readonly normal: SlotList;
  /** Rank of the first message; lower goes first. */
  rank = 0;
  /** The heap it is in, and its place there. */
  heap: SubQueueHeap | undefined;
  place = 0;
  /** The obstacle whose room it was woken for and has not dealt with yet. */
  wokenBy: Obstacle | undefined;

  constructor(group: PickupGroup, table: MessageTable) {
    this.group = group;
    this.high = new SlotList(table);
    this.normal = new SlotList(table);
  }

  get first(): number {
    return this.high.first !== NONE ? this.high.first : this.normal.first;
  }
}

/** Sub-queues by rank. */
class SubQueueHeap extends RankHeap<SubQueue> implements Ranked {
  /** What holds all of them back; absent for those that are ready. */
  readonly obstacle: Obstacle | undefined;
  /** That of the first, as it was when the heap was put among others to be sorted anew. */
  rank = 0;
  place = 0;

  constructor(obstacle?: Obstacle) {
    super();
    this.obstacle = obstacle;
  }

  override push(item: SubQueue): void {
    item.heap = this;
    super.push(item);
  }

  override remove(item: SubQueue): void {
    item.heap = undefined;
    super.remove(item);
  }
}

/** What pick-up has counted (control-api 10). */
export interface PickupCounters {
  /** Messages that were picked up. */
  readonly count: number;
  /** Candidates that were passed over because something held them back. */
  readonly skips: number;
  /** Looks that found nothing. */
  readonly misses: number;
  /** Times that the policies were asked. */
  readonly evals: number;
  /** Groups that are to be looked at. */
  readonly pending: number;
}

/** A message that may go out now. */
export interface PickedUp {
  readonly slot: number;
  readonly group: PickupGroup;
  readonly ticket: Ticket;
}

/** The messages that wait to be picked up. */
export class SubQueues {
  readonly #table: MessageTable;
  readonly #policy: PickupPolicy;
  #byKey = new Map<string, SubQueue>();
  readonly #subQueueOf: (SubQueue | undefined)[] = [];
  #ready = new SubQueueHeap();
  #parked = new Map<Obstacle, SubQueueHeap>();
  /** Sub-queues of policies that hold no more, whose messages are yet to be sorted by the new ones. */
  readonly #unsorted = new RankHeap<SubQueueHeap>();
  /** Messages that came meanwhile: they stand behind all those. */
  readonly #late = new Map<number, PolicyFacts>();
  readonly #counts = { count: 0, skips: 0, misses: 0, evals: 0 };

  /** `onWoken` is called when something may have become ready. */
  constructor(table: MessageTable, policy: PickupPolicy, onWoken: () => void) {
    this.#table = table;
    this.#policy = policy;
    policy.onRoom((obstacle) => {
      if (this.#wake(obstacle)) onWoken();
    });
  }

  /** True when a message might be picked up. */
  get isReady(): boolean {
    return this.#ready.first !== undefined;
  }

  /** Sub-queues that exist. */
  get count(): number {
    return this.#byKey.size;
  }

  /** What pick-up has come to so far; `pending` is how many groups are to be looked at. */
  get counters(): PickupCounters {
    return { ...this.#counts, pending: this.#ready.size };
  }

  /** Obstacles with messages waiting for them. */
  get obstacleCount(): number {
    let count = 0;
    for (const { size } of this.#parked.values()) if (size > 0) count++;
    return count;
  }

  /** What holds a message back; undefined when nothing does, or it was not looked at yet. */
  obstacleOf(slot: number): Obstacle | undefined {
    return this.#subQueueOf[slot]?.heap?.obstacle;
  }

  /** Puts a message at the end of its sub-queue. */
  add(slot: number, facts: PolicyFacts): void {
    if (this.isUnsorted) this.#late.set(slot, facts);
    else this.#put(slot, facts);
  }

  #put(slot: number, facts: PolicyFacts): void {
    const key = this.#policy.keyOf(facts);
    let subQueue = this.#byKey.get(key);
    if (subQueue === undefined) {
      subQueue = new SubQueue(this.#policy.group(facts), this.#table);
      this.#byKey.set(key, subQueue);
    }
    (this.#table.isHigh(slot) ? subQueue.high : subQueue.normal).push(slot);
    this.#subQueueOf[slot] = subQueue;
    this.#rerank(subQueue);
  }

  /** Takes a message out that is not to be picked up. */
  remove(slot: number): void {
    if (this.#late.delete(slot)) return;
    const subQueue = this.#subQueueOf[slot]!;
    this.#unlink(subQueue, slot);
    this.#rerank(subQueue);
    if (subQueue.heap === undefined) this.#passOn(subQueue);
  }

  /** The next message that the policies let through, if there is one. */
  pickUp(): PickedUp | undefined {
    for (;;) {
      const subQueue = this.#ready.first;
      if (subQueue === undefined) {
        this.#counts.misses++;
        return undefined;
      }
      this.#counts.evals++;
      const answer = this.#policy.take(subQueue.group);
      if (!isTicket(answer)) {
        this.#counts.skips++;
        this.#park(subQueue, answer);
        this.#passOn(subQueue);
        continue;
      }
      const { group } = subQueue;
      const slot = subQueue.first;
      this.#unlink(subQueue, slot);
      this.#rerank(subQueue);
      this.#passOn(subQueue);
      this.#counts.count++;
      return { slot, group, ticket: answer };
    }
  }

  /** The policies have changed: everything is to be sorted anew, by `sort`. Until it is, a message is not picked up. */
  regroup(): void {
    for (const heap of [this.#ready, ...this.#parked.values()]) {
      const { first } = heap;
      if (first === undefined) continue;
      heap.rank = first.rank;
      this.#unsorted.push(heap);
    }
    this.#ready = new SubQueueHeap();
    this.#parked = new Map();
    this.#byKey = new Map();
  }

  /** True while messages wait for `sort`. */
  get isUnsorted(): boolean {
    return this.#unsorted.size > 0 || this.#late.size > 0;
  }

  /** Sorts so many messages, at most, in the order in which they are to be picked up. */
  sort(limit: number, factsOf: (slot: number) => PolicyFacts): void {
    for (let left = limit; left > 0; left--) {
      const slot = this.#nextUnsorted();
      if (slot === NONE) break;
      this.#unlinkAndRank(slot);
      this.#put(slot, factsOf(slot));
    }
    if (this.#unsorted.size > 0) return;
    let left = limit;
    for (const [slot, facts] of this.#late) {
      if (left-- === 0) return;
      this.#late.delete(slot);
      this.#put(slot, facts);
    }
  }

  /** The first of all messages that are not sorted yet. */
  #nextUnsorted(): number {
    for (;;) {
      const heap = this.#unsorted.first;
      if (heap === undefined) return NONE;
      const subQueue = heap.first;
      if (subQueue?.rank === heap.rank) return subQueue.first;
      // Its first one was taken out since: ranks only rise here.
      if (subQueue === undefined) this.#unsorted.remove(heap);
      else {
        heap.rank = subQueue.rank;
        this.#unsorted.moved(heap);
      }
    }
  }

  #unlinkAndRank(slot: number): void {
    const subQueue = this.#subQueueOf[slot]!;
    this.#unlink(subQueue, slot);
    this.#rerank(subQueue);
  }

  #unlink(subQueue: SubQueue, slot: number): void {
    (this.#table.isHigh(slot) ? subQueue.high : subQueue.normal).remove(slot);
    this.#subQueueOf[slot] = undefined;
  }

  /** After its messages have changed: a new one becomes ready, an empty one goes, others may have a new first message. */
  #rerank(subQueue: SubQueue): void {
    const { first } = subQueue;
    if (first === NONE) {
      subQueue.heap?.remove(subQueue);
      // One that is sorted anew may have a successor of the same key.
      if (this.#byKey.get(subQueue.group.key) === subQueue) this.#byKey.delete(subQueue.group.key);
      this.#policy.leave(subQueue.group);
      return;
    }
    const rank = this.#table.entry(first) + (this.#table.isHigh(first) ? 0 : NORMAL_RANK);
    const isNew = subQueue.heap === undefined;
    if (!isNew && rank === subQueue.rank) return;
    subQueue.rank = rank;
    if (isNew) this.#ready.push(subQueue);
    else subQueue.heap!.moved(subQueue);
  }

  #park(subQueue: SubQueue, obstacle: Obstacle): void {
    this.#ready.remove(subQueue);
    let heap = this.#parked.get(obstacle);
    if (heap === undefined) {
      heap = new SubQueueHeap(obstacle);
      this.#parked.set(obstacle, heap);
    }
    heap.push(subQueue);
  }

  /** The first one parked at an obstacle becomes ready. */
  #wake(obstacle: Obstacle): boolean {
    const heap = this.#parked.get(obstacle);
    const subQueue = heap?.first;
    if (subQueue === undefined) {
      this.#parked.delete(obstacle);
      return false;
    }
    heap!.remove(subQueue);
    if (heap!.first === undefined) this.#parked.delete(obstacle);
    subQueue.wokenBy = obstacle;
    this.#ready.push(subQueue);
    return true;
  }

  /** One that was woken has had its try, or is gone: if there is room left, it is the next one's. */
  #passOn(subQueue: SubQueue): void {
    const obstacle = subQueue.wokenBy;
    subQueue.wokenBy = undefined;
    if (obstacle?.hasRoom()) this.#wake(obstacle);
  }
}
