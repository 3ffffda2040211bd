// When a message is tried again, and when no more (queue-and-config 1.3).

import type { Transport } from '../delivery/deliverer.js';

/** Without any interval configured. */
const FALLBACK_SECONDS = 60;

/** Seconds until the next attempt after `retry` that counted: the entry of that number, and the last one past the end. */
export function retryInterval(
  transport: Pick<Transport, 'retryIntervals'> | undefined,
  retry: number,
): number {
  const intervals = transport?.retryIntervals ?? [];
  return (intervals[retry] ?? intervals.at(-1))?.seconds ?? FALLBACK_SECONDS;
}

/** True when a message that has just failed for now is not tried again: its retries or its time are used up. */
export function isExpired(
  transport: Pick<Transport, 'retryCount' | 'retryDuringSeconds'>,
  retry: number,
  ageSeconds: number,
): boolean {
  if (retry >= transport.retryCount) return true;
  return transport.retryDuringSeconds !== undefined && ageSeconds > transport.retryDuringSeconds;
}
