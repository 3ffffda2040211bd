// Computes what can be computed before the program runs: constant expressions where the language asks for them, and parts of
// ordinary expressions so that they cost nothing. The operators are the VM's own (lang/values), so a folded result is what
// running would have given; what would have failed is not folded and fails at run time.

import type { ArrayLiteral, Binary, Expression, Node, Unary } from '../ast/nodes.js';
import { type PatternEngine, PatternError } from '../host.js';
import { describe } from '../resolver/describe.js';
import { HslArray } from '../values/array.js';
import { isEqual, isLess, isLessOrEqual, isSame } from '../values/compare.js';
import { toBoolean } from '../values/convert.js';
import type { Meter } from '../values/meter.js';
import { share } from '../values/object.js';
import {
  add,
  bits,
  concat,
  divide,
  invertBits,
  modulo,
  multiply,
  negate,
  plus,
  power,
  subtract,
} from '../values/operators.js';
import { regexOf } from '../values/pattern.js';
import { ScriptFault } from '../values/script-fault.js';
import type { Value } from '../values/value.js';

/** The value, or the part of the expression that has none before the program runs. */
export type ConstantResult =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'notConstant'; readonly node: Node; readonly found: string }
  | { readonly kind: 'fault'; readonly node: Node; readonly message: string };

/** A constant larger than this is left for the run, whose memory limit then counts it. */
const MAX_CONSTANT_BYTES = 1 << 20;

class TooLarge extends Error {}

function boundedMeter(): Meter {
  let left = MAX_CONSTANT_BYTES;
  return {
    charge(bytes) {
      left -= bytes;
      if (left < 0) throw new TooLarge();
    },
  };
}

/** The value of a constant expression (hsl-language 10.2): literals, arrays of constants, operators on them. */
export function evaluateConstant(expression: Expression, patterns?: PatternEngine): ConstantResult {
  return new Folder(patterns).evaluate(expression);
}

/** Remembers what it has computed: a chain of operators is asked at every link. */
export class Folder {
  readonly #known = new Map<Expression, ConstantResult>();
  readonly #patterns: PatternEngine | undefined;

  constructor(patterns?: PatternEngine) {
    this.#patterns = patterns;
  }

  evaluate(expression: Expression): ConstantResult {
    if (expression.kind === 'Literal') return { kind: 'value', value: expression.value };
    let result = this.#known.get(expression);
    if (result === undefined) {
      result = this.#compute(expression);
      this.#known.set(expression, result);
    }
    return result;
  }

  #compute(node: Expression): ConstantResult {
    switch (node.kind) {
      case 'Parenthesized':
        return this.evaluate(node.expression);
      case 'PatternLiteral':
        return this.#pattern(node.body, node.flags, node);
      case 'ArrayLiteral':
        return this.#array(node);
      case 'Unary': {
        const operand = this.evaluate(node.operand);
        if (operand.kind !== 'value') return operand;
        const { value } = operand;
        return attempt(node, () => unary(node.operator, value));
      }
      case 'Binary': {
        const left = this.evaluate(node.left);
        if (left.kind !== 'value') return left;
        const right = this.evaluate(node.right);
        if (right.kind !== 'value') return right;
        // Matching is the pattern engine's work at run time, with the limits of the execution.
        if (node.operator === '=~' || node.operator === '!~') return notConstant(node);
        const operands = [left.value, right.value] as const;
        return attempt(node, () => binary(node.operator, ...operands, boundedMeter()));
      }
      case 'Logical': {
        const left = this.evaluate(node.left);
        if (left.kind !== 'value') return left;
        const right = this.evaluate(node.right);
        if (right.kind !== 'value') return right;
        const first = toBoolean(left.value);
        const second = toBoolean(right.value);
        return { kind: 'value', value: node.operator === 'and' ? first && second : first || second };
      }
      case 'Conditional': {
        const test = this.evaluate(node.test);
        if (test.kind !== 'value') return test;
        const then = node.then === undefined ? test : this.evaluate(node.then);
        if (then.kind !== 'value') return then;
        const otherwise = this.evaluate(node.otherwise);
        if (otherwise.kind !== 'value') return otherwise;
        return toBoolean(test.value) ? then : otherwise;
      }
      case 'Coalesce': {
        const left = this.evaluate(node.left);
        if (left.kind !== 'value') return left;
        const right = this.evaluate(node.right);
        if (right.kind !== 'value') return right;
        return left.value === null ? right : left;
      }
      default:
        return notConstant(node);
    }
  }

  #pattern(body: string, flags: string, node: Node): ConstantResult {
    if (this.#patterns === undefined) return notConstant(node);
    try {
      return { kind: 'value', value: regexOf(this.#patterns.compile(body, flags)) };
    } catch (error) {
      if (error instanceof PatternError) return { kind: 'fault', node, message: error.message };
      throw error;
    }
  }

  #array(node: ArrayLiteral): ConstantResult {
    const array = HslArray.empty();
    for (const item of node.items) {
      const isSpread = item.value.kind === 'Spread';
      let key: Value | undefined;
      if (item.key !== undefined) {
        const found = this.evaluate(item.key);
        if (found.kind !== 'value') return found;
        key = found.value;
      }
      const result = this.evaluate(item.value.kind === 'Spread' ? item.value.value : item.value);
      if (result.kind !== 'value') return result;
      const { value } = result;
      if (isSpread) {
        if (value === null) continue;
        if (!(value instanceof HslArray)) return notConstant(item.value);
        for (const [k, v] of value.entries()) {
          share(v);
          if (typeof k === 'number') array.append(v);
          else array.set(k, v);
        }
      } else if (key !== undefined) {
        array.set(key, share(value));
      } else {
        array.append(share(value));
      }
    }
    array.shared = true;
    return { kind: 'value', value: array };
  }
}

function notConstant(node: Node): ConstantResult {
  return { kind: 'notConstant', node, found: describe(node) };
}

function attempt(node: Expression, compute: () => Value): ConstantResult {
  try {
    return { kind: 'value', value: share(compute()) };
  } catch (error) {
    if (error instanceof ScriptFault) return { kind: 'fault', node, message: error.message };
    if (error instanceof TooLarge)
      return { kind: 'notConstant', node, found: 'a value too large for a constant' };
    throw error;
  }
}

function unary(operator: Unary['operator'], operand: Value): Value {
  switch (operator) {
    case '-':
      return negate(operand);
    case '+':
      return plus(operand);
    case '!':
      return !toBoolean(operand);
    case '~':
      return invertBits(operand);
  }
}

function binary(operator: Binary['operator'], a: Value, b: Value, meter: Meter): Value {
  switch (operator) {
    case '+':
      return add(a, b, meter);
    case '-':
      return subtract(a, b, meter);
    case '*':
      return multiply(a, b, meter);
    case '/':
      return divide(a, b);
    case '%':
      return modulo(a, b, meter);
    case '**':
      return power(a, b);
    case '.':
      return concat(a, b, meter);
    case '<<':
    case '>>':
    case '>>>':
    case '&':
    case '|':
    case '^':
      return bits(operator, a, b);
    case '<':
      return isLess(a, b);
    case '>':
      return isLess(b, a);
    case '<=':
      return isLessOrEqual(a, b);
    case '>=':
      return isLessOrEqual(b, a);
    case '==':
      return isEqual(a, b);
    case '!=':
      return !isEqual(a, b);
    case '===':
      return isSame(a, b);
    case '!==':
      return !isSame(a, b);
    case '=~':
    case '!~':
      throw new Error('a match is not folded');
  }
}
