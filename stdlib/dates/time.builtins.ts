// Group 8 of the library: clocks, times as text, waiting.

import { builtin, type CallContext, type OptionKeys, ScriptFault } from '#lang';
import { servicesOf } from '../services.js';
import { FARTHEST_SECONDS } from './calendar.js';
import { parseDuration } from './duration.js';
import { formatTime } from './strftime.js';
import { parseTime } from './strptime.js';
import { zoneOffset } from './zone.js';

const source = 'stdlib 8';

export const time = builtin({
  name: 'time',
  group: 'time',
  summary: 'Gives the time in seconds since 1970, with decimals.',
  params: [],
  returns: 'number',
  example: 'time() > 1600000000  // true',
  source,
  run: (ctx) => ctx.host.clock.now(),
});

export const timelocal = builtin({
  name: 'timelocal',
  group: 'time',
  summary: 'Gives time() plus what the local time zone adds to UTC.',
  params: [],
  returns: 'number',
  example: 'timelocal() > 1600000000  // true',
  source,
  run: (ctx) => {
    const now = ctx.host.clock.now();
    return now + zoneOffset(servicesOf(ctx).timeZone(), now);
  },
});

export const uptime = builtin({
  name: 'uptime',
  group: 'time',
  summary: 'Gives the seconds of a clock that never goes back.',
  details: 'For measuring spans; where it begins is not promised.',
  params: [],
  returns: 'number',
  example: 'uptime() <= uptime()  // true',
  source,
  run: (ctx) => ctx.host.clock.monotonic(),
});

export const executiontime = builtin({
  name: 'executiontime',
  group: 'time',
  summary: 'Gives the seconds since this execution began.',
  params: [],
  returns: 'number',
  example: 'executiontime() >= 0  // true',
  source,
  run: (ctx) => ctx.host.clock.monotonic() - ctx.startedAt,
});

/** Longer waits are a mistake in units. */
const LONGEST_SLEEP_SECONDS = 365 * 86_400;

export const sleep = builtin({
  name: 'sleep',
  group: 'time',
  summary: 'Waits, while other executions go on.',
  params: [{ name: 'seconds', type: 'number', doc: 'Fractions count; zero or less does not wait.' }],
  returns: 'number',
  details: 'Returns the seconds that were asked for, or 0.',
  errors: 'An exception for more than a year.',
  example: 'sleep(0)  // 0',
  source,
  suspends: true,
  run: (seconds, ctx) => {
    if (seconds <= 0) return 0;
    if (!(seconds <= LONGEST_SLEEP_SECONDS)) {
      throw new ScriptFault(
        `sleep: the time must be at most ${LONGEST_SLEEP_SECONDS} seconds, found ${seconds}`,
      );
    }
    return servicesOf(ctx)
      .sleep(seconds, ctx.signal)
      .then(() => seconds);
  },
});

const localKey = {
  local: { type: 'boolean', default: true, doc: 'Use the local time zone; false for UTC.' },
} as const satisfies OptionKeys;

function zoneFor(ctx: CallContext, local: boolean): string {
  return local ? servicesOf(ctx).timeZone() : 'UTC';
}

export const strftime = builtin({
  name: 'strftime',
  group: 'time',
  summary: 'Writes a time as text.',
  details: [
    'Letters behind `%` as in C, in the C locale: Y m d H M S, y C j b B h a A e p I k l, z Z s, the compounds T D F R r c x X,',
    'weeks U W V G g and weekdays u w, n t %. The result has at most 100 bytes.',
  ].join('\n'),
  params: [
    { name: 'format', type: 'string' },
    { name: 'time', type: 'number', optional: true, doc: 'Seconds since 1970; now when left out.' },
    { name: 'options', type: 'options', optional: true, keys: localKey },
  ],
  returns: 'string',
  errors: 'An exception when the time is beyond the calendar.',
  example: 'strftime("%Y-%m-%dT%H:%M:%SZ", 1600000000, ["local" => false])  // "2020-09-13T12:26:40Z"',
  source,
  run: (format, moment, options, ctx) => {
    const seconds = moment ?? ctx.host.clock.now();
    if (!(Math.abs(seconds) <= FARTHEST_SECONDS)) {
      throw new ScriptFault(`strftime: the time ${seconds} is beyond the calendar`);
    }
    return formatTime(format, seconds, zoneFor(ctx, options.local));
  },
});

export const strptime = builtin({
  name: 'strptime',
  group: 'time',
  summary: 'Reads a time from text.',
  details: [
    'Letters as in strftime. The whole text must match; white space in the format matches any amount of it. What the format',
    'does not name is 0, or the first of month and year; a format without any date means today, one without a year this year.',
    '`%z` counts before the time zone.',
  ].join('\n'),
  params: [
    { name: 'text', type: 'string' },
    { name: 'format', type: 'string' },
    { name: 'options', type: 'options', optional: true, keys: localKey },
  ],
  returns: 'number|none',
  errors: 'None when the text does not match.',
  example: 'strptime("2020-01-02 03:04:05", "%Y-%m-%d %H:%M:%S", ["local" => false])  // 1577934245',
  source,
  run: (text, format, options, ctx) =>
    parseTime(text, format, zoneFor(ctx, options.local), ctx.host.clock.now()) ?? null,
});

export const strpduration = builtin({
  name: 'strpduration',
  group: 'time',
  summary: 'Reads a span of time such as 1h30m.',
  details:
    'A sum of days (d), hours (h), minutes (m) and seconds (s), without blanks; a bare number counts seconds.',
  params: [{ name: 'text', type: 'string' }],
  returns: 'number|none',
  errors: 'None when it is no span of time.',
  example: 'strpduration("1h30m")  // 5400\nstrpduration("soon")  // null',
  source,
  pure: true,
  run: (text) => parseDuration(text) ?? null,
});

export const times = [time, timelocal, uptime, executiontime, sleep, strftime, strptime, strpduration];
