// Slices of strings and arrays, by position (hsl-language 6.1). Guess of hsl-language 20 that lives here: unset of a slice
// keeps the keys of what remains (`withoutSlice`).

import { HslArray } from './array.js';
import { toNumber } from './convert.js';
import { chargeElements, type Meter } from './meter.js';
import { share } from './object.js';
import { ScriptFault } from './script-fault.js';
import { typeWord } from './type-word.js';
import type { Value } from './value.js';

/** The positions of a slice: from `first` in steps of `step`, `count` of them. */
interface Positions {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** A bound as an integer; undefined when it is left out (or none). */
function bound(value: Value): number | undefined {
  if (value === null) return undefined;
  if (typeof value === 'object') throw new ScriptFault(`a slice takes numbers, not ${typeWord(value)}`);
  const number = toNumber(value);
  return Number.isNaN(number) ? 0 : Math.trunc(number);
}

/** Clamps as Python does: negative bounds count from the end, nothing is out of range. */
function positions(length: number, first: Value, last: Value, step: Value): Positions {
  const by = bound(step) ?? 1;
  if (by === 0) throw new ScriptFault('the step of a slice cannot be 0');
  const lowest = by > 0 ? 0 : -1;
  const highest = by > 0 ? length : length - 1;
  const clamp = (value: number) => Math.min(Math.max(value < 0 ? value + length : value, lowest), highest);
  const from = bound(first);
  const to = bound(last);
  const start = from === undefined ? (by > 0 ? 0 : length - 1) : clamp(from);
  const end = to === undefined ? (by > 0 ? length : -1) : clamp(to);
  const count = by > 0 ? Math.ceil((end - start) / by) : Math.ceil((start - end) / -by);
  return { first: start, step: by, count: Math.max(0, count) };
}

/** `value[first:last:step]`, none for an omitted bound. */
export function slice(value: Value, first: Value, last: Value, step: Value, meter: Meter): Value {
  if (typeof value === 'string') return sliceText(value, positions(value.length, first, last, step), meter);
  if (value instanceof HslArray) return sliceArray(value, positions(value.length, first, last, step), meter);
  if (value === null) return null;
  throw new ScriptFault(`only strings and arrays can be sliced, not ${typeWord(value)}`);
}

function sliceText(text: string, { first, step, count }: Positions, meter: Meter): string {
  if (step === 1) return text.slice(first, first + count);
  meter.charge(count);
  const parts: string[] = [];
  for (let i = 0; i < count; i++) parts.push(text[first + i * step]!);
  return parts.join('');
}

function sliceArray(array: HslArray, { first, step, count }: Positions, meter: Meter): HslArray {
  chargeElements(meter, count);
  const values = array.toList();
  const result: Value[] = step === 1 ? values.slice(first, first + count) : [];
  if (step !== 1) for (let i = 0; i < count; i++) result.push(values[first + i * step]!);
  for (const value of result) share(value);
  return HslArray.fromList(result);
}

/** A new array in which the values of `replacement` stand where the slice was; keys are renumbered. */
export function splice(
  value: Value | undefined,
  first: Value,
  last: Value,
  step: Value,
  replacement: Value,
  meter: Meter,
): HslArray {
  const array = value ?? HslArray.empty();
  if (!(array instanceof HslArray))
    throw new ScriptFault(`only a slice of an array can be assigned, not of ${typeWord(array)}`);
  if (step !== null && bound(step) !== 1)
    throw new ScriptFault('a slice that is assigned cannot have a step');
  if (!(replacement instanceof HslArray))
    throw new ScriptFault(`a slice is assigned an array, not ${typeWord(replacement)}`);
  const { first: start, count } = positions(array.length, first, last, null);
  chargeElements(meter, array.length - count + replacement.length);
  const old = array.toList();
  const values = old.slice(0, start).concat(replacement.toList(), old.slice(start + count));
  for (const element of values) share(element);
  return HslArray.fromList(values);
}

/** A new array without the slice; what remains keeps its keys. Anything but an array has nothing to remove. */
export function withoutSlice(
  value: Value | undefined,
  first: Value,
  last: Value,
  step: Value,
  meter: Meter,
): { readonly rest: Value | undefined; readonly removed: boolean } {
  if (!(value instanceof HslArray)) return { rest: value, removed: false };
  const { first: start, step: by, count } = positions(value.length, first, last, step);
  if (count === 0) return { rest: value, removed: false };
  chargeElements(meter, value.length - count);
  const unwanted = new Set<number>();
  for (let i = 0; i < count; i++) unwanted.add(start + i * by);
  const rest = HslArray.empty();
  let position = 0;
  for (const [key, element] of value.entries()) if (!unwanted.has(position++)) rest.set(key, share(element));
  return { rest, removed: true };
}
