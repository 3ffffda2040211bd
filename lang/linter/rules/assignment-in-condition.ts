// `if ($a = 1)` is nearly always a comparison with a letter missing. Parentheses of its own, or a `!` before it, say that
// the assignment is meant: published scripts test the result of a read that way.

import type { Expression } from '../../ast/nodes.js';
import type { LintContext } from '../rule.js';

/** HSL9005. */
export function assignmentInCondition(context: LintContext): void {
  context.visitAll(({ node, place }) => {
    if (node.kind !== 'If' && node.kind !== 'While' && node.kind !== 'For') return;
    if (node.test === undefined) return;
    for (const found of bareAssignments(node.test)) {
      const hint = 'To compare, write ==. If the assignment is meant, put parentheses around it.';
      context.report('HSL9005', place, found, {}, hint);
    }
  });
}

function bareAssignments(test: Expression): Expression[] {
  if (test.kind === 'Assign') return [test];
  if (test.kind === 'Logical') return [...bareAssignments(test.left), ...bareAssignments(test.right)];
  return [];
}
