// What the queue has counted, for those who watch it (control-api 10). Counters are since the start, the rest is of this moment.

import type { Verdicts } from './endings.js';
import type { PickupCounters } from './table/sub-queues.js';

/** The counts. */
export interface QueueStatistics {
  /** Messages that came. */
  readonly accepted: number;
  /** Waiting for the predelivery hook. */
  readonly due: number;
  /** In it, or in the look-up of their next hop. */
  readonly preparing: number;
  /** In that look-up. */
  readonly resolving: number;
  /** ACTIVE, of priority 0 and 1. */
  readonly activeByPriority: readonly [number, number];
  readonly defer: number;
  readonly hold: number;
  readonly update: number;
  /** Between two states. */
  readonly pending: number;
  readonly sending: number;
  /** Attempts that were begun. */
  readonly attempts: number;
  /** Attempts that may be under way. */
  readonly concurrency: number;
  readonly pickup: PickupCounters;
  readonly verdicts: Verdicts;
  /** Counters of policies in memory. */
  readonly counters: number;
  /** Those that are full, with messages waiting. */
  readonly obstacles: number;
  /** Names of quotas in use. */
  readonly quotas: number;
}
