// A program as the interpreter wants it: the same tables, in classes of one layout each, with what is found out at run time
// (inline caches, shapes) beside them. Made once per program and shared by its executions; what an execution has of its
// own (globals, function values, classes) is a ProgramInstance.

import type { ClassCode, FunctionCode, Program } from '../bytecode/function-code.js';
import { HslFunction } from '../values/function.js';
import { FreshValue } from '../values/object.js';
import { NO_SHAPE, type Shape, shapeOf } from '../values/shape.js';
import type { Value } from '../values/value.js';
import { type CheckedBuiltin, checkedBuiltin } from './checked-builtin.js';

/** What a closure, a `global`, an import share: a variable outside any frame. Undefined while undeclared. */
export class Cell {
  constructor(public value: Value | undefined) {}
}

/** A script function. */
export class ScriptFunction {
  readonly name: string;
  readonly code: Int32Array;
  readonly handlers: Int32Array;
  readonly registerCount: number;
  readonly clearFrom: number;
  readonly clearTo: number;
  readonly isGenerator: boolean;
  readonly parameterCount: number;
  /** How many must be given. */
  readonly requiredCount: number;
  readonly hasRest: boolean;
  readonly thisRegister: number;
  readonly captures: readonly number[];
  readonly captureBase: number;
  readonly classIndex: number;

  constructor(readonly source: FunctionCode) {
    this.name = source.name;
    this.code = source.code;
    this.handlers = source.handlers;
    this.registerCount = source.registerCount;
    this.clearFrom = source.clearFrom;
    this.clearTo = source.clearTo;
    this.isGenerator = source.isGenerator;
    this.parameterCount = source.parameters.length;
    this.requiredCount = source.parameters.filter((p) => p.initial === -1 && !p.isRest).length;
    this.hasRest = source.parameters.at(-1)?.isRest === true;
    this.thisRegister = source.thisRegister;
    this.captures = source.captures;
    this.captureBase = source.captureBase;
    this.classIndex = source.classIndex;
  }
}

/** The inline cache of one instruction that reads or writes a constant key. */
export class FieldCache {
  /** The record shape seen last, and where it has the key. */
  shape: Shape = NO_SHAPE;
  index = 0;
  /** The last addition of the key: from this shape to that one. */
  from: Shape = NO_SHAPE;
  to: Shape = NO_SHAPE;

  constructor(readonly key: string) {}
}

/** The keys of a record literal. */
export interface RecordKeys {
  readonly keys: readonly string[];
  /** Undefined when the shape tree does not want to grow there: then a dictionary is made. */
  readonly shape: Shape | undefined;
}

export class PreparedProgram {
  readonly functions: readonly ScriptFunction[];
  readonly constants: readonly Value[];
  readonly fields: readonly FieldCache[];
  readonly records: readonly RecordKeys[];
  readonly builtins: readonly CheckedBuiltin[];
  /** What an execution's globals start from; predefined variables are filled in. */
  readonly initialGlobals: readonly (Value | undefined)[];
  /** Those of them that every execution makes for itself. */
  readonly freshGlobals: readonly { readonly slot: number; readonly value: FreshValue }[];

  constructor(readonly program: Program) {
    this.functions = program.functions.map((code) => new ScriptFunction(code));
    this.constants = program.constants;
    this.fields = program.fields.map((key) => new FieldCache(key));
    this.records = program.records.map((keys) => ({ keys, shape: shapeOf(keys) }));
    this.builtins = program.builtins.map((code) => checkedBuiltin(code.name, code.declaration, code.method));
    this.initialGlobals = program.globals.map((global) =>
      global.initial === -1 ? undefined : program.constants[global.initial],
    );
    this.freshGlobals = this.initialGlobals.flatMap((value, slot) =>
      value instanceof FreshValue ? [{ slot, value }] : [],
    );
  }
}

const prepared = new WeakMap<Program, PreparedProgram>();

/** The prepared form of a program; the same one for every execution. */
export function prepare(program: Program): PreparedProgram {
  let found = prepared.get(program);
  if (found === undefined) {
    found = new PreparedProgram(program);
    prepared.set(program, found);
  }
  return found;
}

/** A script class in one execution. */
export class ScriptClass {
  readonly name: string;
  readonly methods = new Map<string, ScriptMethod>();
  /** Names of private and of readonly fields; undefined when the class has none, which spares the look-up. */
  readonly privateFields: ReadonlySet<string> | undefined;
  readonly readonlyFields: ReadonlySet<string> | undefined;
  readonly constructorFunction: ScriptFunction | undefined;

  constructor(
    readonly instance: ProgramInstance,
    readonly index: number,
    readonly source: ClassCode,
  ) {
    const functions = instance.prepared.functions;
    this.name = source.name;
    for (const method of source.methods)
      this.methods.set(method.name, { fn: functions[method.function]!, isPrivate: method.isPrivate });
    this.privateFields = namesWhere(source, 'isPrivate');
    this.readonlyFields = namesWhere(source, 'isReadonly');
    this.constructorFunction =
      source.constructorIndex === -1 ? undefined : functions[source.constructorIndex]!;
  }
}

export interface ScriptMethod {
  readonly fn: ScriptFunction;
  readonly isPrivate: boolean;
}

function namesWhere(source: ClassCode, flag: 'isPrivate' | 'isReadonly'): ReadonlySet<string> | undefined {
  const names = source.fields.filter((field) => field[flag]).map((field) => field.name);
  return names.length === 0 ? undefined : new Set(names);
}

/** What a script function value stands for: code and the globals it sees. */
export class ScriptTarget {
  constructor(
    readonly instance: ProgramInstance,
    readonly fn: ScriptFunction,
  ) {}
}

/** A program in one execution. A function value kept beyond it (in shared memory) keeps its instance. */
export class ProgramInstance {
  readonly globals: (Value | undefined)[];
  #functionValues: (HslFunction | undefined)[] | undefined = undefined;
  #classValues: (HslFunction | undefined)[] | undefined = undefined;
  #classes: (ScriptClass | undefined)[] | undefined = undefined;

  constructor(readonly prepared: PreparedProgram) {
    this.globals = prepared.initialGlobals.slice();
    for (const { slot, value } of prepared.freshGlobals) this.globals[slot] = value.make();
  }

  /** The value of a named function: the same one each time, so that it equals itself. */
  functionValue(index: number): HslFunction {
    this.#functionValues ??= [];
    let value = this.#functionValues[index];
    if (value === undefined) {
      const fn = this.prepared.functions[index]!;
      value = new HslFunction(new ScriptTarget(this, fn), fn.name, undefined, undefined);
      this.#functionValues[index] = value;
    }
    return value;
  }

  classValue(index: number): HslFunction {
    this.#classValues ??= [];
    let value = this.#classValues[index];
    if (value === undefined) {
      const target = this.classAt(index);
      value = new HslFunction(target, target.name, undefined, undefined);
      this.#classValues[index] = value;
    }
    return value;
  }

  classAt(index: number): ScriptClass {
    this.#classes ??= [];
    let found = this.#classes[index];
    if (found === undefined) {
      found = new ScriptClass(this, index, this.prepared.program.classes[index]!);
      this.#classes[index] = found;
    }
    return found;
  }
}
