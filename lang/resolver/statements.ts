// The walk over statements: placement rules, and which names each statement sets.

import type { ClassDeclaration, Global, Statement, Variable } from '../ast/nodes.js';
import { walkExpression } from './expressions.js';
import { walkFunction } from './functions.js';
import { bindVariable, setVariable, walkTarget } from './targets.js';
import type { Walk } from './walk.js';

/** Walks statements in order. */
export function walkStatements(walk: Walk, statements: readonly Statement[]): void {
  for (const statement of statements) walkStatement(walk, statement);
}

function walkStatement(walk: Walk, node: Statement): void {
  const { resolver, scope, place } = walk;
  const { reporter } = resolver;
  switch (node.kind) {
    case 'Empty':
      return;
    case 'Block':
      walkStatements(walk, node.body);
      return;
    case 'Echo':
    case 'Throw':
      walkExpression(walk, node.value);
      return;
    case 'ExpressionStatement':
      walkExpression(walk, node.expression);
      return;
    case 'If':
      walkExpression(walk, node.test);
      walkStatement(walk, node.then);
      if (node.otherwise !== undefined) walkStatement(walk, node.otherwise);
      return;
    case 'For':
      if (node.init !== undefined) walkExpression(walk, node.init);
      if (node.test !== undefined) walkExpression(walk, node.test);
      if (node.step !== undefined) walkExpression(walk, node.step);
      walkLoopBody(walk, node.body);
      return;
    case 'Foreach':
      walkExpression(walk, node.iterable);
      if (node.key !== undefined) walkTarget(walk, node.key, 'assigned');
      walkTarget(walk, node.value, 'assigned');
      walkLoopBody(walk, node.body);
      return;
    case 'While':
      walkExpression(walk, node.test);
      walkLoopBody(walk, node.body);
      return;
    case 'Forever':
      walkLoopBody(walk, node.body);
      return;
    case 'Switch':
      walkExpression(walk, node.subject);
      scope.switches++;
      for (const label of node.cases) {
        if (label.test !== undefined) walkExpression(walk, label.test);
        walkStatements(walk, label.body);
      }
      scope.switches--;
      return;
    case 'Break':
      if (scope.loops === 0 && scope.switches === 0)
        reporter.report('HSL2003', place, node, { keyword: 'break', orSwitch: ' or switch' });
      return;
    case 'Continue':
      if (scope.loops === 0) reporter.report('HSL2003', place, node, { keyword: 'continue', orSwitch: '' });
      return;
    case 'Return':
      if (node.value !== undefined) walkExpression(walk, node.value);
      return;
    case 'Try':
      walkStatements(walk, node.body.body);
      setVariable(walk, node.variable, 'assigned');
      walkStatements(walk, node.handler.body);
      return;
    case 'Barrier':
      walkExpression(walk, node.name);
      if (node.variable !== undefined) {
        const binding = setVariable(walk, node.variable, 'assigned');
        if (binding !== undefined) resolver.everUnset.add(binding);
      }
      walkStatements(walk, node.body.body);
      return;
    case 'Global':
      walkGlobal(walk, node);
      return;
    case 'FunctionDeclaration': {
      const fn = resolver.functions.get(node.code);
      if (fn !== undefined) walkFunction(walk, fn, node.code);
      return;
    }
    case 'ClassDeclaration':
      walkClass(walk, node);
      return;
    case 'Include': {
      const included = resolver.included(node);
      if (included !== undefined)
        walkStatements({ resolver, scope, place: included.place }, included.script.body);
      return;
    }
    case 'ImportSymbols':
      for (const symbol of node.symbols)
        if (symbol.isVariable) scope.module.notYetImported.delete(symbol.local.text);
      return;
    case 'ImportFile':
      scope.module.notYetImported.delete(node.variable.name);
      return;
    case 'ImportNamespace':
      return;
    case 'DebugPoint':
      walkStatement(walk, node.body);
      return;
  }
}

function walkLoopBody(walk: Walk, body: Statement): void {
  const { scope } = walk;
  scope.loops++;
  walkStatement(walk, body);
  scope.loops--;
}

function walkGlobal(walk: Walk, node: Global): void {
  const { resolver, scope, place } = walk;
  if (scope.kind === 'main') {
    resolver.reporter.report('HSL2006', place, node, {});
    for (const variable of node.variables) bindVariable(walk, variable);
    return;
  }
  for (const variable of node.variables) bindGlobal(walk, variable);
}

function bindGlobal({ resolver, scope, place }: Walk, node: Variable): void {
  if (node.name === 'this') {
    resolver.reporter.report('HSL2019', place, node, { what: 'a global variable' });
    return;
  }
  const variable = scope.module.variable(node.name);
  const earlier = scope.bindings.get(node.name);
  if (earlier !== undefined && earlier !== variable)
    resolver.reporter.report('HSL2009', place, node, { name: node.name });
  variable.isShared = true;
  scope.bindings.set(node.name, variable);
  resolver.variables.set(node, variable);
  // Some other function may set it through a `global` of its own.
  resolver.everSet.add(variable);
}

function walkClass(walk: Walk, node: ClassDeclaration): void {
  for (const member of node.members) {
    if (member.kind === 'FieldMember') continue;
    const fn = walk.resolver.functions.get(member.code);
    if (fn !== undefined) walkFunction(walk, fn, member.code);
  }
}
