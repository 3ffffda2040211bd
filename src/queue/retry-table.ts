// When a message is tried again, and when no more (queue-and-config 1.3).

import { defaults } from '../config/defaults.js';
import type { Transport } from '../delivery/deliverer.js';

/** Without any interval configured. */
const FALLBACK_SECONDS = 60;

/** What holds for a message whose transport is not in the configuration: as if that said nothing of retries. */
export const unknownTransport: Pick<Transport, 'retryIntervals' | 'retryCount' | 'retryDuringSeconds'> = {
  retryIntervals: defaults.retryIntervals,
  retryCount: defaults.retryCount,
  retryDuringSeconds: undefined,
};

/** Seconds until the next attempt after `retry` that counted: the entry of that number, and the last one past the end. */
export function retryInterval(
  transport: Pick<Transport, 'retryIntervals'> | undefined,
  retry: number,
): number {
  const intervals = (transport ?? unknownTransport).retryIntervals;
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

/** Whether the sender is told when the interval after `retry` is started; past the end of the table nobody is told again. */
export function notifiesOf(transport: Pick<Transport, 'retryIntervals'> | undefined, retry: number): boolean {
  return transport?.retryIntervals[retry]?.notify ?? false;
}

/**
 * When a message will be given up that is tried next at `nextTry`, with `retry` attempts counted by then: at its last attempt, or at
 * the first one after its time. Unix seconds; undefined when the transport is not known.
 */
export function endOfRetries(
  transport: Pick<Transport, 'retryIntervals' | 'retryCount' | 'retryDuringSeconds'> | undefined,
  receivedAt: number,
  retry: number,
  nextTry: number,
): number | undefined {
  if (transport === undefined) return undefined;
  const { retryIntervals, retryCount, retryDuringSeconds } = transport;
  let end = nextTry;
  const listed = Math.min(retryCount, retryIntervals.length);
  for (let next = retry; next < listed; next++) end += retryInterval(transport, next);
  end += Math.max(0, retryCount - Math.max(retry, listed)) * retryInterval(transport, retryIntervals.length);
  if (retryDuringSeconds === undefined) return end;
  return Math.min(end, Math.max(nextTry, receivedAt + retryDuringSeconds));
}
