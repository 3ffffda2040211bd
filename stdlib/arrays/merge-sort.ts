// A stable sort whose comparison is a script function: a generator, so that the function may suspend.

import { type BuiltinSteps, call, type HslFunction, toBoolean, type Value } from '#lang';

/** An element with what it is compared by. */
export interface Sortable {
  readonly by: Value;
  readonly key: Value;
  readonly value: Value;
}

/**
 * `items` so that none is less than one before it; `less(a, b)` says whether a comes before b. Bottom-up merging: runs
 * of doubling length, from one array into the other.
 */
export function* mergeSort(items: readonly Sortable[], less: HslFunction): BuiltinSteps<readonly Sortable[]> {
  let from = items.slice();
  let to = items.slice();
  for (let run = 1; run < items.length; run *= 2) {
    for (let start = 0; start < items.length; start += 2 * run) {
      const middle = Math.min(start + run, items.length);
      const end = Math.min(start + 2 * run, items.length);
      let left = start;
      let right = middle;
      for (let at = start; at < end; at++) {
        // The right one goes first only if it is less: equal elements keep their order.
        const takesRight =
          left >= middle || (right < end && toBoolean(yield call(less, from[right]!.by, from[left]!.by)));
        to[at] = takesRight ? from[right++]! : from[left++]!;
      }
    }
    [from, to] = [to, from];
  }
  return from;
}
