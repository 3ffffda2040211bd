// What is known about a function while its body is walked. A variable comes into being when it is first named; names of
// functions and classes are hoisted before the walk (hoist.ts), so that order does not matter for them.

import type { Node } from '../ast/nodes.js';
import type { IncludeSite } from '../modules/module-graph.js';
import type { SourceFile, Span } from '../source/source-file.js';
import type {
  CapturedVariable,
  FunctionKind,
  GlobalVariable,
  LocalVariable,
  NameBinding,
  ResolvedClass,
  ResolvedFunction,
  VariableBinding,
} from './resolved.js';

/** The file being walked: an included one stands in the place of its include statement. */
export interface Place {
  readonly file: SourceFile;
  readonly includedFrom: readonly IncludeSite[];
}

/** A name of a function, class or namespace, and where it was declared. */
export interface DeclaredName {
  readonly binding: NameBinding;
  readonly place: Place;
  readonly span: Span;
}

/** The global variables and names of one module. */
export class ModuleScope {
  readonly globals: GlobalVariable[] = [];
  /** By this module's name for it; an imported one belongs to another module. */
  readonly variables = new Map<string, GlobalVariable>();
  /** Imported variables whose import statement has not been passed yet. */
  readonly notYetImported = new Map<string, { readonly place: Place; readonly node: Node }>();
  /** Names that other modules may import. */
  readonly names = new Map<string, DeclaredName>();

  constructor(
    readonly index: number,
    readonly file: SourceFile,
  ) {}

  /** The variable of that name, made when it is not there yet. */
  variable(name: string): GlobalVariable {
    return this.variables.get(name) ?? this.declare(name, false, false);
  }

  declare(name: string, isPredefined: boolean, isReadonly: boolean): GlobalVariable {
    const variable: GlobalVariable = {
      kind: 'global',
      name,
      module: this.index,
      slot: this.globals.length,
      isPredefined,
      isReadonly,
      isShared: isPredefined,
    };
    this.globals.push(variable);
    this.variables.set(name, variable);
    return variable;
  }
}

/** A record of the result while it is being filled in. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** A function of the result while its body has not been walked. */
export interface FunctionDraft extends Draft<ResolvedFunction> {
  locals: LocalVariable[];
  captures: (LocalVariable | CapturedVariable)[];
  declared: (ResolvedFunction | ResolvedClass)[];
}

/** One function, or a module's main code, while it is walked. */
export class FunctionScope {
  readonly bindings = new Map<string, VariableBinding>();
  /** Functions and classes declared here; main's are the module's. */
  readonly names: Map<string, DeclaredName>;
  hasThis: boolean;
  /** Loops around the statement being walked, and switches. */
  loops = 0;
  switches = 0;

  constructor(
    readonly fn: FunctionDraft,
    readonly module: ModuleScope,
    readonly parent: FunctionScope | undefined,
  ) {
    this.names = fn.kind === 'main' ? module.names : new Map();
    this.hasThis = fn.kind === 'method' || fn.kind === 'constructor';
  }

  get kind(): FunctionKind {
    return this.fn.kind;
  }

  get classOf(): ResolvedClass | undefined {
    return this.fn.classOf;
  }

  /** What `name` means here; undefined when it has not been named yet. */
  known(name: string): VariableBinding | undefined {
    return this.bindings.get(name) ?? (this.kind === 'main' ? this.module.variables.get(name) : undefined);
  }

  /** What `name` means here; a new variable of this function when it has not been named yet. */
  variable(name: string, file: SourceFile, span: Span): VariableBinding {
    const known = this.known(name);
    if (known !== undefined) return known;
    if (this.kind === 'main') return this.module.variable(name);
    return this.local(name, -1, file, span);
  }

  local(name: string, parameter: number, file: SourceFile, span: Span): LocalVariable {
    const variable: LocalVariable = {
      kind: 'local',
      name,
      index: this.fn.locals.length,
      parameter,
      captured: false,
      file,
      span,
    };
    this.fn.locals.push(variable);
    this.bindings.set(name, variable);
    return variable;
  }

  /** The declaration that a bare name reaches from here, walking outwards. */
  lookup(name: string): DeclaredName | undefined {
    const own = this.names.get(name);
    return own ?? this.parent?.lookup(name);
  }

  /** Every function and class name that can be used here, for suggestions. */
  *visibleNames(): Iterable<string> {
    yield* this.names.keys();
    if (this.parent !== undefined) yield* this.parent.visibleNames();
  }
}
