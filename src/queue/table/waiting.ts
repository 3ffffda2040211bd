// Where messages wait that nothing is being done for: held, deferred until a time, or due and waiting for the predelivery hook.

import { type MessageTable, NONE, Stage } from './message-table.js';
import { RetryHeap } from './retry-heap.js';
import { SlotList } from './slot-list.js';

/** The messages that wait outside of the sub-queues. */
export class Waiting {
  readonly #table: MessageTable;
  readonly #deferred: RetryHeap;
  readonly #dueHigh: SlotList;
  readonly #dueNormal: SlotList;

  constructor(table: MessageTable) {
    this.#table = table;
    this.#deferred = new RetryHeap(table);
    this.#dueHigh = new SlotList(table);
    this.#dueNormal = new SlotList(table);
  }

  /** When the next deferred message is due, or `undefined`. */
  get nextTime(): number | undefined {
    return this.#deferred.nextTime;
  }

  /** True when a message waits for the predelivery hook. */
  get hasDue(): boolean {
    return this.#dueHigh.first !== NONE || this.#dueNormal.first !== NONE;
  }

  /** Puts a message where it belongs: on hold, or by its next try. */
  put(slot: number, isHeld: boolean, now: number): void {
    if (isHeld) {
      this.#table.setStage(slot, Stage.Held);
    } else if (this.#table.nextTry(slot) > now) {
      this.#table.setStage(slot, Stage.Deferred);
      this.#deferred.push(slot);
    } else {
      this.#makeDue(slot);
    }
  }

  /** Takes a message out before its time; false when it is not here. */
  takeOut(slot: number): boolean {
    switch (this.#table.stage(slot)) {
      case Stage.Held:
        return true;
      case Stage.Deferred:
        this.#deferred.remove(slot);
        return true;
      case Stage.Due:
        this.#listOf(slot).remove(slot);
        return true;
      default:
        return false;
    }
  }

  /** Makes deferred messages due whose time has come, at most so many. */
  advance(now: number, limit: number): void {
    for (let i = 0; i < limit; i++) {
      const slot = this.#deferred.shiftDue(now);
      if (slot === NONE) return;
      this.#makeDue(slot);
    }
  }

  /** Takes the first due message; high priority goes first. There must be one. */
  shiftDue(): number {
    return this.#dueHigh.first !== NONE ? this.#dueHigh.shift() : this.#dueNormal.shift();
  }

  #makeDue(slot: number): void {
    this.#table.enter(slot);
    this.#listOf(slot).push(slot);
  }

  #listOf(slot: number): SlotList {
    return this.#table.isHigh(slot) ? this.#dueHigh : this.#dueNormal;
  }
}
