// Values that outlive the execution that stores them: their texts are detached from what they were cut out of, or a word of
// a message would keep the whole message in memory, uncounted.

import { detached, HslArray, share, type Value } from '#lang';

/** Arrays nested deeper keep their texts as they are: nobody stores such a thing in earnest. */
const DEEPEST = 200;

/**
 * The same value with texts of its own. Objects and functions stay what they are.
 * @param previous what was stored in the same place before, whose texts are detached: what they share need not be copied
 */
export function detachedValue(value: Value, previous?: Value): Value {
  if (typeof value === 'string') return value === previous ? (previous as string) : detached(value);
  if (!(value instanceof HslArray)) return value;
  return value === previous ? value : share(detachedArray(value, previous, new Map(), 0));
}

function detachedArray(
  array: HslArray,
  previous: Value | undefined,
  known: Map<HslArray, HslArray>,
  depth: number,
): HslArray {
  if (array === previous) return array;
  const found = known.get(array);
  if (found !== undefined) return share(found);
  if (depth > DEEPEST) return share(array);
  const before = previous instanceof HslArray ? previous : undefined;
  const copy = HslArray.empty();
  for (const [key, item] of array.entries()) {
    const old = before?.getNormal(key);
    const own =
      typeof item === 'string'
        ? item === old
          ? old
          : detached(item)
        : item instanceof HslArray
          ? detachedArray(item, old, known, depth + 1)
          : item;
    copy.set(typeof key === 'string' ? detached(key) : key, own);
  }
  known.set(array, copy);
  return copy;
}
