// The sliding-window counter of group 12.

import { builtin, ScriptFault } from '#lang';
import { type RateRequest, servicesOf } from '../services.js';
import { MOST_EVENTS } from './local-rates.js';

export const rate = builtin({
  name: 'rate',
  group: 'state',
  summary: 'Counts an event and says whether it is within a limit per interval.',
  details: [
    'Looks at the events of the entry in the last `interval` seconds. Fewer than `count`: records one now and returns',
    'true; otherwise returns false and records nothing. With `count` 0 it records nothing and returns the number of events.',
    'The window slides: an event counts until it is `interval` seconds old. All hooks and scripts share the counters.',
  ].join('\n'),
  params: [
    { name: 'namespace', type: 'string', doc: 'Keeps entries of different purposes apart.' },
    { name: 'entry', type: 'string|number', doc: 'What is counted, such as an address.' },
    { name: 'count', type: 'number', doc: 'Events allowed per interval, at most 4,000,000; 0 only asks.' },
    { name: 'interval', type: 'number', doc: 'Seconds.' },
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        sync: { type: 'boolean', default: true, doc: 'Share the counter with the other nodes of a cluster.' },
        local: { type: 'boolean', doc: 'Before 4.7: the opposite of `sync`.' },
      },
    },
  ],
  returns: 'boolean|number|none',
  errors:
    'None when count or interval is negative or no number, or the shared store cannot be reached. An exception for a count above 4,000,000.',
  example: 'rate("docs", uuid(), 2, 60)  // true\nrate("docs", uuid(), 0, 60)  // 0',
  source: 'stdlib 12',
  suspends: true,
  run: (namespace, entry, count, interval, options, ctx) => {
    const events = Math.trunc(count);
    if (!(events >= 0 && Number.isFinite(events) && interval >= 0 && Number.isFinite(interval))) return null;
    if (events > MOST_EVENTS)
      throw new ScriptFault(
        `rate: argument 3 (count) is ${events}; expected at most ${MOST_EVENTS}, since each event is kept`,
      );
    const request: RateRequest = {
      namespace,
      entry: ctx.toText(entry),
      count: events,
      intervalSeconds: interval,
      nowSeconds: ctx.host.clock.monotonic(),
      isShared: options.local === undefined ? options.sync : !options.local,
    };
    const { rates } = servicesOf(ctx);
    const answer = events === 0 ? rates.count(request) : rates.hit(request);
    // A store that cannot be reached must not stop mail: the script sees none and decides.
    return answer instanceof Promise ? answer.catch(() => null) : answer;
  },
});

export const rates = [rate];
