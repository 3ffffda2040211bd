// barrier (hsl-language 16): entered under the name's lock, left with the variable's value stored, whichever way the body
// is left: by its end, break, continue, return (leaveBarriers), or by an exception or the end of the script (a handler).

import type { Barrier } from '../ast/nodes.js';
import { HandlerKind } from '../bytecode/function-code.js';
import { Op } from '../bytecode/opcodes.js';
import { assignTo } from './assignments.js';
import { operand, quietOperand } from './expressions.js';
import type { FunctionCompiler, OpenBarrier } from './function-compiler.js';
import { registerTarget } from './paths.js';
import { compileStatements } from './statements.js';

export function compileBarrier(f: FunctionCompiler, node: Barrier): void {
  const { asm } = f;
  const end = asm.label();
  const handle = asm.take();
  const mark = asm.mark();
  const name = operand(f, node.name);
  const own = node.variable === undefined ? undefined : registerTarget(f, node.variable);
  const value = own ?? asm.take();
  f.at(node.span);
  asm.emit(Op.EnterBarrier, handle, name, value);
  const start = asm.pc;
  if (node.variable !== undefined) assignTo(f, node.variable, value);
  asm.release(mark);

  const barrier = { handle, variable: node.variable };
  f.barriers.push(barrier);
  f.guarded++;
  compileStatements(f, node.body.body);
  f.guarded--;
  f.barriers.pop();
  const stop = asm.pc;
  leaveBarrier(f, barrier);
  asm.jump(Op.Jump, end);

  const pending = asm.take();
  if (asm.handler(start, stop, pending, HandlerKind.Cleanup)) {
    leaveBarrier(f, barrier);
    asm.emit(Op.Rethrow, pending);
  }
  asm.bind(end);
}

/** Leaves the barriers that were entered after the first `outer` ones, innermost first. */
export function leaveBarriers(f: FunctionCompiler, outer: number): void {
  for (let i = f.barriers.length - 1; i >= outer; i--) leaveBarrier(f, f.barriers[i]!);
}

function leaveBarrier(f: FunctionCompiler, { handle, variable }: OpenBarrier): void {
  const { asm } = f;
  if (variable === undefined) {
    asm.emit(Op.LeaveBarrier, handle);
    return;
  }
  const mark = asm.mark();
  const value = asm.take();
  asm.emit(Op.Share, value, quietOperand(f, variable));
  asm.emit(Op.LeaveBarrierStore, handle, value);
  asm.release(mark);
}
