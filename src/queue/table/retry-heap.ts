// DEFER: the messages that wait for their time, the next one on top. A binary heap of slots; each message knows its place in it
// (in the table's link column), so that one can be taken out before its time.

import { type MessageTable, NONE } from './message-table.js';

/** Deferred messages by their next try. */
export class RetryHeap {
  readonly #table: MessageTable;
  #slots = new Int32Array(64);
  #size = 0;

  constructor(table: MessageTable) {
    this.#table = table;
  }

  /** The time of the next one, or `undefined`. */
  get nextTime(): number | undefined {
    return this.#size === 0 ? undefined : this.#table.nextTry(this.#slots[0]!);
  }

  push(slot: number): void {
    if (this.#size === this.#slots.length) {
      const larger = new Int32Array(this.#slots.length * 2);
      larger.set(this.#slots);
      this.#slots = larger;
    }
    this.#rise(slot, this.#size++);
  }

  remove(slot: number): void {
    const at = this.#table.next(slot);
    this.#table.setNext(slot, NONE);
    const last = this.#slots[--this.#size]!;
    if (last === slot) return;
    // The last one takes the place, and goes where it belongs from there.
    this.#rise(last, at);
    this.#sink(last, this.#table.next(last));
  }

  /** Takes the next one if its time has come by `now`, or NONE. */
  shiftDue(now: number): number {
    const slot = this.#slots[0]!;
    if (this.#size === 0 || this.#table.nextTry(slot) > now) return NONE;
    this.remove(slot);
    return slot;
  }

  #put(slot: number, at: number): void {
    this.#slots[at] = slot;
    this.#table.setNext(slot, at);
  }

  #rise(slot: number, from: number): void {
    const time = this.#table.nextTry(slot);
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const other = this.#slots[parent]!;
      if (this.#table.nextTry(other) <= time) break;
      this.#put(other, at);
      at = parent;
    }
    this.#put(slot, at);
  }

  #sink(slot: number, from: number): void {
    const time = this.#table.nextTry(slot);
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      if (
        child + 1 < this.#size &&
        this.#table.nextTry(this.#slots[child + 1]!) < this.#table.nextTry(this.#slots[child]!)
      ) {
        child++;
      }
      const other = this.#slots[child]!;
      if (this.#table.nextTry(other) >= time) break;
      this.#put(other, at);
      at = child;
    }
    this.#put(slot, at);
  }
}
