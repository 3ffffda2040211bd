// A function or class with a builtin's name takes its place everywhere in the script, also in calls that were written
// with the builtin in mind. That is allowed (hsl-language 10.1), and worth knowing.

import type { LintContext } from '../rule.js';

/** HSL9006. An import says in its own text what it brings in, so it is left alone. */
export function shadowedBuiltin(context: LintContext): void {
  context.visitAll(({ node, place, around }) => {
    if (node.kind !== 'FunctionDeclaration' && node.kind !== 'ClassDeclaration') return;
    const name = node.name.text;
    const declaration = context.declarationOf(name);
    if (declaration === undefined) return;
    // A function inside a function is visible only there.
    if (around.some((outer) => outer.kind === 'FunctionCode')) return;
    const what = node.kind === 'ClassDeclaration' ? 'the class' : 'the function';
    const hint =
      declaration.kind === 'builtin' ? `builtin ${name}(...) still calls the original.` : undefined;
    context.report('HSL9006', place, node.name, { what, name }, hint);
  });
}
