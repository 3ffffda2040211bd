// Paths that are written to: `$a["x"][0]`, `$o->list[]`, `C::$map["k"]`, `$a[1:2]`. First everything on the way is
// evaluated (planPath); then, without any script code in between, the containers are made fit for writing from the root
// inwards and the last step is done (Own… and Set… in opcodes.ts).

import type { Assignable, Expression } from '../ast/nodes.js';
import { Op } from '../bytecode/opcodes.js';
import type { Span } from '../source/source-file.js';
import {
  boundsInto,
  checkDeclared,
  constantKey,
  type Key,
  loadConstant,
  operandBefore,
  stored,
  unwrap,
} from './expressions.js';
import type { FunctionCompiler, Home } from './function-compiler.js';

/** One step into a container. A slice has four registers: its bounds, and one for the values that replace it. */
export type Step =
  | { readonly kind: 'key'; readonly key: Key; readonly span: Span }
  | { readonly kind: 'append'; readonly span: Span }
  | { readonly kind: 'slice'; readonly window: number; readonly span: Span };

/** A target whose parts have been evaluated. `root` is where its variable lives, or a temporary for any other value. */
export interface PathPlan {
  readonly root: Home;
  readonly steps: readonly Step[];
  /** Throws if the root may be undeclared: for those who need the old value. */
  readonly checkRoot: () => void;
}

/** Evaluates subscripts and bounds of `target`, left to right. */
export function planPath(f: FunctionCompiler, target: Assignable): PathPlan {
  const nodes: Expression[] = [];
  let node = unwrap(target);
  while (
    node.kind === 'Subscript' ||
    node.kind === 'Append' ||
    node.kind === 'Member' ||
    node.kind === 'Slice'
  ) {
    // A slice in the middle is a value of its own: what is written into it is gone.
    if (node.kind === 'Slice' && nodes.length > 0) break;
    nodes.unshift(node);
    node = unwrap(node.object);
  }
  const later = (from: number) => nodes.slice(from + 1).flatMap(evaluatedParts);

  let root: Home;
  let checkRoot = () => {};
  if (node.kind === 'Variable') {
    const variable = node;
    const home = f.homeOf(variable);
    root = home;
    checkRoot = () => {
      if (home.kind === 'register') checkDeclared(f, variable, home.register);
    };
  } else {
    const slot = node.kind === 'StaticReference' ? f.slotOf(node) : undefined;
    // What is written into a value that is no variable must not show in what it came from.
    root = slot === undefined ? { kind: 'register', register: stored(f, node) } : { kind: 'global', slot };
  }

  const steps = nodes.map((step, index): Step => {
    switch (step.kind) {
      case 'Subscript': {
        const key = constantKey(f, step.index);
        if (key !== undefined) return { kind: 'key', key, span: step.span };
        const register = operandBefore(f, step.index, later(index));
        return { kind: 'key', key: { kind: 'register', register }, span: step.span };
      }
      case 'Member':
        return { kind: 'key', key: { kind: 'field', name: step.name.text }, span: step.name.span };
      case 'Slice': {
        const window = f.asm.take(4);
        boundsInto(f, step, window);
        return { kind: 'slice', window, span: step.span };
      }
      default:
        return { kind: 'append', span: step.span };
    }
  });
  return { root, steps, checkRoot };
}

function evaluatedParts(node: Expression): (Expression | undefined)[] {
  if (node.kind === 'Subscript') return [node.index];
  if (node.kind === 'Slice') return [node.first, node.last, node.step];
  return [];
}

/** The key in a register, for instructions that have no other form. */
export function keyRegister(f: FunctionCompiler, key: Exclude<Key, { kind: 'field' }>): number {
  if (key.kind === 'register') return key.register;
  const register = f.asm.take();
  loadConstant(f, key.value, register);
  return register;
}

// --- Reading --------------------------------------------------------------------------------------------------------

/** The value at the end of the path, with the checks of an ordinary read. */
export function readPath(f: FunctionCompiler, plan: PathPlan): number {
  plan.checkRoot();
  return readSteps(f, rootValue(f, plan.root), plan.steps, Op.GetIndex, Op.GetField);
}

/** As `readPath`, but what is missing is none, and so is what may not be seen. The register may hold undeclared. */
export function readPathQuietly(f: FunctionCompiler, plan: PathPlan): number {
  return readSteps(f, quietRootValue(f, plan.root), plan.steps, Op.GetIndexQuiet, Op.GetFieldQuiet);
}

function rootValue(f: FunctionCompiler, root: Home): number {
  if (root.kind === 'register') return root.register;
  const register = f.asm.take();
  if (root.kind === 'cell') f.asm.emit(Op.LoadCell, register, root.register);
  else f.asm.emit(Op.LoadGlobal, register, root.slot);
  return register;
}

function quietRootValue(f: FunctionCompiler, root: Home): number {
  if (root.kind === 'register') return root.register;
  const register = f.asm.take();
  if (root.kind === 'cell') f.asm.emit(Op.LoadCellQuiet, register, root.register);
  else f.asm.emit(Op.LoadGlobalQuiet, register, root.slot);
  return register;
}

function readSteps(f: FunctionCompiler, root: number, steps: readonly Step[], index: Op, field: Op): number {
  const { asm } = f;
  let from = root;
  for (const step of steps) {
    const to = asm.take();
    if (step.kind === 'key') {
      const { key } = step;
      if (key.kind === 'integer' && index === Op.GetIndex) {
        f.at(step.span);
        asm.emit(Op.GetIndexInt, to, from, key.value);
        from = to;
        continue;
      }
      const register = key.kind === 'field' ? f.program.field(key.name) : keyRegister(f, key);
      f.at(step.span);
      asm.emit(key.kind === 'field' ? field : index, to, from, register);
    } else if (step.kind === 'slice') {
      f.at(step.span);
      // `none[1:2]` is none; an undeclared root has been checked or counts as none.
      const end = asm.label();
      asm.emit(Op.Move, to, from);
      asm.jump(Op.JumpIfNone, end, to);
      asm.emit(Op.Slice, to, to, step.window);
      asm.bind(end);
    }
    from = to;
  }
  return from;
}

// --- Writing --------------------------------------------------------------------------------------------------------

/** Writes `value`, which is fit for being kept, to the end of the path. */
export function writePath(f: FunctionCompiler, plan: PathPlan, value: number): void {
  const { asm } = f;
  const { root, steps } = plan;
  const last = steps.at(-1);
  if (last === undefined) {
    writeRoot(f, root, value);
    return;
  }
  if (last.kind === 'slice') {
    // The container is replaced as a whole by a new array.
    const container = { ...plan, steps: steps.slice(0, -1) };
    const before = readPathQuietly(f, container);
    const after = asm.take();
    asm.emit(Op.Move, last.window + 3, value);
    f.at(last.span);
    asm.emit(Op.Splice, after, before, last.window);
    writePath(f, container, after);
    return;
  }
  // Keys first: between Own… and the write there is nothing else.
  const keys = steps.map(keyOperand(f));
  const container = ownContainer(f, root, steps.slice(0, -1), keys);
  f.at(last.span);
  if (last.kind === 'append') asm.emit(Op.Append, container, value);
  else if (last.key.kind === 'field') asm.emit(Op.SetField, container, keys.at(-1)!, value);
  else asm.emit(Op.SetIndex, container, keys.at(-1)!, value);
}

function keyOperand(f: FunctionCompiler): (step: Step) => number {
  return (step) => {
    if (step.kind !== 'key') return 0;
    return step.key.kind === 'field' ? f.program.field(step.key.name) : keyRegister(f, step.key);
  };
}

function ownContainer(
  f: FunctionCompiler,
  root: Home,
  steps: readonly Step[],
  keys: readonly number[],
): number {
  const { asm } = f;
  let container: number;
  if (root.kind === 'register') {
    container = root.register;
  } else {
    container = asm.take();
    if (root.kind === 'cell') asm.emit(Op.OwnCell, container, root.register);
    else asm.emit(Op.OwnGlobal, container, root.slot);
  }
  steps.forEach((step, index) => {
    const inner = asm.take();
    f.at(step.span);
    if (step.kind === 'append') asm.emit(Op.OwnAppend, inner, container);
    else if (step.kind === 'key' && step.key.kind === 'field')
      asm.emit(Op.OwnField, inner, container, keys[index]!);
    else asm.emit(Op.OwnIndex, inner, container, keys[index]!);
    container = inner;
  });
  return container;
}

function writeRoot(f: FunctionCompiler, root: Home, value: number): void {
  const { asm } = f;
  if (root.kind === 'cell') asm.emit(Op.StoreCell, root.register, value);
  else if (root.kind === 'global') asm.emit(Op.StoreGlobal, root.slot, value);
  else if (root.register !== value) asm.emit(Op.Move, root.register, value);
}

// --- Removing -------------------------------------------------------------------------------------------------------

/** Removes what is at the end of the path; `to` gets whether it was there. */
export function removePath(f: FunctionCompiler, plan: PathPlan, to: number): void {
  const { asm } = f;
  const { root, steps } = plan;
  const last = steps.at(-1);
  if (last === undefined) {
    if (root.kind === 'register') asm.emit(Op.UnsetLocal, to, root.register);
    else if (root.kind === 'cell') asm.emit(Op.UnsetCell, to, root.register);
    else asm.emit(Op.UnsetGlobal, to, root.slot);
    return;
  }
  if (last.kind === 'slice') {
    const container = { ...plan, steps: steps.slice(0, -1) };
    const before = readPathQuietly(f, container);
    const after = asm.take();
    const end = asm.label();
    f.at(last.span);
    asm.emit(Op.UnsetSlice, after, before, last.window);
    asm.jump(Op.JumpIfFalse, end, last.window);
    writePath(f, container, after);
    asm.bind(end);
    asm.emit(Op.Move, to, last.window);
    return;
  }
  const keys = steps.map(keyOperand(f));
  const container = findContainer(f, root, steps.slice(0, -1), keys);
  f.at(last.span);
  if (last.kind === 'key' && last.key.kind === 'field') asm.emit(Op.UnsetField, to, container, keys.at(-1)!);
  else asm.emit(Op.UnsetIndex, to, container, keys.at(-1)!);
}

function findContainer(
  f: FunctionCompiler,
  root: Home,
  steps: readonly Step[],
  keys: readonly number[],
): number {
  const { asm } = f;
  let container: number;
  if (root.kind === 'register') {
    container = root.register;
  } else {
    container = asm.take();
    if (root.kind === 'cell') asm.emit(Op.FindCell, container, root.register);
    else asm.emit(Op.FindGlobal, container, root.slot);
  }
  steps.forEach((step, index) => {
    const inner = asm.take();
    f.at(step.span);
    if (step.kind === 'key' && step.key.kind === 'field')
      asm.emit(Op.FindField, inner, container, keys[index]!);
    else asm.emit(Op.FindIndex, inner, container, keys[index]!);
    container = inner;
  });
  return container;
}

/** Whether a target is a variable of this function that lives in a register. */
export function registerTarget(f: FunctionCompiler, target: Expression): number | undefined {
  const node = unwrap(target);
  if (node.kind !== 'Variable') return undefined;
  const home = f.homeOf(node);
  return home.kind === 'register' ? home.register : undefined;
}
