// What scripts ask of the queue.

import { builtin, HslArray } from '#lang';
import { servicesOf } from '../services.js';

const queueQuota = builtin({
  name: 'queue_quota',
  summary: 'How many messages in the queue belong to a quota, and how large they are together.',
  group: 'queue',
  details:
    'A message belongs to the quotas that `queue()` or `Queue()` named in the option `quotas`, until it leaves the queue. The numbers are there to be looked at: what happens above a limit is the business of scripts.',
  source: 'stdlib 12, queue-and-config 6',
  since: '5.3',
  example: 'queue_quota("customer:42")  // {"count":0,"bytes":0}',
  params: [{ name: 'name', type: 'string', doc: 'The quota; one that no message belongs to has zeros.' }],
  returns: 'array',
  run: (name, ctx) => {
    const { count, bytes } = servicesOf(ctx).queue?.quota(name) ?? { count: 0, bytes: 0 };
    const value = HslArray.empty();
    value.set('count', count);
    value.set('bytes', bytes);
    return value;
  },
});

/** All of them. */
export const queue = [queueQuota];
