// The first pass that knows what names mean. Per module, in order of execution: names are hoisted (hoist.ts), statements
// and expressions are walked and every name is looked up once (statements.ts, expressions.ts, targets.ts, names.ts), then
// the flow of control shows which variables are surely set where they are read (flow.ts).

import type {
  ClassDeclaration,
  FunctionCode,
  Include,
  NameReference,
  Node,
  Script,
  StaticReference,
  Variable,
} from '../ast/nodes.js';
import { evaluateConstant } from '../compiler/fold.js';
import type { Environment } from '../declare.js';
import type { PatternEngine } from '../host.js';
import type { DataImport, LoadedModule, ModuleGraph } from '../modules/module-graph.js';
import type { SourceFile } from '../source/source-file.js';
import type { Value } from '../values/value.js';
import { declareMembers } from './classes.js';
import { analyseFlow } from './flow.js';
import { hoist } from './hoist.js';
import { Reporter } from './reporter.js';
import type {
  FunctionKind,
  GlobalVariable,
  LocalVariable,
  NameBinding,
  ResolvedClass,
  ResolvedField,
  ResolvedFunction,
  ResolvedMethod,
  ResolvedModule,
  ResolvedProgram,
  StaticBinding,
  VariableBinding,
} from './resolved.js';
import { type Draft, type FunctionDraft, FunctionScope, ModuleScope, type Place } from './scope.js';
import { walkStatements } from './statements.js';

/** Finds out what every name in the loaded files means, and reports what means nothing. */
export function resolve(
  graph: ModuleGraph,
  environment: Environment,
  patterns: PatternEngine,
): ResolvedProgram {
  const resolver = new Resolver(graph, environment, patterns);
  const modules = graph.modules.map((loaded) =>
    resolver.resolveModule(loaded, loaded === graph.modules.at(-1)),
  );
  return {
    graph,
    modules,
    variables: resolver.variables,
    names: resolver.names,
    statics: resolver.statics,
    functions: resolver.functions,
    classes: resolver.classes,
    constants: resolver.constants,
    data: resolver.data,
    checked: resolver.checked,
    unproven: resolver.unproven,
    diagnostics: resolver.reporter.diagnostics,
  };
}

/** A function whose body has been walked, and where it stands: what the flow analysis goes through. */
export interface WalkedFunction {
  readonly scope: FunctionScope;
  readonly body: FunctionCode | Script;
  readonly place: Place;
}

/** The tables while they are being filled, and what the passes share. */
export class Resolver {
  readonly reporter = new Reporter();
  readonly variables = new Map<Variable, VariableBinding>();
  readonly names = new Map<NameReference, NameBinding>();
  readonly statics = new Map<StaticReference, StaticBinding>();
  readonly functions = new Map<FunctionCode, ResolvedFunction>();
  readonly classes = new Map<ClassDeclaration, ResolvedClass>();
  readonly constants = new Map<Node, Value>();
  readonly data = new Map<GlobalVariable, DataImport>();
  readonly checked = new Set<Variable>();
  readonly unproven = new Set<LocalVariable | GlobalVariable>();
  /** Variables that something assigns. */
  readonly everSet = new Set<VariableBinding>();
  /** Variables that something may make undeclared again. */
  readonly everUnset = new Set<VariableBinding>();
  /** Of the module being resolved. */
  readonly walked: WalkedFunction[] = [];
  readonly #scopes = new Map<LoadedModule, ModuleScope>();
  readonly #scopesByIndex: ModuleScope[] = [];

  constructor(
    readonly graph: ModuleGraph,
    readonly environment: Environment,
    readonly patterns: PatternEngine,
  ) {}

  resolveModule(loaded: LoadedModule, isEntry: boolean): ResolvedModule {
    const module = new ModuleScope(loaded.index, loaded.file);
    this.#scopes.set(loaded, module);
    this.#scopesByIndex[loaded.index] = module;
    if (isEntry)
      for (const variable of this.environment.variables)
        this.everSet.add(module.declare(variable.name, true, variable.readonly));

    const place: Place = { file: loaded.file, includedFrom: [] };
    const main = this.#draft('main', '', undefined, loaded.script.span, loaded.file, loaded.index, undefined);
    const scope = new FunctionScope(main, module, undefined);
    hoist(this, scope, loaded.script.body, place);
    walkStatements({ resolver: this, scope, place }, loaded.script.body);
    this.walked.push({ scope, body: loaded.script, place });
    for (const walked of this.walked) analyseFlow(this, walked);
    this.walked.length = 0;
    return {
      index: loaded.index,
      file: loaded.file,
      script: loaded.script,
      globals: module.globals,
      main,
    };
  }

  scopeOf(loaded: LoadedModule): ModuleScope | undefined {
    return this.#scopes.get(loaded);
  }

  moduleScope(index: number): ModuleScope {
    return this.#scopesByIndex[index]!;
  }

  /** A variable of another module, if something there sets it. */
  exportedVariable(from: ModuleScope, name: string): GlobalVariable | undefined {
    const variable = from.variables.get(name);
    if (variable === undefined) return undefined;
    return variable.module !== from.index || this.everSet.has(variable) ? variable : undefined;
  }

  exportedVariables(from: ModuleScope): string[] {
    return [...from.variables.keys()].filter((name) => this.exportedVariable(from, name) !== undefined);
  }

  /** A function whose body is walked later. */
  draftFunction(
    kind: FunctionKind,
    name: string,
    code: FunctionCode,
    scope: FunctionScope,
    classOf: ResolvedClass | undefined,
    place: Place,
  ): FunctionDraft {
    const fn = this.#draft(kind, name, code, code.span, place.file, scope.module.index, classOf);
    this.functions.set(code, fn);
    return fn;
  }

  /** A class with its members; their bodies are walked later. */
  draftClass(node: ClassDeclaration, scope: FunctionScope, place: Place): ResolvedClass {
    const fields = new Map<string, ResolvedField>();
    const methods = new Map<string, ResolvedMethod>();
    const of: Draft<ResolvedClass> = {
      kind: 'class',
      name: node.name.text,
      module: scope.module.index,
      file: place.file,
      node,
      fields,
      methods,
      constructorOf: undefined,
    };
    this.classes.set(node, of);
    of.constructorOf = declareMembers(this, of, fields, methods, scope, place);
    return of;
  }

  /** The value of an expression that must be constant; what hinders it is reported. */
  constant(node: Node & { readonly kind: string }, what: string, place: Place): Value | undefined {
    const result = evaluateConstant(node as Parameters<typeof evaluateConstant>[0], this.patterns);
    switch (result.kind) {
      case 'value':
        return result.value;
      case 'notConstant':
        this.reporter.report('HSL2013', place, result.node, { what, found: result.found });
        return undefined;
      case 'fault':
        this.reporter.report('HSL2014', place, result.node, { what, why: result.message });
        return undefined;
    }
  }

  included(node: Include): { readonly script: Script; readonly place: Place } | undefined {
    const included = this.graph.includes.get(node);
    if (included === undefined) return undefined;
    return { script: included.script, place: { file: included.file, includedFrom: included.includedFrom } };
  }

  #draft(
    kind: FunctionKind,
    name: string,
    code: FunctionCode | undefined,
    span: ResolvedFunction['span'],
    file: SourceFile,
    module: number,
    classOf: ResolvedClass | undefined,
  ): FunctionDraft {
    return {
      kind,
      name,
      module,
      file,
      code,
      span,
      classOf,
      locals: [],
      captures: [],
      capturesThis: false,
      isGenerator: false,
      declared: [],
    };
  }
}
