// Expressions to instructions. Three ways to ask for a value:
//
//   operand(f, e)      in some register: a variable's own, lent, or a temporary
//   into(f, e, to)     in a given register, lent
//   stored(f, e)       in some register, fit for being kept in a second place (see ownership.ts)
//
// and `effect(f, e)` for none at all. A variable's register is written by the last instruction of an expression or not
// at all, so that an exception leaves the old value and the expression may read it.

import type {
  AnonymousFunction,
  Binary,
  Expression,
  StaticReference,
  Subscript,
  Variable,
} from '../ast/nodes.js';
import { Op } from '../bytecode/opcodes.js';
import { findDeclaration } from '../resolver/names.js';
import type { NameBinding, StaticBinding } from '../resolver/resolved.js';
import { stringToKey } from '../values/array.js';
import { toBoolean } from '../values/convert.js';
import type { Value } from '../values/value.js';
import { compileArray } from './arrays.js';
import { assign, compoundAssign, destructure, increment, unset } from './assignments.js';
import { compileCache, compileCall } from './calls.js';
import { jumpIf } from './conditions.js';
import { mayAssign, mayWrite } from './effects.js';
import type { FunctionCompiler } from './function-compiler.js';
import { warnOfFault } from './literal-operators.js';
import { compileMatch } from './match.js';
import { isHeld } from './ownership.js';

// --- Asking for values ----------------------------------------------------------------------------------------------

/** The value in some register. */
export function operand(f: FunctionCompiler, node: Expression): number {
  switch (node.kind) {
    case 'Parenthesized':
      return operand(f, node.expression);
    case 'Variable': {
      const home = f.homeOf(node);
      if (home.kind !== 'register') break;
      checkDeclared(f, node, home.register);
      return home.register;
    }
    case 'Assign':
      return assign(f, node);
    case 'CompoundAssign':
      return compoundAssign(f, node);
    case 'Destructure':
      return destructure(f, node);
    default:
      break;
  }
  const register = f.asm.take();
  into(f, node, register);
  return register;
}

/** As `operand`, but safe from what the expressions in `later` may do before the value is used. */
export function operandBefore(
  f: FunctionCompiler,
  node: Expression,
  later: readonly (Expression | undefined)[],
): number {
  const register = operand(f, node);
  if (!f.asm.isTemporary(register)) {
    if (!mayAssign(later)) return register;
    const copy = f.asm.take();
    f.asm.emit(Op.Share, copy, register);
    return copy;
  }
  if (isHeld(node) && mayWrite(later)) f.asm.emit(Op.Share, register, register);
  return register;
}

/** The value in a register from which it may be kept in a second place. */
export function stored(f: FunctionCompiler, node: Expression): number {
  const register = operand(f, node);
  if (!isHeld(node)) return register;
  const to = f.asm.isTemporary(register) ? register : f.asm.take();
  f.asm.emit(Op.Share, to, register);
  return to;
}

/** As `stored`, in a given register. */
export function storedInto(f: FunctionCompiler, node: Expression, to: number): void {
  const inner = unwrap(node);
  if (inner.kind === 'Variable') {
    const home = f.homeOf(inner);
    if (home.kind === 'register') {
      checkDeclared(f, inner, home.register);
      f.asm.emit(Op.Share, to, home.register);
      return;
    }
  }
  into(f, node, to);
  if (isHeld(node)) f.asm.emit(Op.Share, to, to);
}

/** Evaluates for the effect alone. */
export function effect(f: FunctionCompiler, node: Expression): void {
  const mark = f.asm.mark();
  if (node.kind === 'Increment') increment(f, node, undefined);
  else if (node.kind === 'Parenthesized') effect(f, node.expression);
  else operand(f, node);
  f.asm.release(mark);
}

/** Whether `into` writes its register with its last instruction only. */
export function isSingleStep(node: Expression): boolean {
  switch (node.kind) {
    case 'Logical':
    case 'Conditional':
    case 'Coalesce':
    case 'Match':
    case 'Increment':
    case 'CompoundAssign':
    case 'Unset':
      return false;
    case 'Parenthesized':
      return isSingleStep(node.expression);
    default:
      return true;
  }
}

/** Looks through parentheses. */
export function unwrap(node: Expression): Expression {
  return node.kind === 'Parenthesized' ? unwrap(node.expression) : node;
}

// --- Constants ------------------------------------------------------------------------------------------------------

/** The value of an expression that is known now. */
export function constantOf(f: FunctionCompiler, node: Expression): Value | undefined {
  const known = f.resolved.constants.get(node);
  if (known !== undefined && node.kind === 'PatternLiteral') return known;
  const result = f.program.folder.evaluate(node);
  if (result.kind === 'fault') warnOfFault(f, node, result);
  return result.kind === 'value' ? result.value : undefined;
}

/** Whether a number can be written in an instruction. */
export function isSmallInteger(value: Value | undefined): value is number {
  return typeof value === 'number' && (value | 0) === value && !Object.is(value, -0);
}

export function loadConstant(f: FunctionCompiler, value: Value, to: number): void {
  const { asm } = f;
  if (value === null) asm.emit(Op.LoadNone, to);
  else if (value === true) asm.emit(Op.LoadTrue, to);
  else if (value === false) asm.emit(Op.LoadFalse, to);
  else if (isSmallInteger(value)) asm.emit(Op.LoadInt, to, value);
  else asm.emit(Op.LoadConst, to, f.program.constant(value));
}

// --- Values ---------------------------------------------------------------------------------------------------------

/** The value in register `to`, which is a temporary unless the expression is a single step. */
export function into(f: FunctionCompiler, node: Expression, to: number): void {
  const { asm } = f;
  const mark = asm.mark();
  compileInto(f, node, to);
  asm.release(mark);
}

function compileInto(f: FunctionCompiler, node: Expression, to: number): void {
  const { asm } = f;
  const constant = constantOf(f, node);
  // An empty array is most often the beginning of one that grows: better a fresh one than a constant to be copied.
  const isEmptyArray = node.kind === 'ArrayLiteral' && node.items.length === 0;
  if (constant !== undefined && !isEmptyArray) {
    loadConstant(f, constant, to);
    return;
  }
  switch (node.kind) {
    case 'Literal':
    case 'PatternLiteral':
      return;
    case 'Parenthesized':
      compileInto(f, node.expression, to);
      return;
    case 'Variable':
      readVariable(f, node, to);
      return;
    case 'Template': {
      const first = asm.take(node.parts.length);
      node.parts.forEach((part, index) => {
        if (typeof part === 'string') loadConstant(f, part, first + index);
        else readVariable(f, part, first + index);
      });
      f.at(node.span);
      asm.emit(Op.Template, to, first, node.parts.length);
      return;
    }
    case 'NameReference':
      loadName(f, f.resolved.names.get(node)!, to);
      return;
    case 'BuiltinReference': {
      const declaration = findDeclaration(f.program.environment, node.name);
      if (declaration !== undefined) asm.emit(Op.LoadBuiltin, to, f.program.builtin(declaration));
      return;
    }
    case 'StaticReference':
      readStatic(f, node, to);
      return;
    case 'ArrayLiteral':
      compileArray(f, node, to);
      return;
    case 'AnonymousFunction':
      compileClosure(f, node, to);
      return;
    case 'Unary': {
      const value = operand(f, node.operand);
      f.at(node.span);
      asm.emit(unaryOps[node.operator], to, value);
      return;
    }
    case 'Binary':
      compileBinary(f, node, to);
      return;
    case 'Logical': {
      const isFalse = asm.label();
      const end = asm.label();
      jumpIf(f, node, isFalse, false);
      asm.emit(Op.LoadTrue, to);
      asm.jump(Op.Jump, end);
      asm.bind(isFalse);
      asm.emit(Op.LoadFalse, to);
      asm.bind(end);
      return;
    }
    case 'Conditional':
      compileConditional(f, node, to);
      return;
    case 'Coalesce': {
      const end = asm.label();
      const known = constantOf(f, node.left);
      if (known !== undefined) {
        if (known === null) into(f, node.right, to);
        else loadConstant(f, known, to);
        return;
      }
      quietInto(f, node.left, to);
      asm.jump(Op.JumpIfNotNone, end, to);
      into(f, node.right, to);
      asm.bind(end);
      return;
    }
    case 'Assign':
      move(f, assign(f, node), to);
      return;
    case 'CompoundAssign':
      move(f, compoundAssign(f, node), to);
      return;
    case 'Destructure':
      move(f, destructure(f, node), to);
      return;
    case 'Increment':
      increment(f, node, to);
      return;
    case 'Call':
      compileCall(f, node, to);
      return;
    case 'Subscript':
      compileSubscript(f, node, to);
      return;
    case 'Member': {
      const object = operand(f, node.object);
      f.at(node.name.span);
      asm.emit(Op.GetField, to, object, f.program.field(node.name.text));
      return;
    }
    case 'Append':
      return;
    case 'Slice': {
      const object = operandBefore(f, node.object, [node.first, node.last, node.step]);
      const bounds = asm.take(3);
      boundsInto(f, node, bounds);
      f.at(node.span);
      asm.emit(Op.Slice, to, object, bounds);
      return;
    }
    case 'Isset':
      compileIsset(f, node.path, to);
      return;
    case 'Unset':
      unset(f, node, to);
      return;
    case 'Yield': {
      const key = node.key === undefined ? undefined : stored(f, node.key);
      let value: number;
      if (node.value === undefined) {
        value = asm.take();
        asm.emit(Op.LoadNone, value);
      } else {
        value = stored(f, node.value);
      }
      f.at(node.span);
      if (key === undefined) asm.emit(Op.Yield, value);
      else asm.emit(Op.YieldPair, key, value);
      asm.emit(Op.LoadNone, to);
      return;
    }
    case 'Match':
      compileMatch(f, node, to);
      return;
    case 'Cache':
      compileCache(f, node, to);
      return;
    case 'Spread':
      return;
  }
}

function move(f: FunctionCompiler, from: number, to: number): void {
  if (from !== to) f.asm.emit(Op.Move, to, from);
}

// --- Variables and names --------------------------------------------------------------------------------------------

/** Throws if a variable that may be undeclared here is. */
export function checkDeclared(f: FunctionCompiler, node: Variable, register: number): void {
  if (!f.resolved.checked.has(node)) return;
  f.at(node.span);
  f.asm.emit(Op.CheckLocal, register);
}

function readVariable(f: FunctionCompiler, node: Variable, to: number): void {
  const home = f.homeOf(node);
  switch (home.kind) {
    case 'register':
      checkDeclared(f, node, home.register);
      move(f, home.register, to);
      return;
    case 'cell':
      f.at(node.span);
      f.asm.emit(Op.LoadCell, to, home.register);
      return;
    case 'global':
      f.at(node.span);
      f.asm.emit(Op.LoadGlobal, to, home.slot);
      return;
  }
}

/** A function, builtin or class as a value. */
export function loadName(f: FunctionCompiler, binding: NameBinding | StaticBinding, to: number): void {
  const { asm, program } = f;
  switch (binding.kind) {
    case 'function':
      asm.emit(Op.LoadFunction, to, program.functionIndex(binding.fn));
      return;
    case 'staticMethod':
      asm.emit(Op.LoadFunction, to, program.functionIndex(binding.method.fn));
      return;
    case 'class':
      asm.emit(Op.LoadClass, to, program.classIndex(binding.of));
      return;
    case 'builtin':
    case 'nativeClass':
      asm.emit(Op.LoadBuiltin, to, program.builtin(binding.declaration));
      return;
    case 'nativeStatic':
      asm.emit(Op.LoadBuiltin, to, program.builtin(binding.declaration, binding.member));
      return;
    case 'staticField':
    case 'variable':
    case 'namespace':
    case 'unknown':
      return;
  }
}

function readStatic(f: FunctionCompiler, node: StaticReference, to: number): void {
  const slot = f.slotOf(node);
  f.at(node.span);
  if (slot !== undefined) f.asm.emit(Op.LoadGlobal, to, slot);
  else loadName(f, f.resolved.statics.get(node)!, to);
}

function compileClosure(f: FunctionCompiler, node: AnonymousFunction, to: number): void {
  const fn = f.resolved.functions.get(node.code)!;
  f.program.setCaptures(fn, f.captureRegisters(fn));
  f.asm.emit(Op.Closure, to, f.program.functionIndex(fn));
}

// --- Operators ------------------------------------------------------------------------------------------------------

const unaryOps = { '-': Op.Negate, '+': Op.Plus, '!': Op.Not, '~': Op.BitNot } as const;

/** Operators that are one instruction on two registers. `>` and `>=` are `<` and `<=` the other way round. */
export const binaryOps = {
  '+': Op.Add,
  '-': Op.Sub,
  '*': Op.Mul,
  '/': Op.Div,
  '%': Op.Mod,
  '**': Op.Pow,
  '.': Op.Concat,
  '<<': Op.ShiftLeft,
  '>>': Op.ShiftRight,
  '>>>': Op.ShiftRightZero,
  '&': Op.BitAnd,
  '|': Op.BitOr,
  '^': Op.BitXor,
  '<': Op.Less,
  '<=': Op.LessEqual,
  '==': Op.Equal,
  '!=': Op.NotEqual,
  '===': Op.Same,
  '!==': Op.NotSame,
  '=~': Op.Matches,
  '!~': Op.NotMatches,
} as const;

/** The forms with an integer written in the instruction. */
export const integerOps: Partial<Record<Binary['operator'], Op>> = {
  '+': Op.AddInt,
  '-': Op.SubInt,
  '*': Op.MulInt,
  '/': Op.DivInt,
  '%': Op.ModInt,
};

function compileBinary(f: FunctionCompiler, node: Binary, to: number): void {
  const { asm } = f;
  const { operator } = node;
  if (operator === '.') {
    compileConcat(f, node, to);
    return;
  }
  const integerOp = integerOps[operator];
  const right = integerOp === undefined ? undefined : constantOf(f, node.right);
  if (integerOp !== undefined && isSmallInteger(right)) {
    const left = operand(f, node.left);
    f.at(node.span);
    asm.emit(integerOp, to, left, right);
    return;
  }
  const [left, second] = operands(f, node);
  f.at(node.span);
  if (operator === '>') asm.emit(Op.Less, to, second, left);
  else if (operator === '>=') asm.emit(Op.LessEqual, to, second, left);
  else asm.emit(binaryOps[operator], to, left, second);
}

/** Both sides of an operator, left one first; a literal pattern is the compiled one. */
export function operands(f: FunctionCompiler, node: Binary): readonly [number, number] {
  const left = operandBefore(f, node.left, [node.right]);
  const isMatch = node.operator === '=~' || node.operator === '!~';
  const pattern = isMatch ? f.resolved.constants.get(unwrap(node.right)) : undefined;
  if (pattern === undefined) return [left, operand(f, node.right)];
  const right = f.asm.take();
  loadConstant(f, pattern, right);
  return [left, right];
}

/**
 * A chain of `.` is joined at once where that makes no difference. `a . b . f()`: none on the left side fails before f is
 * called, so what comes before a part with effects is joined (and refused) before that part is evaluated.
 */
function compileConcat(f: FunctionCompiler, node: Binary, to: number): void {
  const { asm } = f;
  const parts: Expression[] = [];
  let left: Expression = node;
  while (left.kind === 'Binary' && left.operator === '.' && constantOf(f, left) === undefined) {
    parts.unshift(left.right);
    left = left.left;
  }
  parts.unshift(left);

  if (parts.length === 2) {
    const [a, b] = operands(f, node);
    f.at(node.span);
    asm.emit(Op.Concat, to, a, b);
    return;
  }
  f.at(node.span);
  let joined: Expression[] = [];
  let soFar = -1;
  const flush = (result: number) => {
    const first = asm.take(joined.length + (soFar === -1 ? 0 : 1));
    let next = first;
    if (soFar !== -1) asm.emit(Op.Move, next++, soFar);
    for (const part of joined) into(f, part, next++);
    f.at(node.span);
    if (next - first === 2) asm.emit(Op.Concat, result, first, first + 1);
    else asm.emit(Op.ConcatMany, result, first, next - first);
    joined = [];
  };
  for (const part of parts) {
    // The part itself may have effects and still be the last of a run: they come before the joining either way.
    const pending = joined.length + (soFar === -1 ? 0 : 1);
    if (pending >= 2 && mayWrite([part])) {
      const result = asm.take();
      flush(result);
      soFar = result;
    } else if (pending === 1 && joined.length === 1 && isHeld(joined[0]!) && mayWrite([part])) {
      // `$list . f($list)`: the text of the list as it was.
      soFar = operandBefore(f, joined[0]!, [part]);
      joined = [];
    }
    joined.push(part);
  }
  flush(to);
}

function compileConditional(
  f: FunctionCompiler,
  node: Extract<Expression, { kind: 'Conditional' }>,
  to: number,
): void {
  const { asm } = f;
  const end = asm.label();
  const test = constantOf(f, node.test);
  if (test !== undefined) {
    // The other side is never evaluated.
    if (!toBoolean(test)) into(f, node.otherwise, to);
    else if (node.then !== undefined) into(f, node.then, to);
    else loadConstant(f, test, to);
    return;
  }
  if (node.then === undefined) {
    into(f, node.test, to);
    asm.jump(Op.JumpIfTrue, end, to);
  } else {
    const otherwise = asm.label();
    jumpIf(f, node.test, otherwise, false);
    into(f, node.then, to);
    asm.jump(Op.Jump, end);
    asm.bind(otherwise);
  }
  into(f, node.otherwise, to);
  asm.bind(end);
}

// --- Elements -------------------------------------------------------------------------------------------------------

/** A subscript as the instructions want it. */
export type Key =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'register'; readonly register: number };

/** A constant subscript in its normal form (hsl-language 3.5), if the instructions have one for it. */
export function constantKey(f: FunctionCompiler, node: Expression): Key | undefined {
  const value = constantOf(f, node);
  if (typeof value === 'boolean') return { kind: 'integer', value: Number(value) };
  const key = typeof value === 'string' ? stringToKey(value) : value;
  if (typeof key === 'string') return { kind: 'field', name: key };
  if (typeof key !== 'number') return undefined;
  const whole = Math.trunc(key) + 0;
  return isSmallInteger(whole) ? { kind: 'integer', value: whole } : undefined;
}

function compileSubscript(f: FunctionCompiler, node: Subscript, to: number): void {
  const { asm } = f;
  const key = constantKey(f, node.index);
  if (key === undefined) {
    const object = operandBefore(f, node.object, [node.index]);
    const index = operand(f, node.index);
    f.at(node.span);
    asm.emit(Op.GetIndex, to, object, index);
    return;
  }
  const object = operand(f, node.object);
  f.at(node.span);
  if (key.kind === 'field') asm.emit(Op.GetField, to, object, f.program.field(key.name));
  else if (key.kind === 'integer') asm.emit(Op.GetIndexInt, to, object, key.value);
}

/** The bounds of a slice in three registers; none for those left out. */
export function boundsInto(
  f: FunctionCompiler,
  node: Extract<Expression, { kind: 'Slice' }>,
  first: number,
): void {
  [node.first, node.last, node.step].forEach((bound, index) => {
    if (bound === undefined) f.asm.emit(Op.LoadNone, first + index);
    else into(f, bound, first + index);
  });
}

/** A path on the left of `??` or inside isset: what is missing on the way is no error. The register may hold undeclared. */
export function quietOperand(f: FunctionCompiler, node: Expression): number {
  const inner = unwrap(node);
  if (inner.kind === 'Variable') {
    const home = f.homeOf(inner);
    if (home.kind === 'register') return home.register;
  }
  const register = f.asm.take();
  quietInto(f, inner, register);
  return register;
}

function quietInto(f: FunctionCompiler, node: Expression, to: number): void {
  const { asm } = f;
  const mark = asm.mark();
  switch (node.kind) {
    case 'Parenthesized':
      quietInto(f, node.expression, to);
      break;
    case 'Variable': {
      const home = f.homeOf(node);
      if (home.kind === 'register') move(f, home.register, to);
      else if (home.kind === 'cell') asm.emit(Op.LoadCellQuiet, to, home.register);
      else asm.emit(Op.LoadGlobalQuiet, to, home.slot);
      break;
    }
    case 'StaticReference': {
      const slot = f.slotOf(node);
      if (slot === undefined) into(f, node, to);
      else asm.emit(Op.LoadGlobalQuiet, to, slot);
      break;
    }
    case 'Subscript': {
      const object = quietOperand(f, node.object);
      const key = constantKey(f, node.index);
      const index = key?.kind === 'field' ? -1 : operand(f, node.index);
      f.at(node.span);
      if (key?.kind === 'field') asm.emit(Op.GetFieldQuiet, to, object, f.program.field(key.name));
      else asm.emit(Op.GetIndexQuiet, to, object, index);
      break;
    }
    case 'Member': {
      const object = quietOperand(f, node.object);
      f.at(node.name.span);
      asm.emit(Op.GetFieldQuiet, to, object, f.program.field(node.name.text));
      break;
    }
    case 'Slice': {
      const end = asm.label();
      quietInto(f, node.object, to);
      asm.jump(Op.JumpIfNone, end, to);
      const bounds = asm.take(3);
      boundsInto(f, node, bounds);
      f.at(node.span);
      asm.emit(Op.Slice, to, to, bounds);
      asm.bind(end);
      break;
    }
    default:
      into(f, node, to);
  }
  asm.release(mark);
}

function compileIsset(f: FunctionCompiler, path: Expression, to: number): void {
  const { asm } = f;
  const node = unwrap(path);
  switch (node.kind) {
    case 'Subscript': {
      const object = quietOperand(f, node.object);
      const key = constantKey(f, node.index);
      const index = key?.kind === 'field' ? -1 : operand(f, node.index);
      f.at(node.span);
      if (key?.kind === 'field') asm.emit(Op.IssetField, to, object, f.program.field(key.name));
      else asm.emit(Op.IssetIndex, to, object, index);
      return;
    }
    case 'Member': {
      const object = quietOperand(f, node.object);
      asm.emit(Op.IssetField, to, object, f.program.field(node.name.text));
      return;
    }
    default:
      asm.emit(Op.IsSet, to, quietOperand(f, node));
  }
}
