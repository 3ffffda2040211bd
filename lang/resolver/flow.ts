// Which variables are surely declared where they are read: a forward analysis over one function, after all of its
// module has been walked. What it proves needs no check at run time; what nothing can ever set is a compile error.
//
// A state is a set of variables as bits of a bigint: those that are declared on every path to this point. Joining paths
// is `&`. The state of a place that no path reaches is UNREACHABLE, all bits set, so that it never weakens a join.

import type { Assignable, Expression, Node, Statement, Variable } from '../ast/nodes.js';
import { forEachChild } from '../ast/walk.js';
import { didYouMean } from './did-you-mean.js';
import type { GlobalVariable, LocalVariable, VariableBinding } from './resolved.js';
import type { Resolver, WalkedFunction } from './resolver.js';
import type { FunctionScope, Place } from './scope.js';

type State = bigint;
const UNREACHABLE: State = -1n;

interface Branches {
  readonly whenTrue: State;
  readonly whenFalse: State;
}

/** A loop or switch around the statement being looked at: the states in which control leaves it. */
interface Exits {
  readonly isLoop: boolean;
  atBreak: State;
  atContinue: State;
}

/** Fills `checked` and `unproven` for one function and reports reads of what is never set. */
export function analyseFlow(resolver: Resolver, { scope, body, place }: WalkedFunction): void {
  const flow = new Flow(resolver, scope, place);
  flow.statements(body.kind === 'Script' ? body.body : body.body.body);
}

class Flow {
  #state: State = 0n;
  /** What is declared before the first statement. */
  readonly #atEntry: State;
  #place: Place;
  readonly #bits = new Map<VariableBinding, bigint>();
  readonly #exits: Exits[] = [];
  readonly #reported = new Set<VariableBinding>();
  /** Some variable of this function may be removed again, so loops must look for that. */
  readonly #removes: boolean;

  constructor(
    readonly resolver: Resolver,
    readonly scope: FunctionScope,
    place: Place,
  ) {
    this.#place = place;
    for (const local of scope.fn.locals)
      if (local.parameter >= 0 && !local.captured) this.#state |= this.#bit(local);
    if (scope.kind === 'main')
      for (const variable of scope.module.globals)
        if (variable.isPredefined || resolver.data.has(variable)) this.#state |= this.#bit(variable);
    this.#atEntry = this.#state;
    this.#removes = resolver.everUnset.size > 0;
  }

  statements(list: readonly Statement[]): void {
    let warned = false;
    for (const statement of list) {
      if (this.#state === UNREACHABLE && !warned && isWorthAWarning(statement)) {
        this.resolver.reporter.report('HSL9002', this.#place, statement, {});
        warned = true;
      }
      this.#statement(statement);
    }
  }

  // --- Statements -------------------------------------------------------------------------------------------------

  #statement(node: Statement): void {
    switch (node.kind) {
      case 'Block':
        this.statements(node.body);
        return;
      case 'Echo':
        this.#read(node.value);
        return;
      case 'ExpressionStatement':
        this.#read(node.expression);
        return;
      case 'If': {
        const { whenTrue, whenFalse } = this.#condition(node.test);
        this.#state = whenTrue;
        this.#statement(node.then);
        const afterThen = this.#state;
        this.#state = whenFalse;
        if (node.otherwise !== undefined) this.#statement(node.otherwise);
        this.#state &= afterThen;
        return;
      }
      case 'For':
        if (node.init !== undefined) this.#read(node.init);
        this.#loop(node.test, node.body, node.step);
        return;
      case 'While':
        this.#loop(node.test, node.body, undefined);
        return;
      case 'Forever':
        this.#loop(undefined, node.body, undefined);
        return;
      case 'Foreach': {
        this.#read(node.iterable);
        this.#forget(node);
        const head = this.#state;
        if (node.key !== undefined) this.#write(node.key);
        this.#write(node.value);
        const exits = this.#inside(true, () => this.#statement(node.body));
        this.#state = head & exits.atBreak;
        return;
      }
      case 'Switch':
        this.#switch(node);
        return;
      case 'Break':
        this.#leave((exits) => {
          exits.atBreak &= this.#state;
          return true;
        });
        return;
      case 'Continue':
        this.#leave((exits) => {
          if (exits.isLoop) exits.atContinue &= this.#state;
          return exits.isLoop;
        });
        return;
      case 'Return':
        if (node.value !== undefined) this.#read(node.value);
        this.#state = UNREACHABLE;
        return;
      case 'Throw':
        this.#read(node.value);
        this.#state = UNREACHABLE;
        return;
      case 'Try': {
        // An exception may come from anywhere in the body, so only what held before it (and still holds) is sure.
        const before = this.#state;
        const removed = this.#removedIn(node.body);
        this.#statement(node.body);
        const after = this.#state;
        this.#state = before & ~removed;
        this.#writeVariable(node.variable);
        this.#statement(node.handler);
        this.#state &= after;
        return;
      }
      case 'Barrier':
        this.#read(node.name);
        if (node.variable !== undefined) this.#drop(node.variable);
        this.#statement(node.body);
        return;
      case 'Include': {
        const included = this.resolver.included(node);
        if (included === undefined) return;
        const outside = this.#place;
        this.#place = included.place;
        this.statements(included.script.body);
        this.#place = outside;
        return;
      }
      case 'DebugPoint':
        this.#statement(node.body);
        return;
      case 'Empty':
      case 'Global':
      case 'FunctionDeclaration':
      case 'ClassDeclaration':
      case 'ImportSymbols':
      case 'ImportNamespace':
      case 'ImportFile':
        return;
    }
  }

  #loop(test: Expression | undefined, body: Statement, step: Expression | undefined): void {
    this.#forget(test, body, step);
    const { whenTrue, whenFalse } =
      test === undefined ? { whenTrue: this.#state, whenFalse: UNREACHABLE } : this.#condition(test);
    this.#state = whenTrue;
    const exits = this.#inside(true, () => this.#statement(body));
    this.#state &= exits.atContinue;
    if (step !== undefined) this.#read(step);
    this.#state = whenFalse & exits.atBreak;
  }

  #switch(node: Extract<Statement, { kind: 'Switch' }>): void {
    this.#read(node.subject);
    const entries: State[] = [];
    for (const { test } of node.cases) {
      if (test !== undefined) this.#read(test);
      entries.push(this.#state);
    }
    const noMatch = this.#state;
    const exits = this.#inside(false, () => {
      this.#state = UNREACHABLE;
      node.cases.forEach((label, index) => {
        this.#state &= label.test === undefined ? noMatch : entries[index]!;
        this.statements(label.body);
      });
    });
    const hasDefault = node.cases.some(({ test }) => test === undefined);
    this.#state &= exits.atBreak & (hasDefault ? UNREACHABLE : noMatch);
  }

  #inside(isLoop: boolean, walk: () => void): Exits {
    const exits = { isLoop, atBreak: UNREACHABLE, atContinue: UNREACHABLE };
    this.#exits.push(exits);
    walk();
    this.#exits.pop();
    return exits;
  }

  #leave(stopsAt: (exits: Exits) => boolean): void {
    for (let i = this.#exits.length - 1; i >= 0; i--) if (stopsAt(this.#exits[i]!)) break;
    this.#state = UNREACHABLE;
  }

  // --- Conditions -------------------------------------------------------------------------------------------------

  #condition(node: Expression): Branches {
    switch (node.kind) {
      case 'Parenthesized':
        return this.#condition(node.expression);
      case 'Literal':
        if (node.value === true) return { whenTrue: this.#state, whenFalse: UNREACHABLE };
        if (node.value === false) return { whenTrue: UNREACHABLE, whenFalse: this.#state };
        break;
      case 'Unary':
        if (node.operator === '!') {
          const { whenTrue, whenFalse } = this.#condition(node.operand);
          return { whenTrue: whenFalse, whenFalse: whenTrue };
        }
        break;
      case 'Logical': {
        const left = this.#condition(node.left);
        const isAnd = node.operator === 'and';
        this.#state = isAnd ? left.whenTrue : left.whenFalse;
        const right = this.#condition(node.right);
        return isAnd
          ? { whenTrue: right.whenTrue, whenFalse: left.whenFalse & right.whenFalse }
          : { whenTrue: left.whenTrue & right.whenTrue, whenFalse: right.whenFalse };
      }
      case 'Isset': {
        this.#quiet(node.path);
        const root = rootOf(node.path);
        const bit = root === undefined ? 0n : this.#bitOf(root);
        return { whenTrue: this.#state | bit, whenFalse: this.#state };
      }
      default:
        break;
    }
    this.#read(node);
    return { whenTrue: this.#state, whenFalse: this.#state };
  }

  // --- Expressions ------------------------------------------------------------------------------------------------

  #read(node: Expression): void {
    switch (node.kind) {
      case 'Literal':
      case 'PatternLiteral':
      case 'NameReference':
      case 'BuiltinReference':
      case 'StaticReference':
      case 'AnonymousFunction':
        return;
      case 'Template':
        for (const part of node.parts) if (typeof part !== 'string') this.#readVariable(part);
        return;
      case 'Variable':
        this.#readVariable(node);
        return;
      case 'ArrayLiteral':
        for (const item of node.items) {
          if (item.key !== undefined) this.#read(item.key);
          this.#read(item.value);
        }
        return;
      case 'Unary':
        this.#read(node.operand);
        return;
      case 'Binary':
        this.#read(node.left);
        this.#read(node.right);
        return;
      case 'Logical': {
        const { whenTrue, whenFalse } = this.#condition(node);
        this.#state = whenTrue & whenFalse;
        return;
      }
      case 'Conditional': {
        const { whenTrue, whenFalse } = this.#condition(node.test);
        this.#state = whenTrue;
        if (node.then !== undefined) this.#read(node.then);
        const afterThen = this.#state;
        this.#state = whenFalse;
        this.#read(node.otherwise);
        this.#state &= afterThen;
        return;
      }
      case 'Coalesce': {
        this.#quiet(node.left);
        this.#maybe(() => this.#read(node.right));
        return;
      }
      case 'Assign':
        this.#read(node.value);
        this.#write(node.target);
        return;
      case 'CompoundAssign':
        if (node.operator === '??') {
          this.#keysOf(node.target);
          this.#quietRoot(node.target);
          this.#maybe(() => this.#read(node.value));
          this.#declareRoot(node.target);
        } else {
          this.#read(node.value);
          this.#change(node.target);
        }
        return;
      case 'Destructure':
        this.#read(node.value);
        for (const { key, initial, target } of node.targets) {
          if (key !== undefined) this.#read(key);
          if (initial !== undefined) this.#maybe(() => this.#read(initial));
          this.#write(target);
        }
        return;
      case 'Increment':
        this.#change(node.target);
        return;
      case 'Call':
        this.#read(node.callee);
        for (const arg of node.args) this.#read(arg);
        return;
      case 'Subscript':
        this.#read(node.object);
        this.#read(node.index);
        return;
      case 'Append':
        this.#read(node.object);
        return;
      case 'Slice':
        this.#read(node.object);
        for (const bound of [node.first, node.last, node.step]) if (bound !== undefined) this.#read(bound);
        return;
      case 'Member':
        this.#read(node.object);
        return;
      case 'Isset': {
        const { whenFalse } = this.#condition(node);
        this.#state = whenFalse;
        return;
      }
      case 'Unset':
        this.#remove(node.path);
        return;
      case 'Yield':
        if (node.key !== undefined) this.#read(node.key);
        if (node.value !== undefined) this.#read(node.value);
        return;
      case 'Match':
        this.#match(node);
        return;
      case 'Cache':
        this.#read(node.options);
        for (const arg of node.args) this.#read(arg);
        return;
      case 'Spread':
        this.#read(node.value);
        return;
      case 'Parenthesized':
        this.#read(node.expression);
        return;
    }
  }

  #match(node: Extract<Expression, { kind: 'Match' }>): void {
    this.#read(node.subject);
    let tested = this.#state;
    let result = UNREACHABLE;
    for (const { tests, value } of node.arms) {
      if (tests === undefined) continue;
      this.#state = tested;
      let entry: State | undefined;
      for (const test of tests) {
        this.#read(test);
        entry ??= this.#state;
      }
      tested = this.#state;
      this.#state = entry ?? tested;
      this.#read(value);
      result &= this.#state;
    }
    const byDefault = node.arms.find(({ tests }) => tests === undefined);
    if (byDefault !== undefined) {
      this.#state = tested;
      this.#read(byDefault.value);
      result &= this.#state;
    }
    this.#state = result;
  }

  /** Something that may not run. */
  #maybe(walk: () => void): void {
    const before = this.#state;
    walk();
    this.#state &= before;
  }

  // --- Paths ------------------------------------------------------------------------------------------------------

  /** A path read by isset or `??`: its root may be undeclared. */
  #quiet(node: Expression): void {
    switch (node.kind) {
      case 'Variable':
        this.#useUnchecked(node);
        return;
      case 'Subscript':
        this.#quiet(node.object);
        this.#read(node.index);
        return;
      case 'Slice':
        this.#quiet(node.object);
        for (const bound of [node.first, node.last, node.step]) if (bound !== undefined) this.#read(bound);
        return;
      case 'Member':
        this.#quiet(node.object);
        return;
      case 'Parenthesized':
        this.#quiet(node.expression);
        return;
      default:
        this.#read(node);
    }
  }

  /** Assigns: containers on the way come into being. */
  #write(node: Assignable): void {
    if (node.kind === 'Variable') {
      this.#writeVariable(node);
      return;
    }
    this.#keysOf(node);
    this.#quietRoot(node);
    this.#declareRoot(node);
  }

  /** `op=`, `++`: the target must be there. */
  #change(node: Assignable): void {
    this.#keysOf(node);
    const root = rootOf(node);
    if (root !== undefined) this.#readVariable(root);
  }

  #remove(node: Expression): void {
    const path = node.kind === 'Parenthesized' ? node.expression : node;
    if (path.kind === 'Variable') {
      this.#drop(path);
      return;
    }
    this.#keysOf(path);
    const root = rootOf(path);
    if (root !== undefined) this.#useUnchecked(root);
  }

  /** What is evaluated on the way to a target: subscripts, bounds, a root that is no variable. */
  #keysOf(node: Expression): void {
    switch (node.kind) {
      case 'Variable':
      case 'StaticReference':
        return;
      case 'Subscript':
        this.#keysOf(node.object);
        this.#read(node.index);
        return;
      case 'Slice':
        this.#keysOf(node.object);
        for (const bound of [node.first, node.last, node.step]) if (bound !== undefined) this.#read(bound);
        return;
      case 'Append':
      case 'Member':
        this.#keysOf(node.object);
        return;
      case 'Parenthesized':
        this.#keysOf(node.expression);
        return;
      default:
        this.#read(node);
    }
  }

  #quietRoot(node: Expression): void {
    const root = rootOf(node);
    if (root !== undefined) this.#useUnchecked(root);
  }

  #declareRoot(node: Expression): void {
    const root = rootOf(node);
    if (root !== undefined) this.#state |= this.#bitOf(root);
  }

  // --- Variables --------------------------------------------------------------------------------------------------

  #readVariable(node: Variable): void {
    const binding = this.resolver.variables.get(node);
    if (binding === undefined || binding.kind === 'this') return;
    if (!this.#isTracked(binding)) {
      this.resolver.checked.add(node);
      return;
    }
    const isDeadCode = this.#state === UNREACHABLE;
    if (((isDeadCode ? this.#atEntry : this.#state) & this.#bit(binding)) !== 0n) return;
    if (!isDeadCode) {
      this.resolver.checked.add(node);
      this.resolver.unproven.add(binding);
    }
    if (!this.resolver.everSet.has(binding)) this.#reportNeverSet(node, binding);
    // One exception is enough: behind it the variable is there.
    this.#state |= this.#bit(binding);
  }

  #useUnchecked(node: Variable): void {
    const binding = this.resolver.variables.get(node);
    if (binding === undefined || !this.#isTracked(binding)) return;
    if ((this.#state & this.#bit(binding)) === 0n) this.resolver.unproven.add(binding);
  }

  #writeVariable(node: Variable): void {
    this.#state |= this.#bitOf(node);
  }

  /** `unset($x)`, or the variable of a barrier, which may hold nothing. */
  #drop(node: Variable): void {
    this.#useUnchecked(node);
    if (this.#state !== UNREACHABLE) this.#state &= ~this.#bitOf(node);
  }

  /** Only what this function alone can remove is followed: its own registers, and globals that nothing removes. */
  #isTracked(binding: VariableBinding): binding is LocalVariable | GlobalVariable {
    if (binding.kind === 'local') return !binding.captured;
    if (binding.kind !== 'global' || this.scope.kind !== 'main') return false;
    return !(binding.isShared && this.resolver.everUnset.has(binding));
  }

  #bitOf(node: Variable): bigint {
    const binding = this.resolver.variables.get(node);
    return binding !== undefined && this.#isTracked(binding) ? this.#bit(binding) : 0n;
  }

  #bit(binding: VariableBinding): bigint {
    let bit = this.#bits.get(binding);
    if (bit === undefined) {
      bit = 1n << BigInt(this.#bits.size);
      this.#bits.set(binding, bit);
    }
    return bit;
  }

  /** At the head of a loop: what its turns may remove is no longer sure. */
  #forget(...parts: (Node | undefined)[]): void {
    if (this.#state === UNREACHABLE) return;
    for (const part of parts) if (part !== undefined) this.#state &= ~this.#removedIn(part);
  }

  #removedIn(node: Node): State {
    let removed = 0n;
    const visit = (inner: Node) => {
      if (inner.kind === 'FunctionCode') return;
      if (inner.kind === 'Unset' && inner.path.kind === 'Variable') removed |= this.#bitOf(inner.path);
      if (inner.kind === 'Barrier' && inner.variable !== undefined) removed |= this.#bitOf(inner.variable);
      if (inner.kind === 'Include') {
        const included = this.resolver.included(inner);
        if (included !== undefined) visit(included.script);
      }
      forEachChild(inner, visit);
    };
    if (this.#removes) visit(node);
    return removed;
  }

  #reportNeverSet(node: Variable, binding: LocalVariable | GlobalVariable): void {
    if (this.#reported.has(binding)) return;
    this.#reported.add(binding);
    const { scope, resolver } = this;
    const { name } = node;
    let hint: string | undefined;
    if (scope.kind !== 'main' && resolver.exportedVariable(scope.module, name) !== undefined) {
      hint = `To use the global variable, write "global $${name};" in the function`;
    } else if (scope.kind === 'anonymous' && isSetIn(resolver, scope.parent, name)) {
      hint = `To use the variable of the function around, list it: closure ($${name})`;
    } else {
      const known = scope.kind === 'main' ? scope.module.variables : scope.bindings;
      const candidates = [...known]
        .filter(([, other]) => resolver.everSet.has(other))
        .map(([other]) => other);
      hint = didYouMean(name, candidates, '$');
    }
    const where =
      scope.kind === 'main'
        ? 'the script'
        : scope.fn.name === ''
          ? 'this function'
          : `the function ${scope.fn.name}`;
    resolver.reporter.report('HSL2001', this.#place, node, { name, scope: where }, hint);
  }
}

function isSetIn(resolver: Resolver, scope: FunctionScope | undefined, name: string): boolean {
  const binding = scope?.known(name);
  return binding !== undefined && resolver.everSet.has(binding);
}

/** The variable at the beginning of a path. */
function rootOf(node: Expression): Variable | undefined {
  switch (node.kind) {
    case 'Variable':
      return node;
    case 'Subscript':
    case 'Append':
    case 'Member':
    case 'Slice':
      return rootOf(node.object);
    case 'Parenthesized':
      return rootOf(node.expression);
    default:
      return undefined;
  }
}

/** A `break` behind `return` is a habit, and declarations are hoisted: neither is dead code worth a word. */
function isWorthAWarning(node: Statement): boolean {
  return ![
    'Empty',
    'Break',
    'FunctionDeclaration',
    'ClassDeclaration',
    'ImportSymbols',
    'ImportNamespace',
    'ImportFile',
    'Global',
  ].includes(node.kind);
}
