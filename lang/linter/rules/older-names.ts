// Older names of library functions still work; new scripts should not spread them.

import type { Declaration } from '../../declare.js';
import type { LintContext } from '../rule.js';

/** HSL9009, for functions; unknown-option reports older names of options. */
export function olderNames(context: LintContext): void {
  context.visitAll(({ node, place }) => {
    let declaration: Declaration | undefined;
    if (node.kind === 'BuiltinReference') declaration = context.declarationOf(node.name);
    if (node.kind === 'NameReference') {
      const binding = context.program.names.get(node);
      if (binding?.kind === 'builtin') declaration = binding.declaration;
    }
    if (declaration?.kind !== 'builtin' || declaration.deprecated === undefined) return;
    const params = { what: 'the function', name: declaration.name, replacement: declaration.deprecated };
    context.report('HSL9009', place, node, params, `Use "${declaration.deprecated}".`);
  });
}
