// Deadlines of many connections by one timer. A connection moves its deadline with every reply and hardly ever misses it,
// so a timer each would be made and thrown away thousands of times a second. Here a deadline that moves later costs two
// assignments: the connection stays where it is in the heap and is looked at too early once, then put where it belongs.
//
// Invariant: whoever has a deadline is in the heap, at a time not later than that deadline; who has none may still be in it,
// until that time or until it leaves.

import type { Clock, Timer } from '../clock.js';

const NEVER = Number.POSITIVE_INFINITY;

/** Something that must happen in time. */
export class Deadline {
  /** When it is late; infinity while nothing is waited for. */
  dueMs = NEVER;
  /** When the heap looks at it next. */
  checkMs = NEVER;
  /** Its place in the heap; -1 outside. */
  place = -1;
  readonly late: () => void;

  constructor(late: () => void) {
    this.late = late;
  }
}

/** Deadlines in the order in which they must be looked at. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #heap: Deadline[] = [];
  #timer: Timer | undefined;
  #timerMs = NEVER;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many are watched. */
  get size(): number {
    return this.#heap.length;
  }

  /** `late` is called when so much time passes before `clear` or another `set`. */
  set(deadline: Deadline, milliseconds: number): void {
    const dueMs = this.#clock.nowMs() + milliseconds;
    deadline.dueMs = dueMs;
    if (deadline.place === -1) {
      deadline.checkMs = dueMs;
      this.#heap.push(deadline);
      this.#rise(deadline, this.#heap.length - 1);
    } else if (dueMs < deadline.checkMs) {
      deadline.checkMs = dueMs;
      this.#rise(deadline, deadline.place);
    } else return;
    this.#plan();
  }

  /** Nothing is waited for. */
  clear(deadline: Deadline): void {
    deadline.dueMs = NEVER;
  }

  /** It will not be set again: nothing of it is kept. */
  remove(deadline: Deadline): void {
    deadline.dueMs = NEVER;
    const { place } = deadline;
    if (place === -1) return;
    deadline.place = -1;
    const last = this.#heap.pop()!;
    if (last !== deadline) {
      this.#put(last, place);
      this.#rise(last, place);
      this.#sink(last, last.place);
    }
    if (this.#heap.length === 0) this.#plan();
  }

  /** One timer, for the first of them. It is moved only when it would be too late. */
  #plan(): void {
    const firstMs = this.#heap[0]?.checkMs ?? NEVER;
    if (firstMs === NEVER) {
      this.#timer?.cancel();
      this.#timer = undefined;
      this.#timerMs = NEVER;
      return;
    }
    if (firstMs >= this.#timerMs) return;
    this.#timer?.cancel();
    this.#timerMs = firstMs;
    this.#timer = this.#clock.setTimer(Math.max(0, firstMs - this.#clock.nowMs()), () => this.#sweep());
  }

  #sweep(): void {
    this.#timer = undefined;
    this.#timerMs = NEVER;
    const nowMs = this.#clock.nowMs();
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.checkMs > nowMs) break;
      if (first.dueMs <= nowMs) {
        this.remove(first);
        first.late();
      } else if (first.dueMs === NEVER) {
        this.remove(first);
      } else {
        first.checkMs = first.dueMs;
        this.#sink(first, 0);
      }
    }
    this.#plan();
  }

  #put(deadline: Deadline, at: number): void {
    this.#heap[at] = deadline;
    deadline.place = at;
  }

  #rise(deadline: Deadline, from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const other = this.#heap[parent]!;
      if (other.checkMs <= deadline.checkMs) break;
      this.#put(other, at);
      at = parent;
    }
    this.#put(deadline, at);
  }

  #sink(deadline: Deadline, from: number): void {
    const heap = this.#heap;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.checkMs < heap[child]!.checkMs) child++;
      const other = heap[child]!;
      if (other.checkMs >= deadline.checkMs) break;
      this.#put(other, at);
      at = child;
    }
    this.#put(deadline, at);
  }
}
