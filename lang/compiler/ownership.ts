// Who holds an array (vm-design 8). Arrays are copied when they are written to and more than one place holds them; to know
// that, what is stored a second time is marked (Op.Share). Marking less means copying less, so:
//
// - a value that nothing holds yet (a call's result, an operator's) needs no mark;
// - a variable that lives in a register may be lent to a script function whose parameter is only read: nothing can write
//   to it while that function runs. A parameter that is written into, captured, or belongs to a generator is not
//   lent to: the caller marks what it passes there, and inside the function it is owned.

import type { Expression, Include, Node } from '../ast/nodes.js';
import { forEachChild } from '../ast/walk.js';
import type { ResolvedFunction, ResolvedProgram } from '../resolver/resolved.js';
import { forEachWrite } from './effects.js';

/** Whether something else may hold the value of this expression after it has been evaluated. */
export function isHeld(node: Expression): boolean {
  switch (node.kind) {
    case 'Variable':
    case 'StaticReference':
    case 'Subscript':
    case 'Append':
    case 'Member':
    case 'Assign':
    case 'CompoundAssign':
    case 'Destructure':
      return true;
    case 'Parenthesized':
      return isHeld(node.expression);
    case 'Conditional':
      return isHeld(node.then ?? node.test) || isHeld(node.otherwise);
    case 'Coalesce':
      return isHeld(node.left) || isHeld(node.right);
    case 'Match':
      return node.arms.some((arm) => isHeld(arm.value));
    default:
      return false;
  }
}

/** Answers, for every function of a program, which of its parameters callers may not lend to. */
export class Ownership {
  readonly #owned = new Map<ResolvedFunction, ReadonlySet<number>>();

  constructor(readonly resolved: ResolvedProgram) {}

  /** Parameters that own what they hold. */
  ownedParameters(fn: ResolvedFunction): ReadonlySet<number> {
    let owned = this.#owned.get(fn);
    if (owned === undefined) {
      owned = this.#compute(fn);
      this.#owned.set(fn, owned);
    }
    return owned;
  }

  #compute(fn: ResolvedFunction): ReadonlySet<number> {
    const owned = new Set<number>();
    if (fn.code === undefined) return owned;
    for (const local of fn.locals)
      if (local.parameter >= 0 && (local.captured || fn.isGenerator)) owned.add(local.parameter);
    this.forEachWrite(fn.code.body, (binding, isPath) => {
      if (isPath && binding.kind === 'local' && binding.parameter >= 0) owned.add(binding.parameter);
    });
    return owned;
  }

  /** As effects.forEachWrite, included files too. */
  forEachWrite(node: Node, visit: Parameters<typeof forEachWrite>[2]): void {
    const { variables } = this.resolved;
    const bindingOf = (variable: Node) =>
      variable.kind === 'Variable' ? variables.get(variable) : undefined;
    forEachWrite(node, bindingOf, visit);
    this.#forEachInclude(node, (include) => {
      const included = this.resolved.graph.includes.get(include);
      if (included !== undefined) this.forEachWrite(included.script, visit);
    });
  }

  #forEachInclude(node: Node, visit: (include: Include) => void): void {
    const walk = (inner: Node) => {
      if (inner.kind === 'FunctionCode') return;
      if (inner.kind === 'Include') visit(inner);
      else forEachChild(inner, walk);
    };
    walk(node);
  }
}
