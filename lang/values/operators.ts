// What the operators do with every combination of types (hsl-language 5.3, 5.5, 5.8). The interpreter does numbers and
// strings itself and comes here for the rest; the compiler folds constants with the same functions. Arrays that operators
// are given are never written to. Guesses of hsl-language 20 that live here: division by zero (`divide`, `modulo`), none in
// a concatenation (`concat`), strictness of array subtraction (`subtract`).

import { HslArray } from './array.js';
import { toText } from './convert.js';
import { formatText } from './format.js';
import { chargeElements, chargeString, type Meter } from './meter.js';
import { share } from './object.js';
import { ScriptFault } from './script-fault.js';
import { typeWord } from './type-word.js';
import type { Value } from './value.js';
import { ValueSet } from './value-set.js';

function unsupported(operator: string, a: Value, b: Value): ScriptFault {
  return new ScriptFault(`${operator} does not work on ${typeWord(a)} and ${typeWord(b)}`);
}

/** A number or boolean as a number; undefined for the other types. */
function asNumber(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'boolean' ? Number(value) : undefined;
}

/** Both operands as numbers, or the exception that says why not. */
function numbers(operator: string, a: Value, b: Value): readonly [number, number] {
  const left = asNumber(a);
  const right = asNumber(b);
  if (left === undefined || right === undefined) throw unsupported(operator, a, b);
  return [left, right];
}

/** `a + b`: sum, concatenation, merge or append. */
export function add(a: Value, b: Value, meter: Meter): Value {
  if (a instanceof HslArray) return b instanceof HslArray ? merge(a, b, meter) : appended(a, b, meter);
  const left = asNumber(a);
  const right = asNumber(b);
  if (left !== undefined && right !== undefined) return left + right;
  // A boolean joins a number but not a text: "x" + true is an exception.
  const leftIsText = typeof a === 'string';
  const rightIsText = typeof b === 'string';
  if ((leftIsText || typeof a === 'number') && (rightIsText || typeof b === 'number'))
    return concat(a, b, meter);
  throw unsupported('+', a, b);
}

function merge(a: HslArray, b: HslArray, meter: Meter): HslArray {
  chargeElements(meter, a.length + b.length);
  const result = a.clone();
  for (const [key, value] of b.entries()) {
    share(value);
    if (typeof key === 'number') result.append(value);
    else result.set(key, value);
  }
  return result;
}

function appended(a: HslArray, value: Value, meter: Meter): HslArray {
  chargeElements(meter, a.length + 1);
  const result = a.clone();
  result.append(share(value));
  return result;
}

/** `a - b`: difference, or an array without some values (compared by `===`). */
export function subtract(a: Value, b: Value, meter: Meter): Value {
  if (a instanceof HslArray) {
    chargeElements(meter, a.length);
    const unwanted = new ValueSet();
    if (b instanceof HslArray) for (const value of b.values()) unwanted.add(value);
    else unwanted.add(b);
    const result = HslArray.empty();
    for (const [key, value] of a.entries()) if (!unwanted.has(value)) result.set(key, share(value));
    return result;
  }
  const [left, right] = numbers('-', a, b);
  return left - right;
}

/** `a * b`: product, or a string or array repeated. */
export function multiply(a: Value, b: Value, meter: Meter): Value {
  const left = asNumber(a);
  const right = asNumber(b);
  if (left !== undefined && right !== undefined) return left * right;
  if (left !== undefined) return repeat(b, left, a, b, meter);
  if (right !== undefined) return repeat(a, right, a, b, meter);
  throw unsupported('*', a, b);
}

function repeat(value: Value, times: number, a: Value, b: Value, meter: Meter): Value {
  const count = times > 0 ? Math.trunc(times) : 0;
  if (typeof value === 'string') {
    if (value === '' || count === 0) return '';
    chargeString(meter, value.length * count);
    return value.repeat(count);
  }
  if (!(value instanceof HslArray)) throw unsupported('*', a, b);
  const length = value.length;
  if (length === 0 || count === 0) return HslArray.empty();
  chargeElements(meter, length * count);
  const once = value.toList();
  once.forEach(share);
  const all: Value[] = [];
  for (let round = 0; round < count; round++) for (let i = 0; i < length; i++) all.push(once[i]!);
  return HslArray.fromList(all);
}

/** `a / b`. Guess: by zero is an exception. */
export function divide(a: Value, b: Value): Value {
  const [left, right] = numbers('/', a, b);
  if (right === 0) throw new ScriptFault('division by zero');
  return left / right;
}

/** `a % b`: remainder with the sign of the left side, or a template filled in. Guess: by zero is an exception. */
export function modulo(a: Value, b: Value, meter: Meter): Value {
  if (typeof a === 'string' && b instanceof HslArray) return formatText(a, b, meter);
  const [left, right] = numbers('%', a, b);
  if (right === 0) throw new ScriptFault('remainder of a division by zero');
  return left % right;
}

/** `a ** b`. */
export function power(a: Value, b: Value): Value {
  const [left, right] = numbers('**', a, b);
  return left ** right;
}

/** `-a`. */
export function negate(a: Value): Value {
  return -signed('-', a);
}

/** `+a`. */
export function plus(a: Value): Value {
  return signed('+', a);
}

function signed(operator: string, a: Value): number {
  const number = asNumber(a);
  if (number === undefined) throw new ScriptFault(`${operator} does not work on ${typeWord(a)}`);
  return number;
}

/** `++` and `--`: the operand as a number. */
export function countable(a: Value): number {
  const number = asNumber(a);
  if (number === undefined)
    throw new ScriptFault(`++ and -- work on numbers and booleans, not on ${typeWord(a)}`);
  return number;
}

/** The operators on 32-bit integers. */
export type BitOperator = '&' | '|' | '^' | '<<' | '>>' | '>>>';

/** Both operands are cut to 32 bits; shift counts are taken modulo 32. */
export function bits(operator: BitOperator, a: Value, b: Value): number {
  const [left, right] = numbers(operator, a, b);
  switch (operator) {
    case '&':
      return left & right;
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '<<':
      return left << right;
    case '>>':
      return left >> right;
    case '>>>':
      return left >>> right;
  }
}

/** `~a`. */
export function invertBits(a: Value): number {
  return ~signed('~', a);
}

/** `a . b`. Guess: none is refused. */
export function concat(a: Value, b: Value, meter: Meter): string {
  const left = joinable(a);
  const right = joinable(b);
  chargeJoin(left, right, meter);
  return left + right;
}

/** A value's text for `.`. */
export function joinable(value: Value): string {
  if (value === null)
    throw new ScriptFault('none cannot be concatenated; test it or give it a default with ??');
  return toText(value);
}

// A joined string keeps its parts and only adds a node, until it is read: what is new is the right part.
function chargeJoin(left: string, right: string, meter: Meter): void {
  if (left.length + right.length > 2 ** 29 - 25) chargeString(meter, left.length + right.length);
  meter.charge(right.length + 32);
}
