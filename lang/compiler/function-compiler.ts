// What compiling one function needs at hand: its assembler, where each variable lives, the loops and barriers around
// the statement at work. The parts of the compiler (statements.ts, expressions.ts, …) are functions over this.

import type { StaticReference, Variable } from '../ast/nodes.js';
import type { Label } from '../bytecode/assembler.js';
import { Assembler } from '../bytecode/assembler.js';
import type { FunctionCode, ParameterCode } from '../bytecode/function-code.js';
import { Op } from '../bytecode/opcodes.js';
import type {
  GlobalVariable,
  LocalVariable,
  ResolvedFunction,
  ResolvedProgram,
  VariableBinding,
} from '../resolver/resolved.js';
import type { SourceFile, Span } from '../source/source-file.js';
import type { ProgramBuilder } from './program-builder.js';

/** Where a variable lives. */
export type Home =
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'cell'; readonly register: number }
  | { readonly kind: 'global'; readonly slot: number };

/** A loop or switch: where `break` and `continue` lead, and how many barriers are left on the way. */
export interface Exits {
  readonly atBreak: Label;
  /** Undefined for a switch: `continue` means the loop around it. */
  readonly atContinue: Label | undefined;
  readonly barriers: number;
}

/** A barrier whose body is being compiled. */
export interface OpenBarrier {
  readonly handle: number;
  readonly variable: Variable | undefined;
}

export class FunctionCompiler {
  readonly asm: Assembler;
  readonly resolved: ResolvedProgram;
  readonly exits: Exits[] = [];
  readonly barriers: OpenBarrier[] = [];
  /** How many try bodies and barriers are around: their handlers see the variables as they were when something failed. */
  guarded = 0;
  file: SourceFile;
  /** Parameters that hold arrays nobody else may write to. */
  readonly owned: ReadonlySet<number>;
  readonly #homes = new Map<VariableBinding, Home>();
  readonly #names: string[] = [];
  readonly #thisRegister: number;
  readonly #captureBase: number;
  readonly #clearFrom: number;
  readonly #clearTo: number;
  #fileIndex: number;

  constructor(
    readonly program: ProgramBuilder,
    readonly fn: ResolvedFunction,
  ) {
    this.resolved = program.resolved;
    this.file = fn.file;
    this.#fileIndex = program.file(fn.file);
    this.owned = program.ownership.ownedParameters(fn);

    // Parameters │ $this │ captured cells │ variables that start undeclared │ other variables and cells │ temporaries
    const parameters = fn.locals.filter((local) => local.parameter >= 0);
    for (const local of parameters) this.#settle(local, local.captured);
    const hasThis = fn.kind === 'method' || fn.kind === 'constructor' || fn.capturesThis;
    this.#thisRegister = hasThis ? this.#names.push('this') - 1 : -1;
    this.#captureBase = this.#names.length;
    for (const captured of fn.captures) this.#names.push(captured.name);

    const variables: (LocalVariable | GlobalVariable)[] =
      fn.kind === 'main'
        ? this.resolved.modules[fn.module]!.globals.filter((variable) => !variable.isShared)
        : fn.locals.filter((local) => local.parameter < 0);
    const startsUndeclared = (variable: LocalVariable | GlobalVariable) =>
      this.resolved.unproven.has(variable) && !(variable.kind === 'local' && variable.captured);
    this.#clearFrom = this.#names.length;
    for (const variable of variables) if (startsUndeclared(variable)) this.#settle(variable, false);
    this.#clearTo = this.#names.length;
    for (const variable of variables)
      if (!startsUndeclared(variable)) this.#settle(variable, variable.kind === 'local' && variable.captured);

    this.asm = new Assembler(this.#names.length);
    this.at(fn.span);
    for (const local of fn.locals)
      if (local.captured)
        this.asm.emit(local.parameter >= 0 ? Op.BoxCell : Op.NewCell, this.#registerOf(local));
  }

  #settle(variable: LocalVariable | GlobalVariable, isCell: boolean): void {
    const register = this.#names.push(variable.name) - 1;
    this.#homes.set(variable, { kind: isCell ? 'cell' : 'register', register });
  }

  #registerOf(local: LocalVariable): number {
    const home = this.#homes.get(local)!;
    return home.kind === 'global' ? -1 : home.register;
  }

  // --- Places -------------------------------------------------------------------------------------------------------

  /** The next instructions come from `span`. */
  at(span: Span): void {
    this.asm.at(this.#fileIndex, this.file, span);
  }

  /** Compiles statements of an included file. */
  inFile(file: SourceFile, compile: () => void): void {
    const outside = this.file;
    this.#enter(file);
    compile();
    this.#enter(outside);
  }

  #enter(file: SourceFile): void {
    this.file = file;
    this.#fileIndex = this.program.file(file);
  }

  // --- Variables ----------------------------------------------------------------------------------------------------

  homeOf(node: Variable): Home {
    return this.homeOfBinding(this.resolved.variables.get(node)!);
  }

  homeOfBinding(binding: VariableBinding): Home {
    if (binding.kind === 'this') return { kind: 'register', register: this.#thisRegister };
    if (binding.kind === 'captured') return { kind: 'cell', register: this.#captureBase + binding.index };
    return (
      this.#homes.get(binding) ?? {
        kind: 'global',
        slot: this.program.globalIndex(binding as GlobalVariable),
      }
    );
  }

  /** The slot behind `Class::$x` or `ns::$x`; undefined when the name is a function. */
  slotOf(node: StaticReference): number | undefined {
    const binding = this.resolved.statics.get(node)!;
    if (binding.kind === 'staticField') return this.program.staticIndex(binding.of, binding.field);
    if (binding.kind === 'variable') return this.program.globalIndex(binding.variable);
    return undefined;
  }

  /** Registers of this function that hold the cells a closure captures. */
  captureRegisters(closure: ResolvedFunction): number[] {
    return closure.captures.map((captured) => {
      const home = this.homeOfBinding(captured);
      return home.kind === 'global' ? -1 : home.register;
    });
  }

  finish(captures: readonly number[]): FunctionCode {
    const { fn, program } = this;
    const parameters: ParameterCode[] = (fn.code?.parameters ?? []).map((parameter) => ({
      name: parameter.variable.name,
      initial:
        parameter.initial === undefined
          ? -1
          : program.constant(this.resolved.constants.get(parameter.initial) ?? null),
      isRest: parameter.isRest,
    }));
    const { code, handlers, lines, registerCount } = this.asm.finish();
    return {
      name: displayName(fn),
      file: program.file(fn.file),
      module: fn.module,
      classIndex: fn.classOf === undefined ? -1 : program.classIndex(fn.classOf),
      parameters,
      thisRegister: this.#thisRegister,
      captures,
      captureBase: this.#captureBase,
      isGenerator: fn.isGenerator,
      registerCount,
      clearFrom: this.#clearFrom,
      clearTo: this.#clearTo,
      locals: this.#names,
      code,
      handlers,
      lines,
    };
  }
}

/** A function's name in stack traces. */
function displayName(fn: ResolvedFunction): string {
  switch (fn.kind) {
    case 'main':
      return '';
    case 'anonymous':
      return 'function';
    case 'function':
      return fn.name;
    case 'method':
    case 'static':
    case 'constructor':
      return `${fn.classOf!.name}::${fn.name}`;
  }
}
