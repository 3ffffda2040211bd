// Finds the statements that name other files. Includes may stand anywhere, even in the body of an anonymous function
// deep inside an expression, so the whole tree is walked.

import type { ImportFile, ImportNamespace, ImportSymbols, Include, Node, Script } from '../ast/nodes.js';
import { forEachChild } from '../ast/walk.js';

export type LinkStatement = Include | ImportSymbols | ImportNamespace | ImportFile;

/** The statements of `script` that name other files, in the order of the text. */
export function findLinks(script: Script): LinkStatement[] {
  const found: LinkStatement[] = [];
  const visit = (node: Node) => {
    switch (node.kind) {
      case 'Include':
      case 'ImportSymbols':
      case 'ImportNamespace':
      case 'ImportFile':
        found.push(node);
        return;
      default:
        forEachChild(node, visit);
    }
  };
  visit(script);
  return found;
}
