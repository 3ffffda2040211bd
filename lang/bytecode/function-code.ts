// What the compiler hands to the VM: a program, that is the entry file and all its modules, linked. All of it is
// immutable and shared by every execution, and all of it can be written to a file: builtins by name, patterns as source
// and flags, data imports as values.

import type { Builtin, Environment, Method, NativeClass } from '../declare.js';
import type { Value } from '../values/value.js';

/** A parameter of a script function. The n-th parameter is register n. */
export interface ParameterCode {
  /** Without the `$`. */
  readonly name: string;
  /** Index of the default in the program's constants; -1 for a required parameter and for the rest parameter. */
  readonly initial: number;
  /** `...$rest`: the last one, always an array. */
  readonly isRest: boolean;
}

/** What a handler is for. */
export const enum HandlerKind {
  /** `catch`: gets exceptions only. */
  Catch = 0,
  /** Runs also when an action ends the script; must end in Rethrow. */
  Cleanup = 1,
}

/** int32s per row of `FunctionCode.handlers`. */
export const HANDLER_WORDS = 5;

/** int32s per row of `FunctionCode.lines`. */
export const LINE_WORDS = 4;

/**
 * One function, method, constructor, closure body or file's top level.
 *
 * Registers of a frame, in order:
 *
 *   parameters │ $this (if thisRegister is set) │ captured cells │ other variables │ temporaries
 */
export interface FunctionCode {
  /** As stack traces show it: `greet`, `Counter::inc`, `Counter::constructor`, `function` for an anonymous one, empty for a top level. */
  readonly name: string;
  /** Index into the program's `files`: where it is declared. */
  readonly file: number;
  /** Index into the program's `modules`: whose globals it sees. */
  readonly module: number;
  /** Index of the class whose private members it may use (methods, and functions written inside them); -1. */
  readonly classIndex: number;
  readonly parameters: readonly ParameterCode[];
  /** Register of `$this`; -1. For a closure it is set if its list names `$this`. */
  readonly thisRegister: number;
  /** For closures: for each captured variable the register of the enclosing function that holds its cell. */
  readonly captures: readonly number[];
  /** Register of the first captured cell; the others follow. */
  readonly captureBase: number;
  readonly isGenerator: boolean;
  readonly registerCount: number;
  /** Registers [clearFrom, clearTo) start as undeclared: variables that are not proven to be assigned before they are read. */
  readonly clearFrom: number;
  readonly clearTo: number;
  /** Variable name (without the `$`) per register, for messages, debugger and REPL; shorter than registerCount: temporaries have none. Empty string: none. */
  readonly locals: readonly string[];
  /** See opcodes.ts. */
  readonly code: Int32Array;
  /** Rows of start, end (exclusive), handler's pc, register for the value, HandlerKind; innermost first. A row counts for an instruction whose pc is in [start, end). */
  readonly handlers: Int32Array;
  /** Rows of pc, file, line, column, sorted by pc: a row counts from its pc to the next row's. */
  readonly lines: Int32Array;
}

/** An instance variable declared in a class body. */
export interface FieldCode {
  readonly name: string;
  /** Index into the constants; -1 for none. */
  readonly initial: number;
  readonly isPrivate: boolean;
  readonly isReadonly: boolean;
}

export interface MethodCode {
  readonly name: string;
  /** Index into the program's functions. */
  readonly function: number;
  readonly isPrivate: boolean;
}

/** A script class. Its static functions are called by index, its static variables are globals: the VM needs neither here. */
export interface ClassCode {
  readonly name: string;
  readonly module: number;
  /** Index into the program's functions; -1. */
  readonly constructorIndex: number;
  readonly fields: readonly FieldCode[];
  readonly methods: readonly MethodCode[];
  /** For completion and `C::name` by name (debugger, REPL). */
  readonly statics: readonly MethodCode[];
}

/**
 * A slot of the execution's global variables. All files number theirs in one list; the environment's predefined variables
 * come first, in its order. An imported variable is the slot of the module it comes from, a static class variable
 * (name `Class::$x`) and a data import are slots with an initial value. A top-level variable that only the top level itself
 * uses has no slot: it is a register of the module's main function.
 */
export interface GlobalCode {
  /** Without the `$`. */
  readonly name: string;
  /** Index into the program's modules; -1 for predefined variables. */
  readonly module: number;
  /** Index into the constants; -1 when it starts undeclared. */
  readonly initial: number;
}

export interface ModuleCode {
  /** Canonical name of the file. */
  readonly name: string;
  /** Index of the function that runs its top level. */
  readonly main: number;
}

/** A library name the program uses: found in the environment, else among the language's own (vm/language-declarations.ts). */
export interface BuiltinCode {
  /** As in the source: `length`, `Map`, `Class::method` for a static function of a native class. */
  readonly name: string;
  readonly declaration: Builtin | NativeClass;
  /** For `Class::method`. */
  readonly method: Method | undefined;
}

export interface Program {
  /** In the order they run: what is imported before what imports it; the entry file is the last. */
  readonly modules: readonly ModuleCode[];
  readonly functions: readonly FunctionCode[];
  readonly classes: readonly ClassCode[];
  readonly globals: readonly GlobalCode[];
  /** Arrays among them are marked shared; patterns are Regex values (values/pattern.ts). */
  readonly constants: readonly Value[];
  /** Keys of GetField and its like, one entry per instruction that reads or writes (each is an inline cache). Strings that are no integers. */
  readonly fields: readonly string[];
  /** Key lists of NewRecord: distinct strings that are no integers, at most MAX_RECORD_KEYS (values/shape.ts). */
  readonly records: readonly (readonly string[])[];
  readonly builtins: readonly BuiltinCode[];
  /** Canonical names of the files its code comes from. */
  readonly files: readonly string[];
  readonly environment: Environment;
}
