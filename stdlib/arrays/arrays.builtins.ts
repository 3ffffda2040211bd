// Group 1 of the library: arrays, the functions without callbacks. Those that call script functions are in
// callbacks.builtins.ts.

import {
  builtin,
  type CallContext,
  HslArray,
  isEqual,
  ScriptFault,
  share,
  type Value,
  ValueSet,
} from '#lang';
import { LONGEST_TEXT_BYTES, reserveElements, reserveText } from '../limits.js';

const source = 'stdlib 1';
const array = { name: 'array', type: 'array' } as const;

export const arrayCombine = builtin({
  name: 'array_combine',
  group: 'arrays',
  summary: 'Makes an array of a list of keys and a list of values.',
  details: 'A later duplicate of a key overwrites. Surplus values are left out.',
  params: [
    { name: 'keys', type: 'array' },
    { name: 'values', type: 'array' },
    { name: 'default_value', type: 'any', optional: true, doc: 'The value of keys beyond the last value.' },
  ],
  returns: 'array',
  errors: 'An exception when there are fewer values than keys and no default.',
  example: 'array_combine(["a", "b"], [1, 2])  // {"a":1,"b":2}',
  source,
  pure: true,
  run: (keys, values, defaultValue) => {
    if (values.length < keys.length && defaultValue === undefined) {
      throw new ScriptFault(
        `array_combine: there are ${keys.length} keys but ${values.length} values; give a default value as third argument`,
      );
    }
    const list = values.toList();
    const result = HslArray.empty();
    let position = 0;
    for (const key of keys.values()) {
      const value = list[position++];
      // A stored none is a value; only a missing one takes the default.
      result.set(key, share(value === undefined ? (defaultValue as Value) : value));
    }
    return result;
  },
});

export const arrayJoin = builtin({
  name: 'array_join',
  group: 'arrays',
  summary: 'Joins the elements of an array to one text.',
  params: [array, { name: 'separator', type: 'string', default: '', doc: 'Stands between two elements.' }],
  returns: 'string',
  since: '5.0',
  example: 'array_join(["a", 1, 2.5], "-")  // "a-1-2.5"',
  source,
  run: (values, separator, ctx) => joinArray(values, separator, ctx),
});

export const implode = builtin({
  name: 'implode',
  group: 'arrays',
  summary: 'Older form of array_join, with the separator first.',
  params: [{ name: 'glue', type: 'string' }, array],
  returns: 'string',
  deprecated: 'array_join',
  source: 'stdlib 16',
  run: (glue, values, ctx) => joinArray(values, glue, ctx),
});

function joinArray(array: HslArray, separator: string, ctx: CallContext): string {
  const parts: string[] = [];
  let size = 0;
  for (const value of array.values()) {
    const part = ctx.toText(value);
    size += part.length + separator.length;
    if (size > LONGEST_TEXT_BYTES) break;
    parts.push(part);
  }
  reserveText(ctx, 'array_join', size);
  return parts.join(separator);
}

export const inArray = builtin({
  name: 'in_array',
  group: 'arrays',
  summary: 'Older form of array_includes, comparing loosely.',
  params: [{ name: 'needle', type: 'any' }, array],
  returns: 'boolean',
  deprecated: 'array_includes',
  source: 'stdlib 16',
  pure: true,
  run: (needle, values) => {
    for (const value of values.values()) if (isEqual(needle, value)) return true;
    return false;
  },
});

export const arrayKeys = builtin({
  name: 'array_keys',
  group: 'arrays',
  summary: 'Gives the keys of an array in order.',
  params: [array],
  returns: 'array',
  example: 'array_keys(["a" => 1, 5 => 2])  // ["a",5]',
  source,
  pure: true,
  run: (values) => HslArray.fromList([...values.keys()].map(share)),
});

export const arrayRandom = builtin({
  name: 'array_random',
  group: 'arrays',
  summary: 'Picks one element of an array.',
  params: [array],
  returns: 'array|none',
  errors: 'None when the array is empty.',
  details: 'The result holds the key under 0 and the value under 1.',
  example: 'array_random([7])  // [0,7]',
  source,
  run: (values, ctx) => {
    if (values.length === 0) return null;
    const wanted = Math.floor(ctx.host.random.number() * values.length);
    let position = 0;
    for (const [key, value] of values.entries()) {
      if (position++ === wanted) return HslArray.fromList([share(key), share(value)]);
    }
    return null;
  },
});

const rangeParams = [
  { name: 'start', type: 'number' },
  { name: 'stop', type: 'number', doc: 'Left out of the result.' },
  { name: 'step', type: 'number', default: 1, doc: 'Negative counts down.' },
] as const;

export const arrayRange = builtin({
  name: 'array_range',
  group: 'arrays',
  summary: 'Makes a list of numbers from start up to, but without, stop.',
  details: 'Empty when the step leads away from stop.',
  params: rangeParams,
  returns: 'array',
  errors: 'An exception when the step is 0, or there would be more than 16 million numbers.',
  since: '5.0',
  example:
    'array_range(0, 3)  // [0,1,2]\narray_range(1, 10, 3)  // [1,4,7]\narray_range(3, 0, -1)  // [3,2,1]',
  source,
  run: (start, stop, step, ctx) => makeRange(start, stop, step, ctx),
});

export const range = builtin({
  name: 'range',
  group: 'arrays',
  summary: 'Older name of array_range.',
  details: 'Very old releases included the stop; it is left out here as in the later ones.',
  params: rangeParams,
  returns: 'array',
  deprecated: 'array_range',
  source: 'stdlib 16',
  run: (start, stop, step, ctx) => makeRange(start, stop, step, ctx),
});

function makeRange(start: number, stop: number, step: number, ctx: CallContext): HslArray {
  if (step === 0) throw new ScriptFault('array_range: the step is 0; it must lead from start to stop');
  const count = Math.max(0, Math.ceil((stop - start) / step));
  reserveElements(ctx, 'array_range', count);
  return HslArray.fromList(Array.from({ length: count }, (_, index) => start + index * step));
}

/** `values` in the order of `entries`: numeric keys are renumbered, all others kept. */
function renumber(entries: Iterable<readonly [Value, Value]>): HslArray {
  const result = HslArray.empty();
  let next = 0;
  for (const [key, value] of entries) result.set(typeof key === 'number' ? next++ : share(key), share(value));
  return result;
}

export const arrayReverse = builtin({
  name: 'array_reverse',
  group: 'arrays',
  summary: 'Turns the order of an array round.',
  details: 'Numeric keys are renumbered, string keys stay with their values.',
  params: [array],
  returns: 'array',
  example: 'array_reverse([1, 2, 3])  // [3,2,1]\narray_reverse(["a" => 1, "b" => 2])  // {"b":2,"a":1}',
  source,
  pure: true,
  run: (values) => renumber([...values.entries()].reverse()),
});

export const arrayShuffle = builtin({
  name: 'array_shuffle',
  group: 'arrays',
  summary: 'Brings the elements of an array into a random order.',
  details: 'Numeric keys are renumbered, string keys stay with their values.',
  params: [array],
  returns: 'array',
  example: 'length(array_shuffle([1, 2, 3]))  // 3',
  source,
  run: (values, ctx) => {
    const entries = [...values.entries()];
    for (let last = entries.length - 1; last > 0; last--) {
      const other = Math.floor(ctx.host.random.number() * (last + 1));
      [entries[last], entries[other]] = [entries[other]!, entries[last]!];
    }
    return renumber(entries);
  },
});

export const arrayUnique = builtin({
  name: 'array_unique',
  group: 'arrays',
  summary: 'Leaves out values that came before.',
  details: 'Compares strictly (`===`) and keeps the first key of each value.',
  params: [array],
  returns: 'array',
  example: 'array_unique(["a", "b", "a", "c"])  // {"0":"a","1":"b","3":"c"}',
  source,
  pure: true,
  run: (values) => {
    const seen = new ValueSet();
    const result = HslArray.empty();
    for (const [key, value] of values.entries()) if (seen.add(value)) result.set(share(key), share(value));
    return result;
  },
});

export const arrays = [
  arrayCombine,
  arrayJoin,
  arrayKeys,
  arrayRandom,
  arrayRange,
  arrayReverse,
  arrayShuffle,
  arrayUnique,
  implode,
  inArray,
  range,
];
