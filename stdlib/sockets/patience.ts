// How long one operation may wait: until a moment, and only while its execution lives. And the bell that wakes whoever
// waits for a socket: each wake-up looks again at what it waits for, so a bell rung too often does no harm.

/** The longest any operation on a socket waits when the script has not set a time: a peer that is silent ends it. */
export const LONGEST_WAIT_SECONDS = 300;

/** Node's timers end at 2^31 - 1 ms, about 24 days. */
const LONGEST_TIMER_MS = 2_147_483_647;

export interface Patience {
  /** On the clock of `performance.now()`, in milliseconds. */
  readonly untilMs: number;
  readonly signal: AbortSignal;
}

/** The patience of an operation that begins now; 0 seconds is the default of a script that says nothing. */
export function patience(seconds: number, signal: AbortSignal): Patience {
  return { untilMs: performance.now() + (seconds > 0 ? seconds : LONGEST_WAIT_SECONDS) * 1000, signal };
}

export type WaitEnd = 'woken' | 'timeout' | 'aborted';

/** Names of <errno.h> for a wait that ended otherwise than hoped. */
export function lostPatience(end: 'timeout' | 'aborted'): 'ETIMEDOUT' | 'ECANCELED' {
  return end === 'timeout' ? 'ETIMEDOUT' : 'ECANCELED';
}

export class Bell {
  readonly #waiting = new Set<() => void>();

  /** Wakes everyone who waits. */
  ring(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves at the next ring, or when patience ends. */
  wait({ untilMs, signal }: Patience): Promise<WaitEnd> {
    if (signal.aborted) return Promise.resolve('aborted');
    const left = untilMs - performance.now();
    if (left <= 0) return Promise.resolve('timeout');
    return new Promise((resolve) => {
      const finish = (end: WaitEnd): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#waiting.delete(onRing);
        resolve(end);
      };
      const onRing = (): void => finish('woken');
      const onAbort = (): void => finish('aborted');
      const timer = setTimeout(() => finish('timeout'), Math.min(left, LONGEST_TIMER_MS));
      signal.addEventListener('abort', onAbort);
      this.#waiting.add(onRing);
    });
  }
}
