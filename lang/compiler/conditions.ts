// Conditions: jumps without a boolean in between, comparisons and jump in one instruction.

import type { Binary, Expression } from '../ast/nodes.js';
import type { Label } from '../bytecode/assembler.js';
import { Op } from '../bytecode/opcodes.js';
import { toBoolean } from '../values/convert.js';
import { constantOf, isSmallInteger, operand, operands, unwrap } from './expressions.js';
import type { FunctionCompiler } from './function-compiler.js';

/** Jumps to `target` if the truth of `node` is `when`, else goes on. */
export function jumpIf(f: FunctionCompiler, node: Expression, target: Label, when: boolean): void {
  const { asm } = f;
  const constant = constantOf(f, node);
  if (constant !== undefined) {
    if (toBoolean(constant) === when) asm.jump(Op.Jump, target);
    return;
  }
  const mark = asm.mark();
  switch (node.kind) {
    case 'Parenthesized':
      jumpIf(f, node.expression, target, when);
      break;
    case 'Unary':
      if (node.operator === '!') jumpIf(f, node.operand, target, !when);
      else jumpOnValue(f, node, target, when);
      break;
    case 'Logical': {
      // `a and b` is decided by a false a, `a or b` by a true one.
      const decides = node.operator === 'or';
      if (when === decides) {
        jumpIf(f, node.left, target, when);
        jumpIf(f, node.right, target, when);
      } else {
        const decided = asm.label();
        jumpIf(f, node.left, decided, decides);
        jumpIf(f, node.right, target, when);
        asm.bind(decided);
      }
      break;
    }
    case 'Binary':
      if (!jumpOnComparison(f, node, target, when)) jumpOnValue(f, node, target, when);
      break;
    default:
      jumpOnValue(f, node, target, when);
  }
  asm.release(mark);
}

function jumpOnValue(f: FunctionCompiler, node: Expression, target: Label, when: boolean): void {
  const value = operand(f, node);
  f.asm.jump(when ? Op.JumpIfTrue : Op.JumpIfFalse, target, value);
}

interface EqualityOps {
  readonly registers: Op;
  readonly constant: Op;
}

const equal: EqualityOps = { registers: Op.JumpIfEqual, constant: Op.JumpIfEqualConst };
const notEqual: EqualityOps = { registers: Op.JumpIfNotEqual, constant: Op.JumpIfNotEqualConst };
const same: EqualityOps = { registers: Op.JumpIfSame, constant: Op.JumpIfSameConst };
const notSame: EqualityOps = { registers: Op.JumpIfNotSame, constant: Op.JumpIfNotSameConst };

const less = { whenTrue: Op.JumpIfLess, whenFalse: Op.JumpIfNotLess };
const lessEqual = { whenTrue: Op.JumpIfLessEqual, whenFalse: Op.JumpIfNotLessEqual };

const lessInt = { whenTrue: Op.JumpIfLessInt, whenFalse: Op.JumpIfNotLessInt };
const lessEqualInt = { whenTrue: Op.JumpIfLessEqualInt, whenFalse: Op.JumpIfNotLessEqualInt };
const greaterInt = { whenTrue: Op.JumpIfGreaterInt, whenFalse: Op.JumpIfNotGreaterInt };
const greaterEqualInt = { whenTrue: Op.JumpIfGreaterEqualInt, whenFalse: Op.JumpIfNotGreaterEqualInt };

/** With the integer on the right; the mirror image serves an integer on the left. */
const integerOrders = { '<': lessInt, '<=': lessEqualInt, '>': greaterInt, '>=': greaterEqualInt };
const mirrored = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const;

function jumpOnComparison(f: FunctionCompiler, node: Binary, target: Label, when: boolean): boolean {
  const { asm } = f;
  const { operator } = node;
  switch (operator) {
    case '==':
      jumpOnEquality(f, node, target, when ? equal : notEqual);
      return true;
    case '!=':
      jumpOnEquality(f, node, target, when ? notEqual : equal);
      return true;
    case '===':
      jumpOnEquality(f, node, target, when ? same : notSame);
      return true;
    case '!==':
      jumpOnEquality(f, node, target, when ? notSame : same);
      return true;
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const side = when ? 'whenTrue' : 'whenFalse';
      const right = constantOf(f, node.right);
      const left = constantOf(f, node.left);
      if (isSmallInteger(right)) {
        const value = operand(f, node.left);
        f.at(node.span);
        asm.jump(integerOrders[operator][side], target, value, right);
      } else if (isSmallInteger(left)) {
        const value = operand(f, node.right);
        f.at(node.span);
        asm.jump(integerOrders[mirrored[operator]][side], target, value, left);
      } else {
        const [a, b] = operands(f, node);
        const isSwapped = operator === '>' || operator === '>=';
        const order = operator === '<' || operator === '>' ? less : lessEqual;
        f.at(node.span);
        asm.jump(order[side], target, isSwapped ? b : a, isSwapped ? a : b);
      }
      return true;
    }
    default:
      return false;
  }
}

function jumpOnEquality(f: FunctionCompiler, node: Binary, target: Label, ops: EqualityOps): void {
  const { asm } = f;
  const right = constantOf(f, node.right);
  if (right !== undefined) {
    const value = operand(f, node.left);
    asm.jump(ops.constant, target, value, f.program.constant(right));
    return;
  }
  const [a, b] = operands(f, node);
  asm.jump(ops.registers, target, a, b);
}

/** At the bottom of a loop: back to `top` if `test` is true, else goes on. */
export function loopIf(f: FunctionCompiler, test: Expression, top: Label): void {
  const { asm } = f;
  const mark = asm.mark();
  const node = unwrap(test);
  const isLess = node.kind === 'Binary' && (node.operator === '<' || node.operator === '>');
  if (isLess && constantOf(f, node) === undefined) {
    const limit = node.operator === '<' ? constantOf(f, node.right) : undefined;
    if (isSmallInteger(limit)) {
      const value = operand(f, node.left);
      f.at(node.span);
      asm.jump(Op.LoopIfLessInt, top, value, limit);
    } else {
      const [a, b] = operands(f, node);
      f.at(node.span);
      if (node.operator === '<') asm.jump(Op.LoopIfLess, top, a, b);
      else asm.jump(Op.LoopIfLess, top, b, a);
    }
  } else if (isSimple(node)) {
    const isNegated = node.kind === 'Unary' && node.operator === '!';
    const value = operand(f, isNegated ? node.operand : node);
    f.at(node.span);
    asm.jump(isNegated ? Op.LoopIfFalse : Op.LoopIfTrue, top, value);
  } else {
    const end = asm.label();
    jumpIf(f, node, end, false);
    asm.jump(Op.Loop, top);
    asm.bind(end);
  }
  asm.release(mark);
}

/** Conditions that are a value anyway. */
function isSimple(node: Expression): boolean {
  switch (node.kind) {
    case 'Unary':
      return node.operator !== '!' || isSimple(unwrap(node.operand));
    case 'Logical':
    case 'Binary':
    case 'Literal':
      return false;
    default:
      return true;
  }
}
