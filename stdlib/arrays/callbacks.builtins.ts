// The functions of group 1 that call script functions. They are generators: the VM runs the callback, which may suspend,
// and hands its result back (lang/declare.ts).

import {
  type BuiltinSteps,
  builtin,
  call,
  HslArray,
  HslFunction,
  isSame,
  ScriptFault,
  share,
  toBoolean,
  type Value,
} from '#lang';
import { mergeSort, type Sortable } from './merge-sort.js';

const source = 'stdlib 1';
const array = { name: 'array', type: 'array' } as const;
const test = { name: 'callback', type: 'function', doc: 'Called with each value.' } as const;

export const arrayEvery = builtin({
  name: 'array_every',
  group: 'arrays',
  summary: 'Says whether a function holds for all elements.',
  details: 'True for an empty array; stops at the first element for which it does not.',
  params: [test, array],
  returns: 'boolean',
  since: '5.3',
  example: 'array_every(is_number, [1, 2])  // true',
  source,
  callbacks: true,
  run: function* (callback, values): BuiltinSteps<Value> {
    for (const value of values.toList()) if (!toBoolean(yield call(callback, share(value)))) return false;
    return true;
  },
});

export const arrayFilter = builtin({
  name: 'array_filter',
  group: 'arrays',
  summary: 'Keeps the elements for which a function holds.',
  details: 'Keys are kept, so the result of filtering a list may not be one.',
  params: [test, array],
  returns: 'array',
  example: 'array_filter(is_number, [0, "x", 2])  // {"0":0,"2":2}',
  source,
  callbacks: true,
  run: function* (callback, values): BuiltinSteps<Value> {
    const result = HslArray.empty();
    for (const [key, value] of [...values.entries()])
      if (toBoolean(yield call(callback, share(value)))) result.set(share(key), share(value));
    return result;
  },
});

export const arrayFind = builtin({
  name: 'array_find',
  group: 'arrays',
  summary: 'Gives the first element for which a function holds.',
  params: [test, array],
  returns: 'any',
  errors: 'None when there is no such element.',
  since: '5.0',
  example: 'array_find(is_string, [1, "x", "y"])  // "x"',
  source,
  callbacks: true,
  run: function* (callback, values): BuiltinSteps<Value> {
    for (const value of values.toList())
      if (toBoolean(yield call(callback, share(value)))) return share(value);
    return null;
  },
});

export const arrayIncludes = builtin({
  name: 'array_includes',
  group: 'arrays',
  summary: 'Says whether an array holds a value.',
  details:
    'Compares strictly (`===`). A function instead of a value is called with each element; any that holds counts.',
  params: [{ name: 'needle', type: 'any', doc: 'The value, or a function.' }, array],
  returns: 'boolean',
  since: '5.0',
  example:
    'array_includes(2, [1, 2])  // true\narray_includes("1", [1, 2])  // false\narray_includes(is_string, [1, "x"])  // true',
  source,
  callbacks: true,
  run: function* (needle, values): BuiltinSteps<Value> {
    if (!(needle instanceof HslFunction)) {
      for (const value of values.values()) if (isSame(needle, value)) return true;
      return false;
    }
    for (const value of values.toList()) if (toBoolean(yield call(needle, share(value)))) return true;
    return false;
  },
});

export const arrayMap = builtin({
  name: 'array_map',
  group: 'arrays',
  summary: 'Makes an array of what a function returns for each element.',
  details: 'Keys are kept.',
  params: [test, array],
  returns: 'array',
  example: 'array_map(str_upper, ["a" => "x", "b" => "y"])  // {"a":"X","b":"Y"}',
  source,
  callbacks: true,
  run: function* (callback, values): BuiltinSteps<Value> {
    if (values.isList) {
      const results: Value[] = [];
      for (const value of values.toList()) results.push(share(yield call(callback, share(value))));
      return HslArray.fromList(results);
    }
    const result = HslArray.empty();
    for (const [key, value] of [...values.entries()])
      result.set(share(key), share(yield call(callback, share(value))));
    return result;
  },
});

export const arrayReduce = builtin({
  name: 'array_reduce',
  group: 'arrays',
  summary: 'Folds an array into one value, from left to right.',
  details:
    'Without an initial value the first element is it, and an array of one element is returned as that element.',
  params: [
    { name: 'callback', type: 'function', doc: 'Called with what came before and the next value.' },
    array,
    { name: 'initial', type: 'any', optional: true, doc: 'What comes before the first element.' },
  ],
  returns: 'any',
  errors: 'An exception when the array is empty and there is no initial value.',
  example: 'array_reduce(function ($sum, $x) { return $sum + $x; }, [1, 2, 3, 4])  // 10',
  source,
  callbacks: true,
  run: function* (callback, values, initial): BuiltinSteps<Value> {
    const list = values.toList();
    let start = 0;
    let carry = initial;
    if (carry === undefined) {
      carry = list[0];
      start = 1;
      if (carry === undefined) {
        throw new ScriptFault('array_reduce: the array is empty; give an initial value as third argument');
      }
    }
    for (let i = start; i < list.length; i++) carry = yield call(callback, share(carry), share(list[i]!));
    return share(carry);
  },
});

export const arraySort = builtin({
  name: 'array_sort',
  group: 'arrays',
  summary: 'Sorts an array by a function that says whether one value comes before another.',
  details: [
    'The function answers true or false ("is the first one less?"), not -1, 0, 1. Keys stay with their values: iterate to',
    'see the order. Equal elements keep theirs.',
  ].join('\n'),
  params: [
    {
      name: 'callback',
      type: 'function',
      doc: 'Called with two values; true when the first one comes before.',
    },
    array,
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: { keys: { type: 'boolean', default: false, doc: 'Compare the keys instead of the values.' } },
    },
  ],
  returns: 'array',
  example: 'array_join(array_sort(function ($a, $b) { return $a < $b; }, [5, 3, 9]), ",")  // "3,5,9"',
  source,
  callbacks: true,
  run: function* (callback, values, options): BuiltinSteps<Value> {
    const items: Sortable[] = [];
    for (const [key, value] of values.entries())
      items.push({ by: share(options.keys ? key : value), key: share(key), value: share(value) });
    const result = HslArray.empty();
    for (const { key, value } of yield* mergeSort(items, callback)) result.set(key, value);
    return result;
  },
});

export const arrayCallbacks = [
  arrayEvery,
  arrayFilter,
  arrayFind,
  arrayIncludes,
  arrayMap,
  arrayReduce,
  arraySort,
];
