// i and j: what scripts have counted with `rate`, shown and forgotten.

import { bytesToText } from '#lang';
import type { LocalRates, RateEntry } from '#stdlib';
import { textTest } from '../conditions/values.js';
import { type Caller, ControlError, nextTurn, type Operation } from '../operation.js';

const DEFAULT_LIMIT = 100;
const HIGHEST_LIMIT = 10_000;
/** Entries that are looked at before others have a turn. */
const SLICE = 2000;

/** Where they are counted. */
export type KeptRates = Pick<LocalRates, 'each' | 'clear'>;

/** `RateConditions`. */
interface RateConditions {
  readonly namespaces: readonly {
    readonly namespace?: string;
    readonly regex?: boolean;
    readonly not?: boolean;
  }[];
  readonly entries: readonly { readonly entry?: string; readonly regex?: boolean; readonly not?: boolean }[];
}

/** Lists entries with events. */
export function rateList(
  rates: KeptRates,
  monotonic: () => number,
): Operation<{ readonly conditions?: RateConditions; readonly limit?: number }> {
  return {
    async run({ conditions, limit = DEFAULT_LIMIT }, { signal }: Caller) {
      if (limit > HIGHEST_LIMIT)
        throw new ControlError(`limit: found ${limit}; expected at most ${HIGHEST_LIMIT}`);
      const found: object[] = [];
      let total = 0;
      for await (const { namespace, entry, count, intervalSeconds } of fitting(
        rates,
        conditions,
        monotonic,
        signal,
      )) {
        total++;
        if (found.length < limit)
          found.push({
            namespace: bytesToText(namespace),
            entry: bytesToText(entry),
            count,
            interval: intervalSeconds,
          });
      }
      return { rates: found, total };
    },
  };
}

/** Forgets entries. */
export function rateClear(
  rates: KeptRates,
  monotonic: () => number,
): Operation<{ readonly conditions?: RateConditions }> {
  return {
    async run({ conditions }, { signal }: Caller) {
      let affected = 0;
      for await (const { namespace, entry } of fitting(rates, conditions, monotonic, signal))
        if (rates.clear(namespace, entry)) affected++;
      return { affected };
    },
  };
}

async function* fitting(
  rates: KeptRates,
  conditions: RateConditions | undefined,
  monotonic: () => number,
  signal: AbortSignal,
): AsyncGenerator<RateEntry> {
  const fits = readConditions(conditions);
  let seen = 0;
  for (const found of rates.each(monotonic())) {
    if (found.count > 0 && fits(found)) yield found;
    if (++seen % SLICE !== 0) continue;
    await nextTurn();
    if (signal.aborted) return;
  }
}

/** Those of one kind are alternatives, and both kinds must fit. @throws ControlError */
function readConditions(conditions: RateConditions | undefined): (entry: RateEntry) => boolean {
  const { namespaces = [], entries = [] } = conditions ?? {};
  const alternatives = [
    namespaces.map((condition, index) => {
      const test = textTest(condition.namespace ?? '', condition, `conditions.namespaces[${index}]`);
      return ({ namespace }: RateEntry) => test(namespace) !== (condition.not === true);
    }),
    entries.map((condition, index) => {
      const test = textTest(condition.entry ?? '', condition, `conditions.entries[${index}]`);
      return ({ entry }: RateEntry) => test(entry) !== (condition.not === true);
    }),
  ].filter(({ length }) => length > 0);
  return (entry) => alternatives.every((kind) => kind.some((test) => test(entry)));
}
