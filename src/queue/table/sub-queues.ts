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
class SubQueueHeap {
  readonly #items: SubQueue[] = [];
  /** What holds all of them back; absent for those that are ready. */
  readonly obstacle: Obstacle | undefined;

  constructor(obstacle?: Obstacle) {
    this.obstacle = obstacle;
  }

  get first(): SubQueue | undefined {
    return this.#items[0];
  }

  get size(): number {
    return this.#items.length;
  }

  push(item: SubQueue): void {
    item.heap = this;
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  remove(item: SubQueue): void {
    item.heap = undefined;
    const last = this.#items.pop()!;
    if (last === item) return;
    this.#put(last, item.place);
    this.moved(last);
  }

  /** The rank of an item has changed. */
  moved(item: SubQueue): void {
    this.#rise(item, item.place);
    this.#sink(item, item.place);
  }

  #put(item: SubQueue, at: number): void {
    this.#items[at] = item;
    item.place = at;
  }

  #rise(item: SubQueue, from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const other = this.#items[parent]!;
      if (other.rank <= item.rank) break;
      this.#put(other, at);
      at = parent;
    }
    this.#put(item, at);
  }

  #sink(item: SubQueue, from: number): void {
    const items = this.#items;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]!.rank < items[child]!.rank) child++;
      const other = items[child]!;
      if (other.rank >= item.rank) break;
      this.#put(other, at);
      at = child;
    }
    this.#put(item, at);
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
  readonly #byKey = new Map<string, SubQueue>();
  readonly #subQueueOf: (SubQueue | undefined)[] = [];
  readonly #ready = new SubQueueHeap();
  readonly #parked = new Map<Obstacle, SubQueueHeap>();
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

  /** Sorts everything anew, after the policies have changed. */
  regroup(factsOf: (slot: number) => PolicyFacts): void {
    const slots: number[] = [];
    for (const subQueue of this.#byKey.values()) {
      for (const list of [subQueue.high, subQueue.normal]) {
        for (let slot = list.shift(); slot !== NONE; slot = list.shift()) slots.push(slot);
      }
      subQueue.heap?.remove(subQueue);
      this.#policy.leave(subQueue.group);
    }
    this.#byKey.clear();
    this.#parked.clear();
    slots.sort((a, b) => this.#table.entry(a) - this.#table.entry(b));
    for (const slot of slots) this.add(slot, factsOf(slot));
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
      this.#byKey.delete(subQueue.group.key);
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
