// match and switch: labels are tried in order, by one instruction each that compares and jumps.

import type { Expression, Match, Switch } from '../ast/nodes.js';
import type { Label } from '../bytecode/assembler.js';
import { Op } from '../bytecode/opcodes.js';
import { constantOf, into, operand, operandBefore } from './expressions.js';
import type { FunctionCompiler } from './function-compiler.js';
import { compileStatements } from './statements.js';

/** The chosen arm's value in register `to`. */
export function compileMatch(f: FunctionCompiler, node: Match, to: number): void {
  const { asm } = f;
  const tests = node.arms.flatMap((arm) => arm.tests ?? []);
  const subject = operandBefore(f, node.subject, tests);
  const end = asm.label();
  const arms = node.arms.map((arm) => ({ arm, label: asm.label() }));
  for (const { arm, label } of arms) for (const test of arm.tests ?? []) jumpIfTaken(f, subject, test, label);

  const byDefault = node.arms.find((arm) => arm.tests === undefined);
  f.at(node.span);
  if (byDefault === undefined) {
    asm.emit(Op.ThrowUnmatched, subject);
  } else {
    into(f, byDefault.value, to);
    asm.jump(Op.Jump, end);
  }
  for (const { arm, label } of arms) {
    if (arm.tests === undefined) continue;
    asm.bind(label);
    into(f, arm.value, to);
    asm.jump(Op.Jump, end);
  }
  asm.bind(end);
}

function jumpIfTaken(f: FunctionCompiler, subject: number, test: Expression, label: Label): void {
  const { asm } = f;
  const mark = asm.mark();
  const constant = constantOf(f, test);
  f.at(test.span);
  if (constant !== undefined) asm.jump(Op.JumpIfCaseConst, label, subject, f.program.constant(constant));
  else asm.jump(Op.JumpIfCase, label, subject, operand(f, test));
  asm.release(mark);
}

/** Bodies stand in the order of the text and fall through; the default's is entered when no label takes the subject. */
export function compileSwitch(f: FunctionCompiler, node: Switch): void {
  const { asm } = f;
  const mark = asm.mark();
  const tests = node.cases.map(({ test }) => test);
  const subject = operandBefore(f, node.subject, tests);
  const end = asm.label();
  const bodies = node.cases.map((label) => ({ label, at: asm.label() }));
  for (const { label, at } of bodies) if (label.test !== undefined) jumpIfTaken(f, subject, label.test, at);
  asm.jump(Op.Jump, bodies.find(({ label }) => label.test === undefined)?.at ?? end);
  asm.release(mark);

  f.exits.push({ atBreak: end, atContinue: undefined, barriers: f.barriers.length });
  for (const { label, at } of bodies) {
    asm.bind(at);
    compileStatements(f, label.body);
  }
  f.exits.pop();
  asm.bind(end);
}
