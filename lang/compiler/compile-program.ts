// From resolved scripts to a program: every module's top level, every function that is declared, one after the other.

import type { Program } from '../bytecode/function-code.js';
import { Op } from '../bytecode/opcodes.js';
import type { Environment } from '../declare.js';
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import type { PatternEngine } from '../host.js';
import type { ResolvedClass, ResolvedFunction, ResolvedProgram } from '../resolver/resolved.js';
import { FunctionCompiler } from './function-compiler.js';
import { ProgramBuilder } from './program-builder.js';
import { compileStatements } from './statements.js';

/** Compiles a program that has no errors. The diagnostics are warnings, except for what is too large. */
export function compileProgram(
  resolved: ResolvedProgram,
  environment: Environment,
  patterns: PatternEngine,
): { readonly program: Program; readonly diagnostics: readonly Diagnostic[] } {
  const builder = new ProgramBuilder(resolved, environment, patterns);
  for (const module of resolved.modules) {
    builder.functionIndex(module.main);
    registerDeclared(builder, module.main.declared);
  }
  for (let next = builder.pending.shift(); next !== undefined; next = builder.pending.shift()) {
    const { fn, index } = next;
    const compiler = new FunctionCompiler(builder, fn);
    const body = fn.code === undefined ? resolved.modules[fn.module]!.script.body : fn.code.body.body;
    registerDeclared(builder, fn.declared);
    compileStatements(compiler, body);
    compiler.asm.emit(Op.ReturnNone);
    builder.setFunction(index, compiler.finish(builder.capturesOf(fn)));
  }
  return { program: builder.finish(), diagnostics: builder.diagnostics };
}

/** Functions nobody calls are compiled as well: a debugger or a later script may name them. */
function registerDeclared(
  builder: ProgramBuilder,
  declared: readonly (ResolvedFunction | ResolvedClass)[],
): void {
  for (const each of declared) {
    if (each.kind === 'class') builder.classIndex(each);
    else builder.functionIndex(each);
  }
}
