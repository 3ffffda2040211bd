// Time as the queue sees it: wall-clock seconds, since they are stored and shown, and an argument, so that tests push them.

/** The clock of the queue. */
export interface QueueClock {
  /** Unix seconds with decimals. */
  now(): number;
  /** Calls once after so many seconds; the result takes the timer back. */
  setTimer(seconds: number, call: () => void): () => void;
  /** Calls when everything that waits for the event loop has had its turn. */
  nextTurn(call: () => void): void;
}

// setTimeout turns anything larger into one millisecond.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock. */
export const systemQueueClock: QueueClock = {
  now: () => Date.now() / 1000,
  setTimer: (seconds, call) => {
    const timer = setTimeout(call, Math.min(Math.ceil(seconds * 1000), LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
  nextTurn: (call) => {
    setImmediate(call);
  },
};
