// Registers what a scope declares before its statements are walked: functions, classes and imports. They may be used
// before their place in the text, and blocks, loops and conditions around them make no difference (hsl-language 10.1, 14.2).

import type {
  ClassDeclaration,
  FunctionDeclaration,
  ImportFile,
  ImportNamespace,
  ImportSymbols,
  Name,
  Statement,
} from '../ast/nodes.js';
import type { IncludedScript, LoadedModule } from '../modules/module-graph.js';
import { didYouMean } from './did-you-mean.js';
import { whereIs } from './reporter.js';
import type { NameBinding } from './resolved.js';
import type { Resolver } from './resolver.js';
import type { FunctionScope, ModuleScope, Place } from './scope.js';

/** Registers the declarations among `statements`, those of included files too. */
export function hoist(
  resolver: Resolver,
  scope: FunctionScope,
  statements: readonly Statement[],
  place: Place,
): void {
  for (const statement of statements)
    hoistStatement(resolver, scope, statement, place, scope.kind === 'main');
}

function hoistStatement(
  resolver: Resolver,
  scope: FunctionScope,
  node: Statement,
  place: Place,
  atTopLevel: boolean,
): void {
  const inside = (statement: Statement) => hoistStatement(resolver, scope, statement, place, false);
  switch (node.kind) {
    case 'FunctionDeclaration':
      hoistFunction(resolver, scope, node, place);
      return;
    case 'ClassDeclaration':
      hoistClass(resolver, scope, node, place);
      return;
    case 'ImportSymbols':
    case 'ImportNamespace':
    case 'ImportFile':
      if (!atTopLevel) resolver.reporter.report('HSL2007', place, node, {});
      hoistImport(resolver, scope, node, place);
      return;
    case 'Include': {
      const included = resolver.graph.includes.get(node);
      if (included === undefined) return;
      for (const statement of included.script.body)
        hoistStatement(resolver, scope, statement, placeOf(included), atTopLevel);
      return;
    }
    case 'Block':
      node.body.forEach(inside);
      return;
    case 'If':
      inside(node.then);
      if (node.otherwise !== undefined) inside(node.otherwise);
      return;
    case 'For':
    case 'Foreach':
    case 'While':
    case 'Forever':
    case 'DebugPoint':
    case 'Barrier':
      inside(node.body);
      return;
    case 'Switch':
      for (const label of node.cases) label.body.forEach(inside);
      return;
    case 'Try':
      inside(node.body);
      inside(node.handler);
      return;
    default:
      return;
  }
}

/** The place of an included file's statements. */
export function placeOf(included: IncludedScript): Place {
  return { file: included.file, includedFrom: included.includedFrom };
}

function hoistFunction(
  resolver: Resolver,
  scope: FunctionScope,
  node: FunctionDeclaration,
  place: Place,
): void {
  const fn = resolver.draftFunction('function', node.name.text, node.code, scope, scope.classOf, place);
  scope.fn.declared.push(fn);
  declareName(resolver, scope, node.name, { kind: 'function', fn }, place);
}

function hoistClass(resolver: Resolver, scope: FunctionScope, node: ClassDeclaration, place: Place): void {
  const of = resolver.draftClass(node, scope, place);
  scope.fn.declared.push(of);
  declareName(resolver, scope, node.name, { kind: 'class', of }, place);
}

/** Makes `name` mean `binding` in `scope`; the first declaration of a name wins, a second one is reported. */
function declareName(
  resolver: Resolver,
  scope: FunctionScope,
  name: Name,
  binding: NameBinding,
  place: Place,
): void {
  const earlier = scope.names.get(name.text);
  if (earlier === undefined) {
    scope.names.set(name.text, { binding, place, span: name.span });
    return;
  }
  if (earlier.binding.kind === 'unknown' || binding.kind === 'unknown') return;
  const what = `${describeBinding(earlier.binding)} (${whereIs(earlier.place, earlier.span, place)})`;
  resolver.reporter.report('HSL2008', place, name, { name: name.text, what });
}

/** `a function`, `an imported namespace`: for messages. */
export function describeBinding(binding: NameBinding): string {
  switch (binding.kind) {
    case 'function':
      return 'a function';
    case 'class':
    case 'nativeClass':
      return 'a class';
    case 'builtin':
      return 'a builtin';
    case 'namespace':
      return 'an imported namespace';
    case 'unknown':
      return 'an unknown name';
  }
}

function hoistImport(
  resolver: Resolver,
  scope: FunctionScope,
  node: ImportSymbols | ImportNamespace | ImportFile,
  place: Place,
): void {
  if (node.kind === 'ImportFile') {
    hoistDataImport(resolver, scope, node, place);
    return;
  }
  const loaded = resolver.graph.imports.get(node);
  const from = loaded === undefined ? undefined : resolver.scopeOf(loaded);
  if (node.kind === 'ImportNamespace') {
    const binding: NameBinding =
      from === undefined ? { kind: 'unknown' } : { kind: 'namespace', module: from.index };
    declareName(resolver, scope, node.local, binding, place);
    return;
  }
  for (const symbol of node.symbols) {
    const { name, local } = symbol;
    if (symbol.isVariable) {
      if (isTaken(resolver, scope.module, local, place)) continue;
      const variable = from === undefined ? undefined : resolver.exportedVariable(from, name.text);
      if (variable !== undefined) {
        variable.isShared = true;
        scope.module.variables.set(local.text, variable);
      } else {
        if (from !== undefined) reportMissing(resolver, from, loaded!, name, true, place);
        resolver.everSet.add(scope.module.variable(local.text));
      }
      scope.module.notYetImported.set(local.text, { place, node: local });
    } else {
      const exported = from?.names.get(name.text);
      if (from !== undefined && exported === undefined)
        reportMissing(resolver, from, loaded!, name, false, place);
      declareName(resolver, scope, local, exported?.binding ?? { kind: 'unknown' }, place);
    }
  }
}

function hoistDataImport(resolver: Resolver, scope: FunctionScope, node: ImportFile, place: Place): void {
  const { name, span } = node.variable;
  if (isTaken(resolver, scope.module, { kind: 'Name', text: name, span }, place)) return;
  const variable = scope.module.variable(name);
  variable.isShared = true;
  resolver.everSet.add(variable);
  resolver.variables.set(node.variable, variable);
  const data = resolver.graph.data.get(node);
  if (data !== undefined) resolver.data.set(variable, data);
  scope.module.notYetImported.set(name, { place, node: node.variable });
}

/** Reports an imported variable whose name the importing module already uses. */
function isTaken(resolver: Resolver, module: ModuleScope, local: Name, place: Place): boolean {
  const earlier = module.variables.get(local.text);
  if (earlier === undefined) return false;
  const what = earlier.isPredefined ? 'a predefined variable' : 'an imported variable';
  resolver.reporter.report('HSL2008', place, local, { name: `$${local.text}`, what }, 'Rename it with "as"');
  return true;
}

function reportMissing(
  resolver: Resolver,
  from: ModuleScope,
  loaded: LoadedModule,
  name: Name,
  isVariable: boolean,
  place: Place,
): void {
  const candidates = isVariable ? resolver.exportedVariables(from) : [...from.names.keys()];
  resolver.reporter.report(
    'HSL3004',
    place,
    name,
    {
      module: loaded.file.name,
      what: isVariable ? 'variable' : 'function or class',
      name: isVariable ? `$${name.text}` : name.text,
    },
    didYouMean(name.text, candidates, isVariable ? '$' : ''),
  );
}
