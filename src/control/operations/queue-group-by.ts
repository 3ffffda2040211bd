// D, QueueGroupBy (control-api 4.2): how the messages that fit are spread over the values of some fields, and over intervals of their
// age or of the time to their next try.

import { bytesToText } from '#lang';
import type { SeenInQueue } from '../../queue/message-queue.js';
import { BestOf } from '../best-of.js';
import type { QueueConditions } from '../conditions/conditions.js';
import { type LookedAt, scan } from '../conditions/scan.js';
import { type GroupKey, groupKeyCalled } from '../group-fields.js';
import { isoTime, retryDelayOf } from '../listed-values.js';
import { ControlError, nextTurn, type Operation } from '../operation.js';

const DEFAULT_LIMIT = 100;
const HIGHEST_LIMIT = 10_000;
/** By so many fields at once. */
const MOST_FIELDS = 10;
/** Somebody who groups by what every message has for itself is not to fill the memory. */
const MOST_GROUPS = 200_000;
const MOST_INTERVALS = 100;
/** Groups that are looked at, or told, before others have a turn. */
const SLICE = 1000;

/** `QueueGroupByRequest`. */
export interface QueueGroupByRequest {
  readonly conditions?: QueueConditions;
  readonly groupby: readonly string[];
  readonly buckets?: { readonly field?: string; readonly intervals: readonly number[] };
  readonly limit?: number;
}

/** `QueueGroupByResponse`. */
export interface QueueGroupByResponse {
  readonly groups: readonly object[];
  /** The messages in all groups. */
  readonly total: number;
  readonly groupcount: number;
}

interface Group {
  readonly values: readonly (string | number)[];
  count: number;
  size: number;
  /** Unix seconds. */
  oldest: number;
  /** How many are in each interval; the last has no end. */
  readonly spread: Uint32Array;
}

/** Counts what is in the queue, group by group. */
export function queueGroupBy(
  queue: LookedAt,
  now: () => number,
): Operation<QueueGroupByRequest, QueueGroupByResponse> {
  return {
    async run({ conditions, groupby, buckets, limit = DEFAULT_LIMIT }, { signal }) {
      if (limit > HIGHEST_LIMIT)
        throw new ControlError(`limit: found ${limit}; expected at most ${HIGHEST_LIMIT}`);
      if (groupby.length === 0)
        throw new ControlError('groupby: expected at least one field, such as recipientdomain');
      if (groupby.length > MOST_FIELDS)
        throw new ControlError(`groupby: found ${groupby.length} fields; expected at most ${MOST_FIELDS}`);
      const spread = buckets === undefined ? undefined : readSpread(buckets);
      const keys = groupby.map((name, index) => groupKeyCalled(name, `groupby[${index}]`));
      const began = now();
      const groups = new Groups(keys, spread, began);
      await scan(queue, conditions, began, (seen) => groups.count(seen), signal);
      const told: object[] = [];
      for (const group of await groups.largest(limit)) {
        told.push(shown(group, groupby, spread));
        if (told.length % SLICE === 0) await nextTurn();
      }
      return { groups: told, total: groups.total, groupcount: groups.size };
    },
  };
}

/** Intervals, and what is put into them. */
interface Spread {
  readonly intervals: readonly number[];
  readonly of: (seen: SeenInQueue, now: number) => number | undefined;
}

function readSpread({ field = '', intervals }: NonNullable<QueueGroupByRequest['buckets']>): Spread {
  if (field !== 'age' && field !== 'retrydelay')
    throw new ControlError(`buckets.field: found ${JSON.stringify(field)}; expected age or retrydelay`);
  if (intervals.length === 0 || intervals.length > MOST_INTERVALS)
    throw new ControlError(
      `buckets.intervals: found ${intervals.length}; expected 1 to ${MOST_INTERVALS}, such as 60, 300 and 3600`,
    );
  intervals.forEach((upto, index) => {
    const before = intervals[index - 1] ?? -1;
    if (!(upto > before))
      throw new ControlError(
        `buckets.intervals[${index}]: found ${upto}; expected ${index === 0 ? 'seconds, 0 or more' : `more than the ${before} before it`}`,
      );
  });
  return {
    intervals,
    of: field === 'age' ? ({ message }, now) => now - message.ts : (seen, now) => retryDelayOf(seen, now),
  };
}

/** Groups by the values of the first field, and in each of those by the next. */
interface Branch extends Map<string | number, Branch | Group> {}

/** What has been counted. */
class Groups {
  readonly #keys: readonly GroupKey[];
  readonly #spread: Spread | undefined;
  readonly #now: number;
  readonly #root: Branch = new Map();
  readonly #all: Group[] = [];
  total = 0;

  constructor(keys: readonly GroupKey[], spread: Spread | undefined, now: number) {
    this.#keys = keys;
    this.#spread = spread;
    this.#now = now;
  }

  get size(): number {
    return this.#all.length;
  }

  /** Takes a message into account. @returns that it goes on @throws ControlError */
  count(seen: SeenInQueue): true {
    const { ts, sizeBytes } = seen.message;
    const group = this.#groupOf(seen);
    this.total++;
    group.count++;
    group.size += sizeBytes;
    if (ts < group.oldest) group.oldest = ts;
    const value = this.#spread?.of(seen, this.#now);
    if (value !== undefined) {
      const { intervals } = this.#spread!;
      let at = 0;
      while (at < intervals.length && value > intervals[at]!) at++;
      group.spread[at]!++;
    }
    return true;
  }

  #groupOf(seen: SeenInQueue): Group {
    const keys = this.#keys;
    let branch = this.#root;
    for (let i = 0; ; i++) {
      const key = keys[i]!(seen, this.#now) ?? '';
      const isLast = i === keys.length - 1;
      let next = branch.get(key);
      if (next === undefined) {
        next = isLast ? this.#newGroup(seen) : new Map();
        branch.set(key, next);
      }
      if (isLast) return next as Group;
      branch = next as Branch;
    }
  }

  #newGroup(seen: SeenInQueue): Group {
    if (this.#all.length >= MOST_GROUPS)
      throw new ControlError(
        `groupby: there are more than ${MOST_GROUPS} groups; use conditions, or fields with fewer values`,
      );
    const group: Group = {
      values: this.#keys.map((key) => key(seen, this.#now) ?? ''),
      count: 0,
      size: 0,
      oldest: Number.POSITIVE_INFINITY,
      spread: new Uint32Array(this.#spread === undefined ? 0 : this.#spread.intervals.length + 1),
    };
    this.#all.push(group);
    return group;
  }

  /** The groups with the most messages, those first. */
  async largest(limit: number): Promise<readonly Group[]> {
    const best = new BestOf<Group>(Math.min(limit, this.#all.length), byCount);
    for (const [index, group] of this.#all.entries()) {
      best.offer(group);
      if (index % SLICE === SLICE - 1) await nextTurn();
    }
    const found: Group[] = [];
    while (best.size > 0) found.push(best.takeWorst()!);
    return found.reverse();
  }
}

/** Many before few; those with equally many in the order of their values. */
function byCount(one: Group, other: Group): number {
  if (one.count !== other.count) return other.count - one.count;
  for (const [index, value] of one.values.entries()) {
    const compared = other.values[index]!;
    if (value === compared) continue;
    if (typeof value === 'number' && typeof compared === 'number') return value - compared;
    return String(value) < String(compared) ? -1 : 1;
  }
  return 0;
}

/** A group in the shape of the answer. */
function shown(
  { values, count, size, oldest, spread }: Group,
  names: readonly string[],
  buckets: Spread | undefined,
): object {
  return {
    values: Object.fromEntries(names.map((name, index) => [name, bytesToText(String(values[index]))])),
    count,
    size,
    oldest: isoTime(oldest),
    ...(buckets === undefined
      ? undefined
      : {
          buckets: [...spread].map((inside, index) => ({
            ...(index < buckets.intervals.length && { upto: buckets.intervals[index] }),
            count: inside,
          })),
        }),
  };
}
