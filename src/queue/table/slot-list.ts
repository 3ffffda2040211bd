// A list of messages in order of entry. Its links are columns of the table, so that a list costs nothing but its two ends and a
// message can leave from the middle at once. A message is in one list at a time.

import { type MessageTable, NONE } from './message-table.js';

/** First in, first out. */
export class SlotList {
  readonly #table: MessageTable;
  #first = NONE;
  #last = NONE;

  constructor(table: MessageTable) {
    this.#table = table;
  }

  /** The oldest, or NONE. */
  get first(): number {
    return this.#first;
  }

  push(slot: number): void {
    this.#table.setPrevious(slot, this.#last);
    this.#table.setNext(slot, NONE);
    if (this.#last === NONE) this.#first = slot;
    else this.#table.setNext(this.#last, slot);
    this.#last = slot;
  }

  remove(slot: number): void {
    const previous = this.#table.previous(slot);
    const next = this.#table.next(slot);
    if (previous === NONE) this.#first = next;
    else this.#table.setNext(previous, next);
    if (next === NONE) this.#last = previous;
    else this.#table.setPrevious(next, previous);
    this.#table.setNext(slot, NONE);
    this.#table.setPrevious(slot, NONE);
  }

  /** Takes the oldest, or NONE. */
  shift(): number {
    const slot = this.#first;
    if (slot !== NONE) this.remove(slot);
    return slot;
  }
}
