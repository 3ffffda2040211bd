// The tables that all functions of a program share, while they are being filled: constants, keys, builtins, globals,
// and the numbers of functions and classes. Functions are compiled one after the other from a list that grows meanwhile.

import type {
  BuiltinCode,
  ClassCode,
  FunctionCode,
  GlobalCode,
  ModuleCode,
  Program,
} from '../bytecode/function-code.js';
import type { Builtin, Environment, Method, NativeClass } from '../declare.js';
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import type { PatternEngine } from '../host.js';
import type {
  GlobalVariable,
  ResolvedClass,
  ResolvedField,
  ResolvedFunction,
  ResolvedProgram,
} from '../resolver/resolved.js';
import type { SourceFile } from '../source/source-file.js';
import type { Value } from '../values/value.js';
import { Folder } from './fold.js';
import { Ownership } from './ownership.js';

/** A function that has a number and waits for its turn. */
export interface PendingFunction {
  readonly index: number;
  readonly fn: ResolvedFunction;
}

export class ProgramBuilder {
  readonly diagnostics: Diagnostic[] = [];
  readonly folder: Folder;
  readonly ownership: Ownership;
  readonly pending: PendingFunction[] = [];
  readonly #functions: FunctionCode[] = [];
  readonly #functionIndexes = new Map<ResolvedFunction, number>();
  readonly #captures = new Map<ResolvedFunction, readonly number[]>();
  readonly #classes: ClassCode[] = [];
  readonly #classIndexes = new Map<ResolvedClass, number>();
  readonly #globals: GlobalCode[] = [];
  readonly #globalIndexes = new Map<GlobalVariable | ResolvedField, number>();
  readonly #constants: Value[] = [];
  readonly #constantIndexes = new Map<unknown, number>();
  readonly #fields: string[] = [];
  readonly #records: (readonly string[])[] = [];
  readonly #recordIndexes = new Map<string, number>();
  readonly #builtins: BuiltinCode[] = [];
  readonly #builtinIndexes = new Map<string, number>();
  readonly #files: string[] = [];
  readonly #fileIndexes = new Map<string, number>();

  constructor(
    readonly resolved: ResolvedProgram,
    readonly environment: Environment,
    patterns: PatternEngine,
  ) {
    this.folder = new Folder(patterns);
    this.ownership = new Ownership(resolved);
    for (const { name } of environment.variables) this.#globals.push({ name, module: -1, initial: -1 });
  }

  // --- Functions and classes ----------------------------------------------------------------------------------------

  /** A function's number; the first time it is asked for, the function is put on the list. */
  functionIndex(fn: ResolvedFunction): number {
    let index = this.#functionIndexes.get(fn);
    if (index === undefined) {
      index = this.#functionIndexes.size;
      this.#functionIndexes.set(fn, index);
      this.pending.push({ index, fn });
    }
    return index;
  }

  /** The enclosing function says which of its registers hold the cells that a closure captures. */
  setCaptures(fn: ResolvedFunction, registers: readonly number[]): void {
    this.#captures.set(fn, registers);
  }

  capturesOf(fn: ResolvedFunction): readonly number[] {
    return this.#captures.get(fn) ?? [];
  }

  setFunction(index: number, code: FunctionCode): void {
    this.#functions[index] = code;
  }

  classIndex(of: ResolvedClass): number {
    let index = this.#classIndexes.get(of);
    if (index !== undefined) return index;
    index = this.#classIndexes.size;
    this.#classIndexes.set(of, index);
    const methods = [...of.methods.values()];
    const codeOf = (method: (typeof methods)[number]) => ({
      name: method.name,
      function: this.functionIndex(method.fn),
      isPrivate: method.isPrivate,
    });
    this.#classes[index] = {
      name: of.name,
      module: of.module,
      constructorIndex: of.constructorOf === undefined ? -1 : this.functionIndex(of.constructorOf),
      fields: [...of.fields.values()]
        .filter((field) => !field.isStatic)
        .map(({ name, initial, isPrivate, isReadonly }) => ({
          name,
          initial: initial === null ? -1 : this.constant(initial),
          isPrivate,
          isReadonly,
        })),
      methods: methods.filter((method) => !method.isStatic).map(codeOf),
      statics: methods.filter((method) => method.isStatic).map(codeOf),
    };
    return index;
  }

  // --- Variables ----------------------------------------------------------------------------------------------------

  /** The slot of a module's variable. */
  globalIndex(variable: GlobalVariable): number {
    if (variable.isPredefined) return variable.slot;
    const data = this.resolved.data.get(variable);
    return this.#slot(variable, variable.name, variable.module, data === undefined ? undefined : data.value);
  }

  /** The slot of a static class variable. */
  staticIndex(of: ResolvedClass, field: ResolvedField): number {
    return this.#slot(field, `${of.name}::$${field.name}`, of.module, field.initial);
  }

  #slot(
    key: GlobalVariable | ResolvedField,
    name: string,
    module: number,
    initial: Value | undefined,
  ): number {
    let index = this.#globalIndexes.get(key);
    if (index === undefined) {
      index = this.#globals.length;
      this.#globals.push({ name, module, initial: initial === undefined ? -1 : this.constant(initial) });
      this.#globalIndexes.set(key, index);
    }
    return index;
  }

  // --- Tables -------------------------------------------------------------------------------------------------------

  constant(value: Value): number {
    // Numbers by their text, so that 0 and -0 stay apart; arrays and patterns by identity.
    const key = typeof value === 'number' ? (Object.is(value, -0) ? '#-0' : `#${value}`) : keyOf(value);
    let index = this.#constantIndexes.get(key);
    if (index === undefined) {
      index = this.#constants.length;
      this.#constants.push(value);
      this.#constantIndexes.set(key, index);
    }
    return index;
  }

  /** Every use has an entry of its own: it is the instruction's inline cache. */
  field(key: string): number {
    this.#fields.push(key);
    return this.#fields.length - 1;
  }

  record(keys: readonly string[]): number {
    const text = JSON.stringify(keys);
    let index = this.#recordIndexes.get(text);
    if (index === undefined) {
      index = this.#records.length;
      this.#records.push(keys);
      this.#recordIndexes.set(text, index);
    }
    return index;
  }

  builtin(declaration: Builtin | NativeClass, member?: string): number {
    const method: Method | undefined =
      member === undefined ? undefined : (declaration as NativeClass).statics[member];
    const name = member === undefined ? declaration.name : `${declaration.name}::${member}`;
    let index = this.#builtinIndexes.get(name);
    if (index === undefined) {
      index = this.#builtins.length;
      this.#builtins.push({ name, declaration, method });
      this.#builtinIndexes.set(name, index);
    }
    return index;
  }

  file(file: SourceFile): number {
    let index = this.#fileIndexes.get(file.name);
    if (index === undefined) {
      index = this.#files.length;
      this.#files.push(file.name);
      this.#fileIndexes.set(file.name, index);
    }
    return index;
  }

  finish(): Program {
    const modules: ModuleCode[] = this.resolved.modules.map((module) => ({
      name: module.file.name,
      main: this.functionIndex(module.main),
    }));
    return {
      modules,
      functions: this.#functions,
      classes: this.#classes,
      globals: this.#globals,
      constants: this.#constants,
      fields: this.#fields,
      records: this.#records,
      builtins: this.#builtins,
      files: this.#files,
      environment: this.environment,
    };
  }
}

function keyOf(value: Value): unknown {
  return typeof value === 'string' ? `"${value}` : value;
}
