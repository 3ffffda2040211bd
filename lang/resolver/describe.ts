// Nodes in words, for messages.

import type { Node } from '../ast/nodes.js';

const words: Partial<Record<Node['kind'], string>> = {
  Literal: 'a literal',
  Template: 'a string with variables',
  PatternLiteral: 'a pattern',
  Variable: 'a variable',
  NameReference: 'the name of a function or class',
  BuiltinReference: 'the name of a builtin',
  StaticReference: 'a static member',
  ArrayLiteral: 'an array',
  AnonymousFunction: 'a function',
  Assign: 'an assignment',
  CompoundAssign: 'an assignment',
  Destructure: 'an assignment',
  Increment: 'an assignment',
  Call: 'a call',
  Subscript: 'an element',
  Append: 'an element',
  Slice: 'a slice',
  Member: 'a property',
  Yield: 'a yield',
  Match: 'a match',
  Cache: 'a cached call',
  Isset: 'an isset',
  Unset: 'an unset',
  Spread: 'a spread',
};

/** What a node is, with its article: `a call`. */
export function describe(node: Node): string {
  if (node.kind === 'Parenthesized') return describe(node.expression);
  return words[node.kind] ?? 'an expression';
}
