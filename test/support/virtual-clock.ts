// Wall-clock seconds in the test's hand, for the queue: timers run when the test lets time pass, in order, and everything that
// follows from one has its turn before the next.

import type { QueueClock } from '../../src/queue/clock.js';

/** The clock. It starts at 1,000,000. */
export class VirtualClock implements QueueClock {
  #now = 1_000_000;
  #timers: { readonly at: number; readonly call: () => void }[] = [];
  /** Turns of the event loop that were asked for. */
  turns = 0;

  now(): number {
    return this.#now;
  }

  setTimer(seconds: number, call: () => void): () => void {
    const timer = { at: this.#now + seconds, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  nextTurn(call: () => void): void {
    this.turns++;
    setImmediate(call);
  }

  /** Resolves after so many seconds of this clock. */
  sleep(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.setTimer(seconds, resolve);
    });
  }

  /** Lets time pass. */
  async advance(seconds: number): Promise<void> {
    const end = this.#now + seconds;
    await settled();
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
      await settled();
    }
    this.#now = end;
    await settled();
  }
}

/** Everything that can go on without time passing has gone on. */
export async function settled(turns = 25): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
}
