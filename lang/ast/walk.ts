// The children of a node, in the order they are written. Every pass that does not care about most kinds of nodes
// (the linter's rules, measuring the height of a tree, finding a node by its place) goes through here.

import type { Node } from './nodes.js';

/** Calls `visit` for each child of `node`, in source order. */
export function forEachChild(node: Node, visit: (child: Node) => void): void {
  const maybe = (child: Node | undefined) => {
    if (child !== undefined) visit(child);
  };
  const each = (children: readonly Node[]) => {
    for (const child of children) visit(child);
  };
  switch (node.kind) {
    case 'Script':
    case 'Block':
      each(node.body);
      return;
    case 'Empty':
    case 'Break':
    case 'Continue':
    case 'Literal':
    case 'PatternLiteral':
    case 'Variable':
    case 'NameReference':
    case 'BuiltinReference':
    case 'Name':
    case 'PlainString':
      return;
    case 'Echo':
    case 'Throw':
    case 'Spread':
      visit(node.value);
      return;
    case 'Return':
      maybe(node.value);
      return;
    case 'If':
      visit(node.test);
      visit(node.then);
      maybe(node.otherwise);
      return;
    case 'For':
      maybe(node.init);
      maybe(node.test);
      maybe(node.step);
      visit(node.body);
      return;
    case 'Foreach':
      visit(node.iterable);
      maybe(node.key);
      visit(node.value);
      visit(node.body);
      return;
    case 'While':
      visit(node.test);
      visit(node.body);
      return;
    case 'Forever':
    case 'DebugPoint':
      visit(node.body);
      return;
    case 'Switch':
      visit(node.subject);
      each(node.cases);
      return;
    case 'SwitchCase':
      maybe(node.test);
      each(node.body);
      return;
    case 'Try':
      visit(node.body);
      visit(node.variable);
      visit(node.handler);
      return;
    case 'Barrier':
      visit(node.name);
      maybe(node.variable);
      visit(node.body);
      return;
    case 'Global':
      each(node.variables);
      return;
    case 'FunctionDeclaration':
      visit(node.name);
      visit(node.code);
      return;
    case 'ClassDeclaration':
      visit(node.name);
      each(node.members);
      return;
    case 'ConstructorMember':
    case 'AnonymousFunction':
      visit(node.code);
      return;
    case 'MethodMember':
      visit(node.name);
      visit(node.code);
      return;
    case 'FieldMember':
      visit(node.name);
      maybe(node.initial);
      return;
    case 'Include':
      visit(node.path);
      return;
    case 'ImportSymbols':
      each(node.symbols);
      visit(node.from);
      return;
    case 'ImportedSymbol':
      visit(node.name);
      visit(node.local);
      return;
    case 'ImportNamespace':
      visit(node.local);
      visit(node.from);
      return;
    case 'ImportFile':
      visit(node.variable);
      visit(node.from);
      maybe(node.options);
      return;
    case 'ExpressionStatement':
    case 'Parenthesized':
      visit(node.expression);
      return;
    case 'FunctionCode':
      each(node.parameters);
      if (node.captures !== undefined) each(node.captures);
      visit(node.body);
      return;
    case 'Parameter':
      visit(node.variable);
      maybe(node.initial);
      return;
    case 'Template':
      for (const part of node.parts) if (typeof part !== 'string') visit(part);
      return;
    case 'StaticReference':
      visit(node.owner);
      visit(node.member);
      return;
    case 'ArrayLiteral':
      each(node.items);
      return;
    case 'ArrayItem':
      maybe(node.key);
      visit(node.value);
      return;
    case 'Unary':
      visit(node.operand);
      return;
    case 'Binary':
    case 'Logical':
    case 'Coalesce':
      visit(node.left);
      visit(node.right);
      return;
    case 'Conditional':
      visit(node.test);
      maybe(node.then);
      visit(node.otherwise);
      return;
    case 'Assign':
    case 'CompoundAssign':
      visit(node.target);
      visit(node.value);
      return;
    case 'Destructure':
      each(node.targets);
      visit(node.value);
      return;
    case 'DestructureTarget':
      maybe(node.key);
      visit(node.target);
      maybe(node.initial);
      return;
    case 'Increment':
      visit(node.target);
      return;
    case 'Call':
      visit(node.callee);
      each(node.args);
      return;
    case 'Subscript':
      visit(node.object);
      visit(node.index);
      return;
    case 'Append':
      visit(node.object);
      return;
    case 'Slice':
      visit(node.object);
      maybe(node.first);
      maybe(node.last);
      maybe(node.step);
      return;
    case 'Member':
      visit(node.object);
      visit(node.name);
      return;
    case 'Isset':
    case 'Unset':
      visit(node.path);
      return;
    case 'Yield':
      maybe(node.key);
      maybe(node.value);
      return;
    case 'Match':
      visit(node.subject);
      each(node.arms);
      return;
    case 'MatchArm':
      if (node.tests !== undefined) each(node.tests);
      visit(node.value);
      return;
    case 'Cache':
      visit(node.options);
      visit(node.callee);
      each(node.args);
      return;
  }
}

/**
 * Calls `enter` for `node` and everything below it, parents first; `leave`, if given, when all below a node is done.
 * When `enter` returns false, what is below that node is left out.
 */
export function walk(node: Node, enter: (node: Node) => unknown, leave?: (node: Node) => void): void {
  if (enter(node) !== false) forEachChild(node, (child) => walk(child, enter, leave));
  leave?.(node);
}

/**
 * The first node deeper than `limit` levels, if any. It needs no JavaScript stack of its own, so that it can say no to
 * trees that other passes, which recurse, would not survive.
 */
export function firstNodeBelow(root: Node, limit: number): Node | undefined {
  const open: Node[] = [root];
  const depths: number[] = [1];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const depth = depths.pop()!;
    if (depth > limit) return node;
    forEachChild(node, (child) => {
      open.push(child);
      depths.push(depth + 1);
    });
  }
  return undefined;
}
