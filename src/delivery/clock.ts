// Time as delivery sees it: an argument, so that a test can push it forward instead of sleeping.

/** A timer that has been set and may be taken back. */
export interface Timer {
  cancel(): void;
}

/** A monotonic clock with timers. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes backwards. */
  nowMs(): number;
  setTimer(milliseconds: number, run: () => void): Timer;
}

// setTimeout turns anything larger into one millisecond.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

class SystemTimer implements Timer {
  readonly #handle: NodeJS.Timeout;

  constructor(milliseconds: number, run: () => void) {
    this.#handle = setTimeout(run, Math.min(milliseconds, LONGEST_TIMER_MS));
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }
}

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  setTimer: (milliseconds, run) => new SystemTimer(milliseconds, run),
};
