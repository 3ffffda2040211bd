// Calls. What is known about the callee before the program runs decides the form: a script function is called by number
// with all its parameters in place, a builtin by number, everything else by value. Arguments are evaluated left to right
// into consecutive registers above all that are in use; the callee's frame begins there.

import type { Cache, Call, Expression, Parameter } from '../ast/nodes.js';
import { Op } from '../bytecode/opcodes.js';
import type { Builtin, NativeClass } from '../declare.js';
import { findDeclaration } from '../resolver/names.js';
import type { NameBinding, ResolvedFunction, StaticBinding } from '../resolver/resolved.js';
import { stringToKey } from '../values/array.js';
import { mayWrite } from './effects.js';
import {
  constantOf,
  into,
  loadConstant,
  loadName,
  operand,
  stored,
  storedInto,
  unwrap,
} from './expressions.js';
import type { FunctionCompiler } from './function-compiler.js';

/** The call's result in register `to`. */
export function compileCall(f: FunctionCompiler, node: Call, to: number): void {
  const callee = unwrap(node.callee);
  const binding = bindingOf(f, callee);
  if (node.args.some((arg) => arg.kind === 'Spread')) {
    compileSpreadCall(f, node, callee, binding, to);
    return;
  }
  switch (binding?.kind) {
    case 'function':
      compileKnownCall(f, node, binding.fn, Op.Call, f.program.functionIndex(binding.fn), to);
      return;
    case 'staticMethod':
      compileKnownCall(f, node, binding.method.fn, Op.Call, f.program.functionIndex(binding.method.fn), to);
      return;
    case 'class':
      compileKnownCall(f, node, binding.of.constructorOf, Op.New, f.program.classIndex(binding.of), to);
      return;
    case 'builtin':
    case 'nativeClass':
      compileBuiltinCall(f, node, binding.declaration, undefined, to);
      return;
    case 'nativeStatic':
      compileBuiltinCall(f, node, binding.declaration, binding.member, to);
      return;
    default:
      if (!compileMethodCall(f, node, callee, to)) compileValueCall(f, node, callee, to);
  }
}

function bindingOf(f: FunctionCompiler, callee: Expression): NameBinding | StaticBinding | undefined {
  switch (callee.kind) {
    case 'NameReference':
      return f.resolved.names.get(callee);
    case 'BuiltinReference': {
      const declaration = findDeclaration(f.program.environment, callee.name);
      if (declaration === undefined) return undefined;
      return declaration.kind === 'builtin'
        ? { kind: 'builtin', declaration }
        : { kind: 'nativeClass', declaration };
    }
    case 'StaticReference':
      return f.resolved.statics.get(callee);
    default:
      return undefined;
  }
}

// --- Script functions -----------------------------------------------------------------------------------------------

function compileKnownCall(
  f: FunctionCompiler,
  node: Call,
  fn: ResolvedFunction | undefined,
  op: Op,
  index: number,
  to: number,
): void {
  const { asm } = f;
  const parameters = fn?.code?.parameters ?? [];
  const owned: ReadonlySet<number> = fn === undefined ? new Set() : f.program.ownership.ownedParameters(fn);
  const window = asm.take(parameters.length);
  parameters.forEach((parameter, position) => {
    const at = window + position;
    const arg = node.args[position];
    if (parameter.isRest) restInto(f, node, position, at);
    else if (arg === undefined) defaultInto(f, parameter, at);
    else argumentInto(f, node, position, owned.has(position), to, at);
  });
  f.at(node.span);
  asm.emit(op, to, index, window);
}

function restInto(f: FunctionCompiler, node: Call, position: number, to: number): void {
  const { asm } = f;
  const rest = node.args.slice(position);
  const mark = asm.mark();
  const first = asm.take(rest.length);
  rest.forEach((arg, index) => {
    storedInto(f, arg, first + index);
  });
  asm.emit(Op.NewArray, to, first, rest.length);
  asm.release(mark);
}

function defaultInto(f: FunctionCompiler, parameter: Parameter, to: number): void {
  const value = parameter.initial === undefined ? null : f.resolved.constants.get(parameter.initial);
  loadConstant(f, value ?? null, to);
}

/** An argument of a known function: lent where that is safe, else marked as held twice (ownership.ts). */
function argumentInto(
  f: FunctionCompiler,
  node: Call,
  position: number,
  isOwned: boolean,
  to: number,
  at: number,
): void {
  const arg = node.args[position]!;
  const inner = unwrap(arg);
  const home = inner.kind === 'Variable' ? f.homeOf(inner) : undefined;
  const canLend = home?.kind === 'register' && !mayWrite(node.args.slice(position + 1));
  if (canLend && (!isOwned || isLastUse(f, node, inner, home.register, to))) into(f, arg, at);
  else storedInto(f, arg, at);
}

/**
 * `$t = f($t)`: the variable is overwritten by the result, so the function may have the array for itself. Not where a
 * handler could see the variable if the call fails, and not for parameters that are only lent.
 */
function isLastUse(f: FunctionCompiler, node: Call, arg: Expression, register: number, to: number): boolean {
  if (register !== to || f.guarded > 0 || arg.kind !== 'Variable') return false;
  const binding = f.resolved.variables.get(arg);
  if (binding?.kind === 'local' && binding.parameter >= 0 && !f.owned.has(binding.parameter)) return false;
  if (binding?.kind === 'this') return false;
  let uses = 0;
  const count = (expression: Expression): void => {
    const inner = unwrap(expression);
    if (inner.kind === 'Variable' && inner.name === arg.name) uses++;
    else if (!isLeaf(inner)) uses += 2;
  };
  node.args.forEach(count);
  return uses === 1;
}

/** Arguments in which no variable is hidden. */
function isLeaf(node: Expression): boolean {
  return (
    node.kind === 'Literal' ||
    node.kind === 'Variable' ||
    node.kind === 'NameReference' ||
    node.kind === 'BuiltinReference' ||
    node.kind === 'PatternLiteral'
  );
}

// --- Builtins -------------------------------------------------------------------------------------------------------

function compileBuiltinCall(
  f: FunctionCompiler,
  node: Call,
  declaration: Builtin | NativeClass,
  member: string | undefined,
  to: number,
): void {
  const { asm } = f;
  const index = f.program.builtin(declaration, member);
  const { args } = node;
  const callsBack = mayCallBack(declaration, member);
  if (args.length === 1) {
    const value = builtinArgument(f, args[0]!, callsBack);
    f.at(node.span);
    asm.emit(Op.CallBuiltin1, to, index, value);
    return;
  }
  const window = resultWindow(f, to);
  if (args.length > 1) asm.take(args.length - 1);
  args.forEach((arg, position) => {
    builtinArgumentInto(f, arg, callsBack || mayWrite(args.slice(position + 1)), window + position);
  });
  f.at(node.span);
  if (args.length === 2) {
    asm.emit(Op.CallBuiltin2, to, index, window);
    return;
  }
  asm.emit(Op.CallBuiltin, window, index, args.length);
  if (window !== to) asm.emit(Op.Move, to, window);
}

/** Whether script code may run before the builtin is done: then what others hold must not change under it. */
function mayCallBack(declaration: Builtin | NativeClass, member: string | undefined): boolean {
  if (declaration.kind === 'builtin') return declaration.callbacks === true || declaration.suspends === true;
  const method = member === undefined ? declaration.constructorOf : declaration.statics[member];
  return method?.callbacks === true || method?.suspends === true;
}

function builtinArgument(f: FunctionCompiler, arg: Expression, callsBack: boolean): number {
  const inner = unwrap(arg);
  if (inner.kind === 'Variable' && f.homeOf(inner).kind === 'register' && !f.resolved.constants.has(inner))
    return operand(f, inner);
  const register = f.asm.take();
  builtinArgumentInto(f, arg, callsBack, register);
  return register;
}

function builtinArgumentInto(f: FunctionCompiler, arg: Expression, mayChange: boolean, to: number): void {
  const inner = unwrap(arg);
  // A literal pattern is the compiled one.
  const pattern = inner.kind === 'Literal' ? f.resolved.constants.get(inner) : undefined;
  if (pattern !== undefined) {
    loadConstant(f, pattern, to);
    return;
  }
  if (mayChange) storedInto(f, arg, to);
  else into(f, arg, to);
}

// --- Values and methods ---------------------------------------------------------------------------------------------

function compileValueCall(f: FunctionCompiler, node: Call, callee: Expression, to: number): void {
  const { asm } = f;
  const window = asm.take(1 + node.args.length);
  into(f, callee, window);
  argumentsInto(f, node.args, window + 1);
  f.at(node.span);
  asm.emit(Op.CallValue, to, window, node.args.length);
}

/** `$o->m(...)` and `$o["m"](...)`. */
function compileMethodCall(f: FunctionCompiler, node: Call, callee: Expression, to: number): boolean {
  const { asm } = f;
  let object: Expression;
  let name: string;
  if (callee.kind === 'Member') {
    object = callee.object;
    name = callee.name.text;
  } else if (callee.kind === 'Subscript') {
    const key = constantOf(f, callee.index);
    if (typeof key !== 'string' || typeof stringToKey(key) !== 'string') return false;
    object = callee.object;
    name = key;
  } else {
    return false;
  }
  const window = resultWindow(f, to);
  into(f, object, window);
  argumentsInto(f, node.args, asm.take(node.args.length));
  f.at(callee.kind === 'Member' ? callee.name.span : node.span);
  asm.emit(Op.CallMethod, window, f.program.constant(name), node.args.length);
  if (window !== to) asm.emit(Op.Move, to, window);
  return true;
}

/** The first register of a window in which the result will be: the one it is wanted in, if that is on top. */
function resultWindow(f: FunctionCompiler, to: number): number {
  return f.asm.isTop(to) ? to : f.asm.take();
}

/** Nothing is known of the callee: it may write to what it gets. */
function argumentsInto(f: FunctionCompiler, args: readonly Expression[], first: number): void {
  args.forEach((arg, index) => {
    storedInto(f, arg, first + index);
  });
}

// --- Spread and cache -----------------------------------------------------------------------------------------------

function compileSpreadCall(
  f: FunctionCompiler,
  node: Call,
  callee: Expression,
  binding: NameBinding | StaticBinding | undefined,
  to: number,
): void {
  const { asm } = f;
  const fn = asm.take();
  if (binding === undefined || binding.kind === 'staticField' || binding.kind === 'variable')
    into(f, callee, fn);
  else loadName(f, binding, fn);
  const args = asm.take();
  argumentList(f, node.args, args);
  f.at(node.span);
  asm.emit(Op.CallSpread, to, fn, args);
}

/** The arguments as an array of their own. */
function argumentList(f: FunctionCompiler, args: readonly Expression[], to: number): void {
  const { asm } = f;
  const firstSpread = args.findIndex((arg) => arg.kind === 'Spread');
  const leading = firstSpread === -1 ? args.length : firstSpread;
  const mark = asm.mark();
  const window = asm.take(leading);
  argumentsInto(f, args.slice(0, leading), window);
  asm.emit(Op.NewArray, to, window, leading);
  asm.release(mark);
  for (const arg of args.slice(leading)) {
    const value = arg.kind === 'Spread' ? operand(f, arg.value) : stored(f, arg);
    f.at(arg.span);
    asm.emit(arg.kind === 'Spread' ? Op.SpreadArguments : Op.Append, to, value);
    asm.release(mark);
  }
}

/** `cache [options] name(args)`: options and arguments are evaluated whether or not the result is known. */
export function compileCache(f: FunctionCompiler, node: Cache, to: number): void {
  const { asm } = f;
  const window = asm.take(3);
  into(f, node.options, window);
  const binding = bindingOf(f, node.callee);
  if (binding !== undefined) loadName(f, binding, window + 1);
  argumentList(f, node.args, window + 2);
  f.at(node.span);
  asm.emit(Op.CacheCall, to, window);
}
