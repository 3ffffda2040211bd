// Equality and order (hsl-language 5.4). Guesses of hsl-language 20 that live here: how `match` and `switch` compare
// (`takesCase`), `<` on other types than numbers (`isLess`), the order of keys in array equality (`isSame`).

import { HslArray } from './array.js';
import { toBoolean, toNumber } from './convert.js';
import { ScriptFault } from './script-fault.js';
import { typeWord } from './type-word.js';
import type { Value } from './value.js';

/** `===`: same type and same value; arrays entry by entry in order, references by identity. */
export function isSame(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (!(a instanceof HslArray && b instanceof HslArray)) return false;
  return haveSameEntries(a, b, { left: PLAIN_PAIRS, known: undefined });
}

/** So many pairs of arrays are compared before it is worth remembering which were found the same. */
const PLAIN_PAIRS = 1000;

// Arrays that hold one array in several places (`$a = [$a, $a]`, forty times over) have few arrays but a great many paths:
// a pair that was compared once is not compared again. Only a pair of arrays that both are shared can come twice.
interface Comparison {
  /** Pairs of arrays until that begins. */
  left: number;
  known: Map<HslArray, Set<HslArray>> | undefined;
}

function haveSameEntries(a: HslArray, b: HslArray, comparison: Comparison): boolean {
  if (a.length !== b.length) return false;
  if (comparison.known?.get(a)?.has(b) === true) return true;
  if (--comparison.left < 0) comparison.known ??= new Map();
  const others = b.entries();
  for (const [key, value] of a.entries()) {
    const other = others.next().value as [Value, Value];
    if (!areSame(key, other[0], comparison) || !areSame(value, other[1], comparison)) return false;
  }
  const { known } = comparison;
  if (known !== undefined && a.shared && b.shared) {
    const partners = known.get(a);
    if (partners === undefined) known.set(a, new Set([b]));
    else partners.add(b);
  }
  return true;
}

function areSame(a: Value, b: Value, comparison: Comparison): boolean {
  if (a === b) return true;
  return a instanceof HslArray && b instanceof HslArray && haveSameEntries(a, b, comparison);
}

/** `==`: the loose table. */
export function isEqual(a: Value, b: Value): boolean {
  if (a === null || b === null) return a === b;
  switch (typeof a) {
    case 'boolean':
      return typeof b === 'number' ? Number(a) === b : a === toBoolean(b);
    case 'number':
      return numberIsEqual(a, b);
    case 'string':
      if (typeof b === 'string') return a === b;
      if (typeof b === 'number') return toNumber(a) === b;
      return typeof b === 'boolean' && toBoolean(a) === b;
    default:
      if (typeof b === 'boolean') return toBoolean(a) === b;
      if (typeof b === 'number') return Number(toBoolean(a)) === b;
      return isSame(a, b);
  }
}

function numberIsEqual(a: number, b: Exclude<Value, null>): boolean {
  switch (typeof b) {
    case 'number':
      return a === b;
    case 'boolean':
      return a === Number(b);
    case 'string':
      return a === toNumber(b);
    default:
      return a === Number(toBoolean(b));
  }
}

/** Whether a `case` label or a `match` arm takes the subject. Guess: loosely, as `==`. */
export function takesCase(subject: Value, label: Value): boolean {
  return isEqual(subject, label);
}

/** `a < b`. None on either side is never less; strings compare bytewise, everything else as numbers. */
export function isLess(a: Value, b: Value): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  if (typeof a === 'string' && typeof b === 'string') return a < b;
  if (!isOrdered(a, b)) return false;
  return toNumber(a) < toNumber(b);
}

/** `a <= b`. */
export function isLessOrEqual(a: Value, b: Value): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a <= b;
  if (typeof a === 'string' && typeof b === 'string') return a <= b;
  if (!isOrdered(a, b)) return false;
  return toNumber(a) <= toNumber(b);
}

function isOrdered(a: Value, b: Value): boolean {
  if (hasNoOrder(a) || hasNoOrder(b))
    throw new ScriptFault(
      `cannot order ${typeWord(a)} and ${typeWord(b)}: < <= > >= compare numbers, strings and booleans`,
    );
  return a !== null && b !== null;
}

function hasNoOrder(value: Value): boolean {
  return typeof value === 'object' && value !== null;
}
