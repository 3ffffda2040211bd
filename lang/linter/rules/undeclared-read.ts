// A variable that is set on some ways to a place and read there: an exception on the other ways. What no way sets is an
// error of the compiler already; what other functions may set (`global`, closures) cannot be judged here.

import type { FunctionCode } from '../../ast/nodes.js';
import type { VariableBinding } from '../../resolver/resolved.js';
import type { LintContext } from '../rule.js';

/** HSL9011. */
export function undeclaredRead(context: LintContext): void {
  const reported = new Set<VariableBinding>();
  const { checked, variables, diagnostics } = context.program;
  const refused = new Set(diagnostics.map((one) => one.span));
  context.visitAll(({ node, place, around }) => {
    if (node.kind !== 'Variable' || !checked.has(node) || refused.has(node.span)) return;
    const binding = variables.get(node);
    const isMain = !around.some((outer): outer is FunctionCode => outer.kind === 'FunctionCode');
    const isOurs =
      binding?.kind === 'local'
        ? !binding.captured
        : binding?.kind === 'global' && isMain && !binding.isShared;
    if (binding === undefined || !isOurs || reported.has(binding)) return;
    reported.add(binding);
    const hint = 'Set it before, on every way that leads here, or use isset or ??.';
    context.report('HSL9011', place, node, { name: node.name }, hint);
  });
}
