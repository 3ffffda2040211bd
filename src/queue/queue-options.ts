// What the queue works with: the parts of the daemon that come in as arguments.

import type { Address, AttemptReport } from '#hooks';
import type { DestinationFacts } from '../config/delivery-settings.js';
import type { Deliverer, Transport, Verdict } from '../delivery/deliverer.js';
import type { PickupPolicy } from '../policy/pickup-policy.js';
import type { Spool } from '../spool/spool.js';
import type { QueueClock } from './clock.js';
import type { Notifier } from './notices.js';
import type { QueueHooks } from './queue-hooks.js';
import type { QueueLog } from './queue-log.js';

/** What the queue works with. */
export interface MessageQueueOptions {
  readonly spool: Pick<Spool, 'update' | 'remove' | 'open' | 'isWritable' | 'isPartlyWritable'>;
  readonly deliverer: Pick<Deliverer, 'resolve' | 'attempt'>;
  readonly hooks: QueueHooks;
  /** What a report means (src/delivery/failure.ts). */
  readonly judge: (report: AttemptReport) => Verdict;
  /** A transport as it is configured now, for messages of that staged configuration. */
  readonly transport: (id: string, stageKey: string | undefined) => Transport | undefined;
  /** A transport with the settings of a destination (src/config/delivery-settings.ts); as it is when absent. */
  readonly settings?: (
    transport: Transport,
    facts: DestinationFacts,
    stageKey: string | undefined,
  ) => Transport;
  /** Makes what senders are told by. */
  readonly notifier: Notifier;
  /** Who hears of failures that have no sender to be told, as it is configured now. */
  readonly postmaster?: () => Address | undefined;
  readonly policy: PickupPolicy;
  readonly clock: QueueClock;
  readonly log: QueueLog;
  /** Attempts at once, over all destinations (queues.concurrency). */
  readonly concurrency?: number;
  /** Messages at once in the predelivery hook, or at the end that it or the look-up gave them; 500. */
  readonly preparing?: number;
  /**
   * Messages at once in the look-up of their next hop; 10,000. They only wait, most of them for domains whose servers are silent,
   * and must not take the places of those whose servers answer. How many questions are put is the resolver's affair.
   */
  readonly resolving?: number;
  /** Messages at once in the postdelivery hook; beyond it nothing is picked up. */
  readonly finishing?: number;
}
