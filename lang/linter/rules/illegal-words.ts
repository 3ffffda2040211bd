// Words that have no meaning in HSL but look as if they had (hsl-language 2.3): a function called `new` or `use` cannot
// be told from a mistake by whoever reads the script, nor by an editor that colours it as one.

import type { LintContext } from '../rule.js';

const illegal = new Set(
  (
    'this self public protected struct clone final const goto namespace new interface in extends print trait assert ' +
    'finally lambda pass destroy export use'
  ).split(' '),
);

/** HSL9010. */
export function illegalWords(context: LintContext): void {
  context.visitAll(({ node, place }) => {
    if (node.kind !== 'FunctionDeclaration' && node.kind !== 'ClassDeclaration') return;
    if (!illegal.has(node.name.text)) return;
    const what = node.kind === 'ClassDeclaration' ? 'a class' : 'a function';
    context.report('HSL9010', place, node.name, { word: node.name.text, what });
  });
}
