// What a queue needs that only holds messages and sends none.

import { PickupPolicy } from '../../src/policy/pickup-policy.js';
import { systemQueueClock } from '../../src/queue/clock.js';
import type { MessageQueueOptions } from '../../src/queue/message-queue.js';

const never = (): Promise<never> => Promise.reject(new Error('nothing is sent here'));

/** Its parts, but the spool and the log. */
export function idleQueueParts(): Omit<MessageQueueOptions, 'spool' | 'log'> {
  return {
    deliverer: { resolve: never, attempt: never },
    hooks: { predelivery: never, postdelivery: never },
    judge: () => 'deferred',
    transport: () => undefined,
    notifier: { idOf: () => ({ transaction: '', number: 1 }), isOfNotice: () => false, make: never },
    policy: new PickupPolicy({ policies: [] }),
    clock: systemQueueClock,
  };
}
