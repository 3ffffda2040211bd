// What the resolver finds out, kept beside the tree: which variable a name means and where it lives, which function
// or class a name calls, which reads need a check. Later passes read these tables by node and decide nothing about
// names themselves.
//
// Where a variable lives:
//   local      in a register of its function; in a cell once a closure lists it
//   captured   in a cell that the closure got when it was made
//   global     in a slot of its module: every variable of the main scope, `global`, imports, predefined ones

import type {
  ClassDeclaration,
  FieldMember,
  FunctionCode,
  MethodMember,
  NameReference,
  Node,
  Script,
  StaticReference,
  Variable,
} from '../ast/nodes.js';
import type { Builtin, NativeClass } from '../declare.js';
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import type { DataImport, ModuleGraph } from '../modules/module-graph.js';
import type { SourceFile, Span } from '../source/source-file.js';
import type { Value } from '../values/value.js';

// --- Variables --------------------------------------------------------------------------------------------------

/** A variable of one function. */
export interface LocalVariable {
  readonly kind: 'local';
  readonly name: string;
  /** Its number in the function, parameters first. */
  readonly index: number;
  /** Its number among the parameters, or -1. */
  readonly parameter: number;
  /** A closure lists it, so it lives in a cell. */
  captured: boolean;
  /** Where it is first named. */
  readonly file: SourceFile;
  readonly span: Span;
}

/** A variable that a closure lists. */
export interface CapturedVariable {
  readonly kind: 'captured';
  readonly name: string;
  /** Its number among the closure's captures. */
  readonly index: number;
}

/** A variable of a module. */
export interface GlobalVariable {
  readonly kind: 'global';
  readonly name: string;
  readonly module: number;
  readonly slot: number;
  /** Predefined ones exist before the first statement. */
  readonly isPredefined: boolean;
  readonly isReadonly: boolean;
  /** More than its module's main code uses it: `global`, a closure, an import. Else it may live in a register. */
  isShared: boolean;
}

/** `$this`, in a method or in a closure that lists it. */
export interface ThisVariable {
  readonly kind: 'this';
}

export type VariableBinding = LocalVariable | CapturedVariable | GlobalVariable | ThisVariable;

// --- Functions and classes --------------------------------------------------------------------------------------

export type FunctionKind = 'main' | 'function' | 'anonymous' | 'method' | 'static' | 'constructor';

/** Anything with a frame of its own. */
export interface ResolvedFunction {
  readonly kind: FunctionKind;
  /** `main` for a module's top level, empty for anonymous functions. */
  readonly name: string;
  readonly module: number;
  readonly file: SourceFile;
  /** Undefined for main. */
  readonly code: FunctionCode | undefined;
  readonly span: Span;
  /** The class around, whose private members it may use. */
  readonly classOf: ResolvedClass | undefined;
  readonly locals: readonly LocalVariable[];
  /** What a closure takes from the function around it, in the order of CapturedVariable.index. */
  readonly captures: readonly (LocalVariable | CapturedVariable)[];
  /** `closure ($this)`. */
  readonly capturesThis: boolean;
  readonly isGenerator: boolean;
  /** Functions and classes declared in it, in the order of the text. */
  readonly declared: readonly (ResolvedFunction | ResolvedClass)[];
}

/** A constant value of a declaration, computed. */
export interface ResolvedField {
  readonly name: string;
  readonly node: FieldMember;
  readonly isPrivate: boolean;
  readonly isReadonly: boolean;
  readonly isStatic: boolean;
  readonly initial: Value;
  /** Its number among the static or among the instance variables of the class. */
  readonly index: number;
}

export interface ResolvedMethod {
  readonly name: string;
  readonly node: MethodMember;
  readonly isPrivate: boolean;
  readonly isStatic: boolean;
  readonly fn: ResolvedFunction;
}

export interface ResolvedClass {
  readonly kind: 'class';
  readonly name: string;
  readonly module: number;
  readonly file: SourceFile;
  readonly node: ClassDeclaration;
  /** In the order of the text. */
  readonly fields: ReadonlyMap<string, ResolvedField>;
  readonly methods: ReadonlyMap<string, ResolvedMethod>;
  readonly constructorOf: ResolvedFunction | undefined;
}

/** What a bare name stands for. `unknown` has been reported. */
export type NameBinding =
  | { readonly kind: 'function'; readonly fn: ResolvedFunction }
  | { readonly kind: 'class'; readonly of: ResolvedClass }
  | { readonly kind: 'builtin'; readonly declaration: Builtin }
  | { readonly kind: 'nativeClass'; readonly declaration: NativeClass }
  | { readonly kind: 'namespace'; readonly module: number }
  | { readonly kind: 'unknown' };

/** What `owner::member` stands for. */
export type StaticBinding =
  | { readonly kind: 'staticField'; readonly of: ResolvedClass; readonly field: ResolvedField }
  | { readonly kind: 'staticMethod'; readonly of: ResolvedClass; readonly method: ResolvedMethod }
  | { readonly kind: 'nativeStatic'; readonly declaration: NativeClass; readonly member: string }
  | { readonly kind: 'variable'; readonly variable: GlobalVariable }
  | Exclude<NameBinding, { readonly kind: 'namespace' }>;

// --- Modules ----------------------------------------------------------------------------------------------------

export interface ResolvedModule {
  readonly index: number;
  readonly file: SourceFile;
  readonly script: Script;
  /** By slot. */
  readonly globals: readonly GlobalVariable[];
  readonly main: ResolvedFunction;
}

/** The program with every name understood. */
export interface ResolvedProgram {
  readonly graph: ModuleGraph;
  /** In order of execution; the last one is the entry. */
  readonly modules: readonly ResolvedModule[];
  readonly variables: ReadonlyMap<Variable, VariableBinding>;
  readonly names: ReadonlyMap<NameReference, NameBinding>;
  readonly statics: ReadonlyMap<StaticReference, StaticBinding>;
  readonly functions: ReadonlyMap<FunctionCode, ResolvedFunction>;
  readonly classes: ReadonlyMap<ClassDeclaration, ResolvedClass>;
  /** Values known before the program runs, by node: parameter defaults, pattern literals, literal patterns of `=~` and of calls. */
  readonly constants: ReadonlyMap<Node, Value>;
  /** Initial values of global variables that are data imports. */
  readonly data: ReadonlyMap<GlobalVariable, DataImport>;
  /** Reads of variables that may be undeclared when they run. */
  readonly checked: ReadonlySet<Variable>;
  /** Variables that are read, tested, removed or written into at a place where they may be undeclared. */
  readonly unproven: ReadonlySet<LocalVariable | GlobalVariable>;
  readonly diagnostics: readonly Diagnostic[];
}
