// A clock that stands still until a test pushes it forward.

import type { Clock, Timer } from '../../src/delivery/clock.js';

/** Time in the test's hand: `advance` runs the timers that fall due, in order. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { readonly dueMs: number; readonly run: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  setTimer(milliseconds: number, run: () => void): Timer {
    const entry = { dueMs: this.#nowMs + milliseconds, run };
    this.#timers.push(entry);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((timer) => timer !== entry);
      },
    };
  }

  advance(milliseconds: number): void {
    const endMs = this.#nowMs + milliseconds;
    for (;;) {
      const due = this.#timers.filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#nowMs = due.dueMs;
      due.run();
    }
    this.#nowMs = endMs;
  }
}
