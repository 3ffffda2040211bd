// Functions of every kind: their parameters, what closures capture, and the walk into their bodies.

import type { FunctionCode, Parameter, Variable } from '../ast/nodes.js';
import { hoist } from './hoist.js';
import type { ResolvedFunction, VariableBinding } from './resolved.js';
import { type FunctionDraft, FunctionScope } from './scope.js';
import { walkStatements } from './statements.js';
import type { Walk } from './walk.js';

/** Walks the body of a drafted function that is declared in `walk.scope`. */
export function walkFunction(walk: Walk, fn: ResolvedFunction, code: FunctionCode): void {
  const { resolver, place } = walk;
  const scope = new FunctionScope(fn as FunctionDraft, walk.scope.module, walk.scope);
  const inside: Walk = { resolver, scope, place };
  declareParameters(inside, code.parameters);
  for (const variable of code.captures ?? []) capture(walk, inside, variable);
  hoist(resolver, scope, code.body.body, place);
  walkStatements(inside, code.body.body);
  resolver.walked.push({ scope, body: code, place });
}

function declareParameters({ resolver, scope, place }: Walk, parameters: readonly Parameter[]): void {
  const { reporter } = resolver;
  let optional = false;
  parameters.forEach((parameter, index) => {
    const { variable, initial, isRest } = parameter;
    const { name } = variable;
    if (name === 'this') reporter.report('HSL2019', place, variable, { what: 'a parameter' });
    else if (scope.bindings.has(name)) reporter.report('HSL2010', place, variable, { name });

    if (isRest && index < parameters.length - 1)
      reporter.report('HSL2012', place, parameters[index + 1]!, { name });
    if (isRest && initial !== undefined) reporter.report('HSL2026', place, initial, { name });
    if (initial === undefined && !isRest && optional) reporter.report('HSL2011', place, parameter, { name });
    if (initial !== undefined) {
      optional = true;
      const value = resolver.constant(initial, `the default of $${name}`, place);
      if (value !== undefined) resolver.constants.set(initial, value);
    }

    const local = scope.local(name, index, place.file, variable.span);
    resolver.variables.set(variable, local);
    resolver.everSet.add(local);
  });
}

/** `closure ($x)`: both sides share one cell; what is captured from a main scope is the global itself. */
function capture(outside: Walk, inside: Walk, node: Variable): void {
  const { resolver, place } = outside;
  const { scope } = inside;
  const { name } = node;
  if (name === 'this') {
    if (!outside.scope.hasThis) resolver.reporter.report('HSL2018', place, node, {});
    scope.hasThis = true;
    scope.fn.capturesThis = true;
    resolver.variables.set(node, { kind: 'this' });
    return;
  }
  const earlier = scope.bindings.get(name);
  if (earlier !== undefined) {
    const what = earlier.kind === 'local' ? 'a parameter' : 'in the list';
    resolver.reporter.report('HSL2034', place, node, { name, what });
    return;
  }
  const outer: VariableBinding = outside.scope.variable(name, place.file, node.span);
  resolver.variables.set(node, outer);
  switch (outer.kind) {
    case 'global':
      outer.isShared = true;
      scope.bindings.set(name, outer);
      break;
    case 'local':
    case 'captured': {
      if (outer.kind === 'local') outer.captured = true;
      const index = scope.fn.captures.length;
      scope.fn.captures.push(outer);
      scope.bindings.set(name, { kind: 'captured', name, index });
      break;
    }
    case 'this':
      break;
  }
}
