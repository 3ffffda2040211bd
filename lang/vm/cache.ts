// cache (hsl-language 15): a call whose result is kept for a while, for all executions of the process. The store is the
// host's; here is what a call means.
//
// A bucket's name is the `namespace` option, a line feed, and the function's file and name; the host reads the namespace back
// from it (`file:X`, `$messageid`). A key is the arguments written out so that equal keys mean strictly equal arguments.

import { type BuiltinSteps, call } from '../declare.js';
import { HslArray } from '../values/array.js';
import { toBoolean, toText } from '../values/convert.js';
import { HslFunction } from '../values/function.js';
import { share } from '../values/object.js';
import { ScriptFault } from '../values/script-fault.js';
import { typeWord } from '../values/type-word.js';
import type { Value } from '../values/value.js';
import type { Fiber } from './fiber.js';
import { ScriptTarget } from './prepared.js';

const DEFAULT_TTL = 60;
const DEFAULT_SIZE = 32;

/** Namespace of the cache that belongs to one message. */
const PER_MESSAGE = '$messageid';

/** `cache options fn(args)`. */
export function* cachedCall(
  fiber: Fiber,
  options: HslArray,
  fn: HslFunction,
  args: HslArray,
): BuiltinSteps<Value> {
  const { cache, clock } = fiber.host;
  const bucket = `${namespaceOf(options)}\n${bucketName(fn)}`;
  const values = args.toList();
  const key = keyOf(filterArguments(values, options.get('argv_filter') ?? null));
  const known = cache.get(bucket, key);
  const isForced = toBoolean(options.get('force') ?? false);
  if (known !== undefined && !isForced && known.expires > clock.monotonic()) return share(known.value);

  let result = yield* called(fn, values);
  const update = functionOption(options, 'update_function');
  if (update !== undefined && known !== undefined) result = yield* called(update, [known.value, result]);
  const ttl = yield* ttlOf(options, result);
  if (ttl > 0) {
    const size = numberOption(options, 'size') ?? DEFAULT_SIZE;
    const lru = toBoolean(options.get('lru') ?? true);
    cache.set(bucket, key, { value: share(result), expires: clock.monotonic() + ttl }, size, lru);
  }
  return result;
}

function* called(fn: HslFunction, args: readonly Value[]): BuiltinSteps<Value> {
  return (yield call(fn, ...args)) as Value;
}

function* ttlOf(options: HslArray, result: Value): BuiltinSteps<number> {
  const override = options.get('ttl_override') ?? null;
  if (override !== null) {
    if (!(override instanceof HslArray)) throw wrongOption('ttl_override', 'an array', override);
    const ttl = override.get(result);
    if (typeof ttl === 'number') return ttl;
  }
  const decide = functionOption(options, 'ttl_function');
  if (decide !== undefined) {
    const ttl = yield* called(decide, [result]);
    if (typeof ttl === 'number') return ttl;
    if (ttl !== null)
      throw new ScriptFault(`ttl_function must return a number or none, not ${typeWord(ttl)}`);
  }
  return numberOption(options, 'ttl') ?? DEFAULT_TTL;
}

// --- Options ------------------------------------------------------------------------------------------------------

function wrongOption(name: string, expected: string, found: Value): ScriptFault {
  return new ScriptFault(`cache option "${name}" must be ${expected}, not ${typeWord(found)}`);
}

function numberOption(options: HslArray, name: string): number | undefined {
  const value = options.get(name) ?? null;
  if (value === null) return undefined;
  if (typeof value !== 'number') throw wrongOption(name, 'a number', value);
  return value;
}

function functionOption(options: HslArray, name: string): HslFunction | undefined {
  const value = options.get(name) ?? null;
  if (value === null) return undefined;
  if (!(value instanceof HslFunction)) throw wrongOption(name, 'a function', value);
  return value;
}

function namespaceOf(options: HslArray): string {
  if (toBoolean(options.get('per_message') ?? false)) return PER_MESSAGE;
  return toText(options.get('namespace') ?? '');
}

function filterArguments(values: readonly Value[], filter: Value): readonly Value[] {
  if (filter === null) return values;
  if (!(filter instanceof HslArray)) throw wrongOption('argv_filter', 'an array', filter);
  return filter.toList().map((position) => {
    if (typeof position !== 'number') throw wrongOption('argv_filter', 'an array of numbers', position);
    return values[Math.trunc(position) - 1] ?? null;
  });
}

// --- Names and keys -----------------------------------------------------------------------------------------------

function bucketName(fn: HslFunction): string {
  if (!(fn.target instanceof ScriptTarget)) return fn.name;
  const { instance, fn: code } = fn.target;
  return `${instance.prepared.program.files[code.source.file] ?? ''}\n${fn.name}`;
}

const identities = new WeakMap<object, number>();
let lastIdentity = 0;

function identityOf(reference: object): number {
  let identity = identities.get(reference);
  if (identity === undefined) {
    identity = ++lastIdentity;
    identities.set(reference, identity);
  }
  return identity;
}

/** A longer key is refused: it would cost more than the call. */
const MAX_KEY = 2 ** 26;

/** Values written out: equal texts exactly for values that are `===`. References are written by identity. */
export function keyOf(values: readonly Value[]): string {
  const known = new Map<HslArray, string>();
  return values.map((value) => keyPart(value, known)).join('');
}

// As in convert.ts: an array held in several places is written once.
function keyPart(value: Value, known: Map<HslArray, string>): string {
  switch (typeof value) {
    case 'string':
      return `s${value.length}:${value}`;
    case 'number':
      return `n${value};`;
    case 'boolean':
      return value ? 't' : 'f';
    default:
      if (value === null) return '0';
      return value instanceof HslArray ? arrayPart(value, known) : `r${identityOf(value)};`;
  }
}

function arrayPart(array: HslArray, known: Map<HslArray, string>): string {
  const found = known.get(array);
  if (found !== undefined) return found;
  const parts = [`a${array.length}:`];
  let length = 0;
  for (const [key, value] of array.entries()) {
    const part = keyPart(key, known) + keyPart(value, known);
    length += part.length;
    if (length > MAX_KEY) throw new ScriptFault('the arguments of a cached call are too large to be its key');
    parts.push(part);
  }
  const text = parts.join('');
  known.set(array, text);
  return text;
}
