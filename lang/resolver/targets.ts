// Variables, and everything that can stand left of an assignment.

import type { Assignable, Expression, Isset, StaticReference, Unset, Variable } from '../ast/nodes.js';
import { describe } from './describe.js';
import { walkExpression } from './expressions.js';
import { resolveStatic } from './names.js';
import type { VariableBinding } from './resolved.js';
import type { Walk } from './walk.js';

/** What happens to a target, as messages say it. `changed` needs an old value, so it cannot bring a variable into being. */
export type Change = 'assigned' | 'changed' | 'removed';

/** Looks a variable up, making it known in its scope; undefined when it cannot mean anything (reported). */
export function bindVariable(walk: Walk, node: Variable): VariableBinding | undefined {
  const { resolver, scope, place } = walk;
  const { name } = node;
  if (name === 'this') {
    if (!scope.hasThis) {
      resolver.reporter.report('HSL2018', place, node, {});
      return undefined;
    }
    const binding: VariableBinding = { kind: 'this' };
    resolver.variables.set(node, binding);
    return binding;
  }
  if (scope.kind === 'main') reportEarlyUse(walk, name);
  const binding = scope.variable(name, place.file, node.span);
  resolver.variables.set(node, binding);
  return binding;
}

/** A variable used above the import that brings its name is another variable of the same name: a clash. */
function reportEarlyUse({ resolver, scope }: Walk, name: string): void {
  const pending = scope.module.notYetImported.get(name);
  if (pending === undefined) return;
  scope.module.notYetImported.delete(name);
  resolver.reporter.report(
    'HSL2008',
    pending.place,
    pending.node,
    { name: `$${name}`, what: 'a variable used above this import' },
    'Rename the imported one with "as", or move the import up',
  );
}

/** A variable that is written as a whole. */
export function setVariable(walk: Walk, node: Variable, change: Change): VariableBinding | undefined {
  const { resolver, place } = walk;
  if (node.name === 'this') {
    resolver.reporter.report('HSL2019', place, node, { what: change });
    return undefined;
  }
  const binding = bindVariable(walk, node);
  if (binding === undefined) return undefined;
  refuseReadonly(walk, node, binding, change);
  if (change === 'assigned') resolver.everSet.add(binding);
  if (change === 'removed') resolver.everUnset.add(binding);
  return binding;
}

function refuseReadonly(
  { resolver, place }: Walk,
  node: Variable,
  binding: VariableBinding,
  change: Change,
): void {
  if (binding.kind === 'global' && binding.isReadonly)
    resolver.reporter.report('HSL2017', place, node, { name: node.name, what: change });
}

/** The left side of an assignment, a loop variable, an operand of `++`. */
export function walkTarget(walk: Walk, node: Assignable, change: Change): void {
  switch (node.kind) {
    case 'Variable':
      setVariable(walk, node, change);
      return;
    case 'StaticReference':
      setStatic(walk, node, change);
      return;
    case 'Append':
      if (change === 'changed') walk.resolver.reporter.report('HSL2035', walk.place, node, { what: change });
      walkContainer(walk, node.object, change, true);
      return;
    case 'Subscript':
      walkContainer(walk, node.object, change, true);
      walkExpression(walk, node.index);
      return;
    case 'Member':
      walkContainer(walk, node.object, change, false);
      return;
    case 'Slice':
      walkContainer(walk, node.object, change, true);
      for (const bound of [node.first, node.last, node.step])
        if (bound !== undefined) walkExpression(walk, bound);
      return;
  }
}

/**
 * What an element is written into. `isElement` tells `$x[...]` from `$x->name`: an object in a read-only variable has
 * properties that may be written, a read-only array has no such elements.
 */
function walkContainer(walk: Walk, node: Expression, change: Change, isElement: boolean): void {
  switch (node.kind) {
    case 'Variable': {
      const binding = bindVariable(walk, node);
      if (binding === undefined) return;
      if (isElement) refuseReadonly(walk, node, binding, change);
      if (change === 'assigned') walk.resolver.everSet.add(binding);
      return;
    }
    case 'StaticReference':
      setStatic(walk, node, change);
      return;
    case 'Subscript':
      walkContainer(walk, node.object, change, isElement);
      walkExpression(walk, node.index);
      return;
    case 'Append':
      if (change !== 'assigned') walk.resolver.reporter.report('HSL2035', walk.place, node, { what: change });
      walkContainer(walk, node.object, change, isElement);
      return;
    case 'Member':
      walkContainer(walk, node.object, change, false);
      return;
    case 'Parenthesized':
      walkContainer(walk, node.expression, change, isElement);
      return;
    default:
      walkExpression(walk, node);
  }
}

function setStatic(walk: Walk, node: StaticReference, change: Change): void {
  const { resolver, scope, place } = walk;
  const binding = resolveStatic(walk, node);
  switch (binding.kind) {
    case 'unknown':
      return;
    case 'staticField':
      if (binding.field.isReadonly && scope.classOf !== binding.of)
        resolver.reporter.report('HSL2017', place, node.member, {
          name: node.member.text,
          what: `${change} outside the class ${binding.of.name}`,
        });
      return;
    case 'variable':
      if (change === 'assigned') resolver.everSet.add(binding.variable);
      if (change === 'removed') resolver.everUnset.add(binding.variable);
      return;
    default:
      resolver.reporter.report('HSL2028', place, node, {
        what: `the function ${node.owner.text}::${node.member.text}`,
      });
  }
}

/** `isset(path)` and `unset(path)`: the path begins at a variable. */
export function walkPath(walk: Walk, node: Isset | Unset): void {
  const { resolver, place } = walk;
  const keyword = node.kind === 'Isset' ? 'isset' : 'unset';
  const path = unwrap(node.path);
  if (!isPath(path, node.kind === 'Unset')) {
    const found = describe(path);
    resolver.reporter.report('HSL2036', place, path, { keyword, found });
    walkExpression(walk, path);
    return;
  }
  if (node.kind === 'Unset') walkTarget(walk, path, 'removed');
  else walkExpression(walk, path);
}

function unwrap(node: Expression): Expression {
  return node.kind === 'Parenthesized' ? unwrap(node.expression) : node;
}

/** A variable, static variable, or elements and properties of one. A slice only as the last step, where allowed. */
function isPath(node: Expression, mayBeSlice: boolean): node is Assignable {
  switch (node.kind) {
    case 'Variable':
      return true;
    case 'StaticReference':
      return node.isVariable;
    case 'Subscript':
    case 'Member':
      return isPath(unwrap(node.object), false);
    case 'Slice':
      return mayBeSlice && isPath(unwrap(node.object), false);
    default:
      return false;
  }
}
