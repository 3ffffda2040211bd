// Statements to instructions. Every statement gives back the temporaries it took; what must last while a body runs
// (an iteration, a barrier's handle) is taken before the body and given back behind it.

import type {
  Break,
  Continue,
  Expression,
  Foreach,
  If,
  Node,
  Statement,
  Try,
  Variable,
} from '../ast/nodes.js';
import { forEachChild } from '../ast/walk.js';
import type { Label } from '../bytecode/assembler.js';
import { HandlerKind } from '../bytecode/function-code.js';
import { Op } from '../bytecode/opcodes.js';
import { toBoolean } from '../values/convert.js';
import { assignTo } from './assignments.js';
import { compileBarrier, leaveBarriers } from './barriers.js';
import { jumpIf, loopIf } from './conditions.js';
import { constantOf, effect, operand, stored, unwrap } from './expressions.js';
import type { FunctionCompiler } from './function-compiler.js';
import { compileSwitch } from './match.js';
import { isHeld } from './ownership.js';
import { registerTarget } from './paths.js';

/** Compiles statements in order. */
export function compileStatements(f: FunctionCompiler, statements: readonly Statement[]): void {
  for (const statement of statements) compileStatement(f, statement);
}

/** Compiles one statement. */
export function compileStatement(f: FunctionCompiler, node: Statement): void {
  const { asm } = f;
  const mark = asm.mark();
  f.at(node.span);
  switch (node.kind) {
    case 'Block':
      compileStatements(f, node.body);
      break;
    case 'Echo': {
      const value = operand(f, node.value);
      f.at(node.span);
      asm.emit(Op.Echo, value);
      break;
    }
    case 'ExpressionStatement':
      effect(f, node.expression);
      break;
    case 'If':
      compileIf(f, node);
      break;
    case 'For':
      if (node.init !== undefined) effect(f, node.init);
      compileLoop(f, node.test, node.body, node.step);
      break;
    case 'While':
      compileLoop(f, node.test, node.body, undefined);
      break;
    case 'Forever':
      compileLoop(f, undefined, node.body, undefined);
      break;
    case 'Foreach':
      compileForeach(f, node);
      break;
    case 'Switch':
      compileSwitch(f, node);
      break;
    case 'Break':
    case 'Continue':
      leave(f, node);
      break;
    case 'Return':
      compileReturn(f, node.value);
      break;
    case 'Throw': {
      const value = stored(f, node.value);
      f.at(node.span);
      asm.emit(Op.Throw, value);
      break;
    }
    case 'Try':
      compileTry(f, node);
      break;
    case 'Barrier':
      compileBarrier(f, node);
      break;
    case 'Include': {
      const included = f.resolved.graph.includes.get(node);
      if (included !== undefined) f.inFile(included.file, () => compileStatements(f, included.script.body));
      break;
    }
    case 'DebugPoint':
      compileStatement(f, node.body);
      break;
    case 'Empty':
    case 'Global':
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
    case 'ImportSymbols':
    case 'ImportNamespace':
    case 'ImportFile':
      // Names and bindings: all done before anything runs.
      break;
  }
  asm.release(mark);
}

function compileIf(f: FunctionCompiler, node: If): void {
  const { asm } = f;
  const test = constantOf(f, node.test);
  if (test !== undefined) {
    if (toBoolean(test)) compileStatement(f, node.then);
    else if (node.otherwise !== undefined) compileStatement(f, node.otherwise);
    return;
  }
  const exit = node.otherwise === undefined ? directExit(f, node.then) : undefined;
  if (exit !== undefined) {
    jumpIf(f, node.test, exit, true);
    return;
  }
  const otherwise = asm.label();
  jumpIf(f, node.test, otherwise, false);
  compileStatement(f, node.then);
  if (node.otherwise === undefined) {
    asm.bind(otherwise);
    return;
  }
  const end = asm.label();
  asm.jump(Op.Jump, end);
  asm.bind(otherwise);
  compileStatement(f, node.otherwise);
  asm.bind(end);
}

// --- Loops ----------------------------------------------------------------------------------------------------------

/** Tests larger than this stand once, at the top; smaller ones again at the bottom, which saves a jump per turn. */
const MAX_REPEATED_TEST = 12;

function compileLoop(
  f: FunctionCompiler,
  test: Expression | undefined,
  body: Statement,
  step: Expression | undefined,
): void {
  const { asm } = f;
  const known = test === undefined ? true : constantOf(f, test);
  if (known !== undefined && !toBoolean(known)) return;
  const condition = known === undefined ? test : undefined;
  const isRepeated = condition !== undefined && sizeOf(condition) <= MAX_REPEATED_TEST;

  const end = asm.label();
  const next = asm.label();
  const top = asm.label();
  if (condition !== undefined && isRepeated) jumpIf(f, condition, end, false);
  asm.bind(top);
  if (condition !== undefined && !isRepeated) jumpIf(f, condition, end, false);

  f.exits.push({ atBreak: end, atContinue: next, barriers: f.barriers.length });
  compileStatement(f, body);
  f.exits.pop();

  asm.bind(next);
  if (step !== undefined) {
    f.at(step.span);
    effect(f, step);
  }
  // The VM counts the instructions of each turn; a turn without any would never be interrupted.
  if (asm.pc === top.at) asm.emit(Op.LoadNone, asm.take());
  if (condition !== undefined && isRepeated) loopIf(f, condition, top);
  else asm.jump(Op.Loop, top);
  asm.bind(end);
}

/** How many nodes an expression has; one with a function in it is never small. */
function sizeOf(node: Node): number {
  let size = 1;
  if (node.kind === 'FunctionCode') return MAX_REPEATED_TEST + 1;
  forEachChild(node, (child) => {
    size += sizeOf(child);
  });
  return size;
}

function compileForeach(f: FunctionCompiler, node: Foreach): void {
  const { asm } = f;
  const { key, value } = node;
  const end = asm.label();
  const next = asm.label();

  const iteration = asm.take();
  const mark = asm.mark();
  let source = operand(f, node.iterable);
  if (isHeld(node.iterable) && !isSteady(f, node)) {
    const to = asm.isTemporary(source) ? source : asm.take();
    asm.emit(Op.Share, to, source);
    source = to;
  }
  f.at(node.iterable.span);
  asm.emit(Op.Iterate, iteration, source);
  asm.release(mark);

  // The loop variables' own registers where they lie as the instruction wants them.
  const keyRegister = key === undefined ? undefined : registerTarget(f, key);
  const valueRegister = registerTarget(f, value);
  asm.bind(next);
  f.at(node.span);
  if (key === undefined) {
    const to = valueRegister ?? asm.take();
    asm.jump(Op.Next, end, iteration, to);
    assignTo(f, value, to);
  } else if (keyRegister !== undefined && valueRegister === keyRegister + 1) {
    asm.jump(Op.NextPair, end, iteration, keyRegister);
  } else {
    const pair = asm.take(2);
    asm.jump(Op.NextPair, end, iteration, pair);
    assignTo(f, key, pair);
    assignTo(f, value, pair + 1);
  }
  asm.release(mark);

  // `continue` comes back to the top through a Loop of its own, at the bottom.
  const bottom = asm.label();
  f.exits.push({ atBreak: end, atContinue: bottom, barriers: f.barriers.length });
  compileStatement(f, node.body);
  f.exits.pop();
  asm.bind(bottom);
  asm.jump(Op.Loop, next);
  asm.bind(end);
}

/** Whether the array that is walked is a register variable's, and nothing in the loop writes to that variable. */
function isSteady(f: FunctionCompiler, node: Foreach): boolean {
  const iterable = unwrap(node.iterable);
  if (iterable.kind !== 'Variable') return false;
  const binding = f.resolved.variables.get(iterable);
  if (binding === undefined || f.homeOf(iterable).kind !== 'register') return false;
  let isWritten = false;
  f.program.ownership.forEachWrite(node, (written) => {
    isWritten ||= written === binding;
  });
  return !isWritten;
}

function leave(f: FunctionCompiler, node: Break | Continue): void {
  const exit = exitOf(f, node);
  if (exit === undefined) return;
  leaveBarriers(f, exit.barriers);
  f.asm.jump(Op.Jump, exit.label);
}

/** Where `break` or `continue` leads from here. */
function exitOf(
  f: FunctionCompiler,
  node: Break | Continue,
): { readonly label: Label; readonly barriers: number } | undefined {
  for (let i = f.exits.length - 1; i >= 0; i--) {
    const { atBreak, atContinue, barriers } = f.exits[i]!;
    const label = node.kind === 'Break' ? atBreak : atContinue;
    if (label !== undefined) return { label, barriers };
  }
  return undefined;
}

/** `if (…) break;` and `if (…) continue;` need no jump of their own when no barrier is left by them. */
function directExit(f: FunctionCompiler, then: Statement): Label | undefined {
  const node = then.kind === 'Block' && then.body.length === 1 ? then.body[0]! : then;
  if (node.kind !== 'Break' && node.kind !== 'Continue') return undefined;
  const exit = exitOf(f, node);
  return exit?.barriers === f.barriers.length ? exit.label : undefined;
}

// --- Leaving and failing --------------------------------------------------------------------------------------------

function compileReturn(f: FunctionCompiler, value: Expression | undefined): void {
  const { asm } = f;
  if (value === undefined) {
    leaveBarriers(f, 0);
    asm.emit(Op.ReturnNone);
    return;
  }
  const register = isOwnLocal(f, value) ? operand(f, value) : stored(f, value);
  leaveBarriers(f, 0);
  asm.emit(Op.Return, register);
}

/** A variable that ends with the frame: its array goes to the caller as it is. */
function isOwnLocal(f: FunctionCompiler, value: Expression): boolean {
  const node = unwrap(value);
  if (node.kind !== 'Variable' || f.homeOf(node).kind !== 'register') return false;
  const binding = f.resolved.variables.get(node);
  if (binding?.kind !== 'local') return false;
  return binding.parameter < 0 || f.owned.has(binding.parameter);
}

function compileTry(f: FunctionCompiler, node: Try): void {
  const { asm } = f;
  const end = asm.label();
  const start = asm.pc;
  f.guarded++;
  compileStatement(f, node.body);
  f.guarded--;
  const stop = asm.pc;
  asm.jump(Op.Jump, end);

  const own = registerOf(f, node.variable);
  const register = own ?? asm.take();
  if (asm.handler(start, stop, register, HandlerKind.Catch)) {
    f.at(node.variable.span);
    if (own === undefined) assignTo(f, node.variable, register);
    compileStatement(f, node.handler);
  }
  asm.bind(end);
}

function registerOf(f: FunctionCompiler, node: Variable): number | undefined {
  const home = f.homeOf(node);
  return home.kind === 'register' ? home.register : undefined;
}
