// A variable that is only ever set. Left alone is what a script must name although it may not want it: parameters, loop
// variables, targets of a destructuring list, the variable of catch or barrier, and every name that begins with `_`.
//
// Variables of the main scope count only in hooks: elsewhere another file may import them.

import type { Node, Variable } from '../../ast/nodes.js';
import type { VariableBinding } from '../../resolver/resolved.js';
import type { Place } from '../../resolver/scope.js';
import type { LintContext } from '../rule.js';

/** HSL9004. */
export function unusedVariable(context: LintContext): void {
  const first = new Map<VariableBinding, { readonly node: Variable; readonly place: Place }>();
  const used = new Set<VariableBinding>();
  const isHook = context.environment.variables.length > 0;
  context.visitAll(({ node, place, around }) => {
    if (node.kind !== 'Variable') return;
    const binding = context.program.variables.get(node);
    if (binding === undefined) return;
    if (!isCandidate(binding, isHook) || node.name.startsWith('_') || !isOnlySet(node, around))
      used.add(binding);
    else if (!first.has(binding)) first.set(binding, { node, place });
  });
  for (const [binding, { node, place }] of first) {
    if (!used.has(binding)) context.report('HSL9004', place, node, { name: node.name });
  }
}

function isCandidate(binding: VariableBinding, isHook: boolean): boolean {
  if (binding.kind === 'local') return binding.parameter < 0 && !binding.captured;
  return isHook && binding.kind === 'global' && !binding.isShared && !binding.isPredefined;
}

function isOnlySet(node: Variable, around: readonly Node[]): boolean {
  const parent = around.at(-1);
  switch (parent?.kind) {
    case 'Assign':
      return parent.target === node;
    case 'CompoundAssign':
    case 'Increment':
      // `$n += 1;` alone tells nobody what $n is; as a part of something larger its value counts.
      return parent.target === node && isDiscarded(parent, around.at(-2));
    case 'Unset':
      return true;
    default:
      return false;
  }
}

function isDiscarded(node: Node, parent: Node | undefined): boolean {
  return parent?.kind === 'ExpressionStatement' || (parent?.kind === 'For' && parent.step === node);
}
