// Finding equal values (`===`) among many without comparing each with each.

import { HslArray } from './array.js';
import { isSame } from './compare.js';
import type { Value } from './value.js';

/** How many elements of an array and how many levels its bucket looks at. */
const SAMPLED_ELEMENTS = 16;
const SAMPLED_LEVELS = 3;

/** A set of values under strict equality: scalars and references by JavaScript's own, arrays by bucket. */
export class ValueSet {
  readonly #others = new Set<Value>();
  readonly #arrays = new Map<string, HslArray[]>();

  /** Not a number is equal to nothing, itself included. */
  has(value: Value): boolean {
    if (value instanceof HslArray) {
      if (this.#arrays.size === 0) return false;
      const arrays = this.#arrays.get(bucketOf(value, SAMPLED_LEVELS));
      return arrays?.some((other) => isSame(value, other)) ?? false;
    }
    return !Number.isNaN(value) && this.#others.has(value);
  }

  /** @returns whether the value was new */
  add(value: Value): boolean {
    if (value instanceof HslArray) {
      const bucket = bucketOf(value, SAMPLED_LEVELS);
      const arrays = this.#arrays.get(bucket);
      if (arrays === undefined) {
        this.#arrays.set(bucket, [value]);
        return true;
      }
      if (arrays.some((other) => isSame(value, other))) return false;
      arrays.push(value);
      return true;
    }
    if (Number.isNaN(value)) return true;
    if (this.#others.has(value)) return false;
    this.#others.add(value);
    return true;
  }
}

/** Equal arrays have equal buckets; different ones mostly different. */
function bucketOf(value: Value, levels: number): string {
  if (!(value instanceof HslArray)) {
    return typeof value === 'object' && value !== null
      ? 'o'
      : `${typeof value}:${String(value).slice(0, 64)}`;
  }
  if (levels === 0) return `a${value.length}`;
  let bucket = `a${value.length}(`;
  let seen = 0;
  for (const [key, element] of value.entries()) {
    if (seen++ === SAMPLED_ELEMENTS) break;
    bucket += `${bucketOf(key, 0)}=${bucketOf(element, levels - 1)},`;
  }
  return `${bucket})`;
}
