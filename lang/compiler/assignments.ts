// Assignments of every form (hsl-language 5.2). The right side is evaluated first, then the subscripts of the target, then
// the value is stored. Each function gives the register that holds the expression's value.

import type {
  Assign,
  Assignable,
  CompoundAssign,
  Destructure,
  Expression,
  Increment,
  Unset,
} from '../ast/nodes.js';
import { Op } from '../bytecode/opcodes.js';
import { mayAssign, mayWrite } from './effects.js';
import {
  binaryOps,
  constantOf,
  integerOps,
  into,
  isSingleStep,
  isSmallInteger,
  loadConstant,
  operand,
  stored,
  storedInto,
  unwrap,
} from './expressions.js';
import type { FunctionCompiler } from './function-compiler.js';
import { isHeld } from './ownership.js';
import { planPath, readPath, readPathQuietly, registerTarget, removePath, writePath } from './paths.js';

/** `target = value` */
export function assign(f: FunctionCompiler, node: Assign): number {
  const { target, value } = node;
  const register = registerTarget(f, target);
  if (register !== undefined) {
    f.at(node.span);
    assignRegister(f, register, value);
    return register;
  }
  const from = storedBefore(f, value, target);
  writePath(f, planPath(f, target), from);
  return from;
}

function assignRegister(f: FunctionCompiler, register: number, value: Expression): void {
  if (isSingleStep(value)) {
    storedInto(f, value, register);
    return;
  }
  const mark = f.asm.mark();
  const from = stored(f, value);
  f.asm.emit(Op.Move, register, from);
  f.asm.release(mark);
}

/** A value for keeping, safe from what the target's subscripts may do. */
function storedBefore(f: FunctionCompiler, value: Expression, target: Assignable): number {
  const register = stored(f, value);
  if (f.asm.isTemporary(register) || !mayAssign([target])) return register;
  const copy = f.asm.take();
  f.asm.emit(Op.Move, copy, register);
  return copy;
}

/** Stores what is in `from` (fit for keeping) in a target that is evaluated now. */
export function assignTo(f: FunctionCompiler, target: Assignable, from: number): void {
  const mark = f.asm.mark();
  const register = registerTarget(f, target);
  if (register === undefined) writePath(f, planPath(f, target), from);
  else if (register !== from) f.asm.emit(Op.Move, register, from);
  f.asm.release(mark);
}

/** `target op= value`: the target's parts are evaluated once. */
export function compoundAssign(f: FunctionCompiler, node: CompoundAssign): number {
  if (node.operator === '??') return assignIfNone(f, node);
  const { asm } = f;
  const { operator, target, value } = node;
  const register = registerTarget(f, target);
  const integerOp = integerOps[operator];
  const constant = integerOp === undefined ? undefined : constantOf(f, value);
  const isInteger = integerOp !== undefined && isSmallInteger(constant);

  if (register !== undefined) {
    const right = isInteger ? constant : operand(f, value);
    planPath(f, target).checkRoot();
    f.at(node.span);
    asm.emit(isInteger ? integerOp : binaryOps[operator], register, register, right);
    return register;
  }
  const right = isInteger ? constant : operandForTarget(f, value, target);
  const plan = planPath(f, target);
  f.at(node.span);
  const before = readPath(f, plan);
  const after = asm.take();
  f.at(node.span);
  asm.emit(isInteger ? integerOp : binaryOps[operator], after, before, right);
  writePath(f, plan, after);
  return after;
}

function operandForTarget(f: FunctionCompiler, value: Expression, target: Assignable): number {
  const register = operand(f, value);
  const isTemporary = f.asm.isTemporary(register);
  if (isTemporary ? !(isHeld(value) && mayWrite([target])) : !mayAssign([target])) return register;
  const copy = isTemporary ? register : f.asm.take();
  f.asm.emit(Op.Share, copy, register);
  return copy;
}

/** `target ??= value`: the value is evaluated only if the target is unset or none. */
function assignIfNone(f: FunctionCompiler, node: CompoundAssign): number {
  const { asm } = f;
  const plan = planPath(f, node.target);
  const result = asm.take();
  const mark = asm.mark();
  const end = asm.label();
  asm.emit(Op.Move, result, readPathQuietly(f, plan));
  asm.jump(Op.JumpIfNotNone, end, result);
  storedInto(f, node.value, result);
  writePath(f, plan, result);
  asm.bind(end);
  asm.release(mark);
  return result;
}

/** `++` and `--`. The value goes to `to`; undefined when nobody wants it. */
export function increment(f: FunctionCompiler, node: Increment, to: number | undefined): void {
  const { asm } = f;
  const { target, by } = node;
  const wantsOld = !node.isPrefix && to !== undefined;
  const register = registerTarget(f, target);
  const plan = planPath(f, target);
  const before = readPath(f, plan);
  f.at(node.span);
  // `to` may be the variable itself only in a statement like `$x = $x++`, which goes through a temporary.
  if (wantsOld) asm.emit(Op.ToNumber, to, before);
  const after = register ?? asm.take();
  asm.emit(Op.Increment, after, before, by);
  if (register === undefined) writePath(f, plan, after);
  if (to !== undefined && !wantsOld) asm.emit(Op.Move, to, after);
}

/** `[$a, $b = 1, ...$rest] = value` */
export function destructure(f: FunctionCompiler, node: Destructure): number {
  const { asm } = f;
  // Targets may overwrite where the value came from.
  let source = stored(f, node.value);
  if (!asm.isTemporary(source)) {
    const copy = asm.take();
    asm.emit(Op.Move, copy, source);
    source = copy;
  }
  let position = 0;
  for (const { key, target, initial, isRest, span } of node.targets) {
    const mark = asm.mark();
    const element = asm.take();
    if (isRest) {
      f.at(span);
      asm.emit(Op.Rest, element, source, position);
    } else {
      const index = asm.take();
      if (key === undefined) loadConstant(f, position++, index);
      else into(f, key, index);
      f.at(span);
      asm.emit(Op.Element, element, source, index);
      const found = asm.label();
      asm.jump(Op.JumpIfSet, found, element);
      if (initial === undefined) loadConstant(f, null, element);
      else storedInto(f, initial, element);
      asm.bind(found);
      asm.emit(Op.Share, element, element);
    }
    assignTo(f, target, element);
    asm.release(mark);
  }
  return source;
}

/** `unset(path)` */
export function unset(f: FunctionCompiler, node: Unset, to: number): void {
  removePath(f, planPath(f, unwrap(node.path) as Assignable), to);
}
