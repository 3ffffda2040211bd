// Shared memory of group 12: one store per process, atomic, seen by all executions and by `barrier`. Callbacks run while
// the key is locked and must not suspend.

import { type BuiltinSteps, builtin, type CallContext, callAtomic, share, type Value } from '#lang';
import { leave, tryEnter, waitToEnter, whenUnlocked } from './locked.js';

const since = '5.2';
const source = 'stdlib 12';
const key = { name: 'key', type: 'string|number', doc: 'A number is taken as its text.' } as const;
const errors =
  'An exception when this script holds the key itself, in a barrier or callback, or the shared memory is full.';

export const memoryAdd = builtin({
  name: 'memory_add',
  group: 'state',
  summary: 'Stores a value unless the key has one.',
  params: [key, { name: 'value', type: 'any' }],
  returns: 'boolean',
  errors,
  since,
  example: 'memory_add(uuid(), 1)  // true',
  source,
  suspends: true,
  run: (name, value, ctx) =>
    whenUnlocked(ctx, 'memory_add', ctx.toText(name), () => {
      const { memory } = ctx.host;
      if (memory.get(ctx.toText(name)) !== undefined) return false;
      memory.set(ctx.toText(name), share(value));
      return true;
    }),
});

export const memoryStore = builtin({
  name: 'memory_store',
  group: 'state',
  summary: 'Stores a value and says whether the key had one.',
  params: [
    key,
    { name: 'value', type: 'any' },
    {
      name: 'callback',
      type: 'function',
      optional: true,
      doc: 'Called with key and old value, if there was one.',
    },
  ],
  returns: 'boolean',
  errors,
  since,
  example: 'memory_store(uuid(), [1, 2])  // false',
  source,
  suspends: true,
  callbacks: true,
  run: function* (name, value, callback, ctx): BuiltinSteps<Value> {
    const text = ctx.toText(name);
    const { memory } = ctx.host;
    if (!tryEnter(ctx, 'memory_store', text)) yield* waitToEnter(ctx, text);
    try {
      const old = memory.get(text);
      if (old !== undefined && callback !== undefined) yield callAtomic(callback, text, share(old));
      memory.set(text, share(value));
      return old !== undefined;
    } finally {
      leave(ctx, text);
    }
  },
});

export const memoryFetch = builtin({
  name: 'memory_fetch',
  group: 'state',
  summary: 'Gives the value of a key.',
  params: [
    key,
    {
      name: 'callback',
      type: 'function',
      optional: true,
      doc: 'Called with the key when it has no value; its result is returned and not stored.',
    },
  ],
  returns: 'any',
  errors: 'None when the key has no value. An exception when this script holds the key itself.',
  since,
  example: 'memory_fetch(uuid())  // null',
  source,
  suspends: true,
  callbacks: true,
  run: function* (name, callback, ctx): BuiltinSteps<Value> {
    const text = ctx.toText(name);
    if (!tryEnter(ctx, 'memory_fetch', text)) yield* waitToEnter(ctx, text);
    try {
      const value = ctx.host.memory.get(text);
      if (value !== undefined) return share(value);
      return callback === undefined ? null : yield callAtomic(callback, text);
    } finally {
      leave(ctx, text);
    }
  },
});

const present = {
  name: 'callback',
  type: 'function',
  optional: true,
  doc: 'Called with key and value, if there is one.',
} as const;

export const memoryExists = builtin({
  name: 'memory_exists',
  group: 'state',
  summary: 'Says whether a key has a value.',
  params: [key, present],
  returns: 'boolean',
  errors,
  since,
  example: 'memory_exists(uuid())  // false',
  source,
  suspends: true,
  callbacks: true,
  run: function* (name, callback, ctx): BuiltinSteps<Value> {
    const text = ctx.toText(name);
    if (!tryEnter(ctx, 'memory_exists', text)) yield* waitToEnter(ctx, text);
    try {
      const value = ctx.host.memory.get(text);
      if (value !== undefined && callback !== undefined) yield callAtomic(callback, text, share(value));
      return value !== undefined;
    } finally {
      leave(ctx, text);
    }
  },
});

export const memoryDelete = builtin({
  name: 'memory_delete',
  group: 'state',
  summary: 'Removes a key and says whether it had a value.',
  params: [key, present],
  returns: 'boolean',
  errors,
  since,
  example: 'memory_delete(uuid())  // false',
  source,
  suspends: true,
  callbacks: true,
  run: function* (name, callback, ctx): BuiltinSteps<Value> {
    const text = ctx.toText(name);
    if (!tryEnter(ctx, 'memory_delete', text)) yield* waitToEnter(ctx, text);
    try {
      const value = ctx.host.memory.get(text);
      if (value !== undefined && callback !== undefined) yield callAtomic(callback, text, share(value));
      return ctx.host.memory.delete(text);
    } finally {
      leave(ctx, text);
    }
  },
});

const offset = { name: 'offset', type: 'number', default: 1, doc: 'How much.' } as const;
const countErrors =
  'None when the value is no number. An exception when this script holds the key itself, or the shared memory is full.';

/** Adds to a number; a key without value counts as 0. */
function addTo(ctx: CallContext, text: string, amount: number, removeIfZero: boolean): Value {
  const { memory } = ctx.host;
  const current = memory.get(text) ?? 0;
  // A stored none is a value, and no number.
  if (typeof current !== 'number' || memory.get(text) === null) return null;
  const sum = current + amount;
  if (sum === 0 && removeIfZero) memory.delete(text);
  else memory.set(text, sum);
  return sum;
}

export const memoryInc = builtin({
  name: 'memory_inc',
  group: 'state',
  summary: 'Adds to the number of a key and gives the new one.',
  details: 'A key without value counts as 0.',
  params: [key, offset],
  returns: 'number|none',
  errors: countErrors,
  since,
  example: 'memory_inc(uuid(), 5)  // 5',
  source,
  suspends: true,
  run: (name, amount, ctx) =>
    whenUnlocked(ctx, 'memory_inc', ctx.toText(name), () => addTo(ctx, ctx.toText(name), amount, false)),
});

export const memoryDec = builtin({
  name: 'memory_dec',
  group: 'state',
  summary: 'Subtracts from the number of a key and gives the new one.',
  details: 'A key without value counts as 0.',
  params: [
    key,
    offset,
    { name: 'remove_if_zero', type: 'boolean', default: false, doc: 'Remove the key when it reaches 0.' },
  ],
  returns: 'number|none',
  errors: countErrors,
  since,
  example: 'memory_dec(uuid(), 5)  // -5',
  source,
  suspends: true,
  run: (name, amount, removeIfZero, ctx) =>
    whenUnlocked(ctx, 'memory_dec', ctx.toText(name), () =>
      addTo(ctx, ctx.toText(name), -amount, removeIfZero),
    ),
});

export const memoryUpdate = builtin({
  name: 'memory_update',
  group: 'state',
  summary: 'Stores what a function makes of the current value, and says whether there was one.',
  details: 'Without a current value nothing is stored, unless `initial` is given: it then takes its place.',
  params: [
    key,
    { name: 'value', type: 'any', doc: 'Passed on to the function.' },
    {
      name: 'callback',
      type: 'function',
      doc: 'Called with key, current value and `value`; its result is stored.',
    },
    { name: 'initial', type: 'any', optional: true, doc: 'The current value of a key that has none.' },
  ],
  returns: 'boolean',
  errors,
  since,
  example:
    'memory_update(uuid(), 1, function ($k, $current, $value) { return $current + $value; }, 0)  // false',
  source,
  suspends: true,
  callbacks: true,
  run: function* (name, value, callback, initial, ctx): BuiltinSteps<Value> {
    const text = ctx.toText(name);
    const { memory } = ctx.host;
    if (!tryEnter(ctx, 'memory_update', text)) yield* waitToEnter(ctx, text);
    try {
      const stored = memory.get(text);
      const current = stored ?? (stored === null ? null : initial);
      if (current === undefined) return false;
      const result: Value = yield callAtomic(callback, text, share(current), share(value));
      memory.set(text, share(result));
      return stored !== undefined;
    } finally {
      leave(ctx, text);
    }
  },
});

export const memory = [
  memoryAdd,
  memoryStore,
  memoryFetch,
  memoryExists,
  memoryDelete,
  memoryInc,
  memoryDec,
  memoryUpdate,
];
