// What is imported and never named again. In a module that only collects others for its importers that is the point, so
// a file that does nothing but import is left alone.

import type { ImportedSymbol, ImportFile, ImportNamespace } from '../../ast/nodes.js';
import type { Place } from '../../resolver/scope.js';
import type { LintContext } from '../rule.js';

interface Import {
  readonly node: ImportedSymbol | ImportNamespace | ImportFile;
  readonly place: Place;
  readonly isVariable: boolean;
  readonly local: string;
  readonly what: string;
}

/** HSL9012. */
export function unusedImport(context: LintContext): void {
  const imports: Import[] = [];
  const names = new Set<string>();
  const variables = new Set<string>();
  context.visitAll(({ node, place, around }) => {
    switch (node.kind) {
      case 'ImportedSymbol': {
        const local = node.local.text;
        const what = node.isVariable ? `$${local}` : `"${local}"`;
        imports.push({ node, place, isVariable: node.isVariable, local, what });
        return;
      }
      case 'ImportNamespace':
        imports.push({
          node,
          place,
          isVariable: false,
          local: node.local.text,
          what: `the namespace ${node.local.text}`,
        });
        return;
      case 'ImportFile': {
        const local = node.variable.name;
        imports.push({ node, place, isVariable: true, local, what: `$${local}` });
        return;
      }
      case 'NameReference':
        names.add(node.name);
        return;
      case 'StaticReference':
        names.add(node.owner.text);
        return;
      case 'Variable':
        if (around.at(-1)?.kind !== 'ImportFile') variables.add(node.name);
        return;
    }
  });
  if (onlyImports(context)) return;
  for (const { node, place, isVariable, local, what } of imports) {
    if (!(isVariable ? variables : names).has(local)) context.report('HSL9012', place, node, { what });
  }
}

function onlyImports(context: LintContext): boolean {
  return context.module.script.body.every((statement) =>
    ['ImportSymbols', 'ImportNamespace', 'ImportFile', 'Include', 'Empty'].includes(statement.kind),
  );
}
