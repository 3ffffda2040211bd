// What evaluating an expression may do to what was read before it: `$a + ($a = 5)`, `$list . next()`. The compiler
// uses variables where they lie; when something that runs later could change them, it takes a copy first.

import type { Assignable, Expression, Node } from '../ast/nodes.js';
import { forEachChild } from '../ast/walk.js';
import type { VariableBinding } from '../resolver/resolved.js';

/** What may happen inside an expression, functions defined in it not counted. */
interface Effects {
  /** A variable of this function may be assigned. */
  readonly assigns: boolean;
  /** Arrays and objects reachable from elsewhere may be written to. */
  readonly writes: boolean;
}

const none: Effects = { assigns: false, writes: false };
const known = new WeakMap<Node, Effects>();

function effectsOf(node: Node): Effects {
  let effects = known.get(node);
  if (effects === undefined) {
    effects = compute(node);
    known.set(node, effects);
  }
  return effects;
}

function compute(node: Node): Effects {
  switch (node.kind) {
    case 'FunctionCode':
      return none;
    case 'Assign':
    case 'CompoundAssign':
    case 'Increment':
    case 'Destructure':
    case 'Unset':
      return { assigns: true, writes: true };
    default: {
      let assigns = false;
      let writes = node.kind === 'Call' || node.kind === 'Yield' || node.kind === 'Cache';
      forEachChild(node, (child) => {
        const effects = effectsOf(child);
        assigns ||= effects.assigns;
        writes ||= effects.writes;
      });
      return assigns || writes ? { assigns, writes } : none;
    }
  }
}

/** Whether one of these may assign a variable of the function it stands in. */
export function mayAssign(nodes: readonly (Expression | undefined)[]): boolean {
  return nodes.some((node) => node !== undefined && effectsOf(node).assigns);
}

/** Whether one of these may change an array or object that something else holds. */
export function mayWrite(nodes: readonly (Expression | undefined)[]): boolean {
  return nodes.some((node) => node !== undefined && effectsOf(node).writes);
}

/** The variable a path begins at, and how long the path is. */
function rootOf(node: Expression): { readonly node: Expression; readonly isPath: boolean } {
  switch (node.kind) {
    case 'Subscript':
    case 'Append':
    case 'Member':
    case 'Slice':
      return { node: rootOf(node.object).node, isPath: true };
    case 'Parenthesized':
      return rootOf(node.expression);
    default:
      return { node, isPath: false };
  }
}

/** Calls `visit` for every variable that is written in `node`: as a whole, or (`isPath`) an element of it. */
export function forEachWrite(
  node: Node,
  bindingOf: (node: Node) => VariableBinding | undefined,
  visit: (binding: VariableBinding, isPath: boolean) => void,
): void {
  const target = (expression: Expression | Assignable | undefined) => {
    if (expression === undefined) return;
    const root = rootOf(expression);
    const binding = root.node.kind === 'Variable' ? bindingOf(root.node) : undefined;
    if (binding !== undefined) visit(binding, root.isPath);
  };
  const walk = (inner: Node) => {
    switch (inner.kind) {
      case 'FunctionCode':
      case 'FunctionDeclaration':
      case 'ClassDeclaration':
        return;
      case 'Assign':
      case 'CompoundAssign':
      case 'Increment':
        target(inner.target);
        break;
      case 'Destructure':
        for (const each of inner.targets) target(each.target);
        break;
      case 'Foreach':
        target(inner.key);
        target(inner.value);
        break;
      case 'Unset':
        target(inner.path);
        break;
      case 'Try':
      case 'Barrier':
        target(inner.variable);
        break;
      default:
        break;
    }
    forEachChild(inner, walk);
  };
  walk(node);
}
