// What predelivery and the look-up have found for the coming attempt of a message. It lasts while the message waits in ACTIVE,
// and is found anew each time the message gets there.

import type { TryOptions } from '#hooks';
import type { Destination, Transport } from '../delivery/deliverer.js';
import type { PolicyFacts } from '../policy/policy-config.js';
import type { QueuedMessage } from '../spool/spool.js';

/** A message's coming attempt. */
export interface Trial {
  readonly options: TryOptions;
  /** What predelivery left in `$context`. */
  readonly context: unknown;
  /** As configured; the settings of its destination are looked up when it is picked up. */
  readonly transport: Transport;
  /** With addresses only that we can send to. */
  readonly destination: Destination;
}

/** What policies and settings may look at; of the next hop there is nothing before it is found. */
export function factsOf(
  message: QueuedMessage,
  options: TryOptions,
  destination: Destination | undefined,
): PolicyFacts {
  return {
    tenantid: message.tenantId ?? '',
    jobid: options.jobId ?? message.jobId ?? '',
    transportid: message.transportId,
    grouping: '',
    remoteip: destination?.addresses[0]?.ip ?? '',
    remotemx: destination?.remoteMx ?? '',
    recipientdomain: (options.recipient ?? message.recipient).domain,
  };
}
