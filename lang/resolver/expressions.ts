// The walk over expressions: every name is looked up, calls of known callees are counted, literal patterns are compiled.

import type { ArrayLiteral, Cache, Call, Destructure, Expression, PatternLiteral } from '../ast/nodes.js';
import { PatternError } from '../host.js';
import { regexOf, splitPattern } from '../values/pattern.js';
import { type Arity, arityOf, arityOfScriptParameters, countProblem } from './arity.js';
import { didYouMean } from './did-you-mean.js';
import { walkFunction } from './functions.js';
import { describeBinding } from './hoist.js';
import { resolveBuiltin, resolveName, resolveStatic } from './names.js';
import type { NameBinding, StaticBinding } from './resolved.js';
import { bindVariable, walkPath, walkTarget } from './targets.js';
import type { Walk } from './walk.js';

/** Walks an expression that is read. */
export function walkExpression(walk: Walk, node: Expression): void {
  const { resolver, scope, place } = walk;
  switch (node.kind) {
    case 'Literal':
      return;
    case 'Template':
      for (const part of node.parts) if (typeof part !== 'string') bindVariable(walk, part);
      return;
    case 'PatternLiteral':
      walkPattern(walk, node);
      return;
    case 'Variable':
      bindVariable(walk, node);
      return;
    case 'NameReference':
      resolveName(walk, node);
      return;
    case 'BuiltinReference':
      resolveBuiltin(walk, node);
      return;
    case 'StaticReference':
      resolveStatic(walk, node);
      return;
    case 'ArrayLiteral':
      walkArray(walk, node);
      return;
    case 'AnonymousFunction': {
      const fn = resolver.draftFunction('anonymous', '', node.code, scope, scope.classOf, place);
      walkFunction(walk, fn, node.code);
      return;
    }
    case 'Unary':
      walkExpression(walk, node.operand);
      return;
    case 'Binary':
      walkExpression(walk, node.left);
      walkExpression(walk, node.right);
      if (node.operator === '=~' || node.operator === '!~') compilePatternText(walk, node.right);
      return;
    case 'Logical':
    case 'Coalesce':
      walkExpression(walk, node.left);
      walkExpression(walk, node.right);
      return;
    case 'Conditional':
      walkExpression(walk, node.test);
      if (node.then !== undefined) walkExpression(walk, node.then);
      walkExpression(walk, node.otherwise);
      return;
    case 'Assign':
      walkExpression(walk, node.value);
      walkTarget(walk, node.target, 'assigned');
      return;
    case 'CompoundAssign':
      walkExpression(walk, node.value);
      walkTarget(walk, node.target, node.operator === '??' ? 'assigned' : 'changed');
      if (node.operator === '??' && node.target.kind === 'Append')
        resolver.reporter.report('HSL2035', place, node.target, { what: 'tested' });
      return;
    case 'Destructure':
      walkDestructure(walk, node);
      return;
    case 'Increment':
      walkTarget(walk, node.target, 'changed');
      return;
    case 'Call':
      walkCall(walk, node);
      return;
    case 'Subscript':
      walkExpression(walk, node.object);
      walkExpression(walk, node.index);
      return;
    case 'Append':
      resolver.reporter.report('HSL2035', place, node, { what: 'read' });
      walkExpression(walk, node.object);
      return;
    case 'Slice':
      walkExpression(walk, node.object);
      for (const bound of [node.first, node.last, node.step])
        if (bound !== undefined) walkExpression(walk, bound);
      return;
    case 'Member':
      walkExpression(walk, node.object);
      return;
    case 'Isset':
    case 'Unset':
      walkPath(walk, node);
      return;
    case 'Yield':
      walkYield(walk, node);
      return;
    case 'Match':
      walkExpression(walk, node.subject);
      for (const arm of node.arms) {
        for (const test of arm.tests ?? []) walkExpression(walk, test);
        walkExpression(walk, arm.value);
      }
      return;
    case 'Cache':
      walkCache(walk, node);
      return;
    case 'Spread':
      walkExpression(walk, node.value);
      return;
    case 'Parenthesized':
      walkExpression(walk, node.expression);
      return;
  }
}

function walkArray(walk: Walk, node: ArrayLiteral): void {
  for (const item of node.items) {
    if (item.key !== undefined) walkExpression(walk, item.key);
    walkExpression(walk, item.value);
  }
}

function walkYield(walk: Walk, node: Extract<Expression, { kind: 'Yield' }>): void {
  const { resolver, scope, place } = walk;
  if (scope.kind === 'main' || scope.kind === 'constructor') {
    const where = scope.kind === 'main' ? 'at top level' : 'in a constructor';
    resolver.reporter.report('HSL2005', place, node, { where });
  }
  scope.fn.isGenerator = true;
  if (node.key !== undefined) walkExpression(walk, node.key);
  if (node.value !== undefined) walkExpression(walk, node.value);
}

// --- Destructuring (hsl-language 5.2) -----------------------------------------------------------------------------

function walkDestructure(walk: Walk, node: Destructure): void {
  const { reporter } = walk.resolver;
  const { place } = walk;
  walkExpression(walk, node.value);
  const keyed = node.targets.some((target) => target.key !== undefined);
  let mixed = false;
  node.targets.forEach((target, index) => {
    if (target.isRest) {
      if (keyed) reporter.report('HSL2032', place, target, {});
      const next = node.targets[index + 1];
      if (next !== undefined) {
        const name = target.target.kind === 'Variable' ? `$${target.target.name}` : 'rest';
        reporter.report('HSL2031', place, next, { target: name });
      }
    } else if (keyed && target.key === undefined && !mixed) {
      mixed = true;
      reporter.report('HSL2030', place, target, {});
    }
    if (target.key !== undefined) walkExpression(walk, target.key);
    if (target.initial !== undefined) walkExpression(walk, target.initial);
    walkTarget(walk, target.target, 'assigned');
  });
}

// --- Calls --------------------------------------------------------------------------------------------------------

function walkCall(walk: Walk, node: Call): void {
  const callee = unwrap(node.callee);
  const name = calleeName(callee);
  if (callee.kind === 'AnonymousFunction') {
    walkExpression(walk, callee);
    walkArguments(walk, node.args);
    checkCount(walk, node, node.args, arityOfScriptParameters(callee.code.parameters), 'the function');
    return;
  }
  const binding = bindCallee(walk, callee);
  if (binding === undefined) {
    walkExpression(walk, callee);
    walkArguments(walk, node.args);
    return;
  }
  walkArguments(walk, node.args);
  checkCall(walk, node, name, binding, node.args);
}

function unwrap(node: Expression): Expression {
  return node.kind === 'Parenthesized' ? unwrap(node.expression) : node;
}

function calleeName(node: Expression): string {
  switch (node.kind) {
    case 'NameReference':
    case 'BuiltinReference':
      return node.name;
    case 'StaticReference':
      return `${node.owner.text}::${node.member.text}`;
    default:
      return 'the function';
  }
}

/** What a callee stands for, if that is known before the program runs. */
function bindCallee(walk: Walk, callee: Expression): NameBinding | StaticBinding | undefined {
  switch (callee.kind) {
    case 'NameReference':
      return resolveName(walk, callee);
    case 'BuiltinReference':
      return resolveBuiltin(walk, callee);
    case 'StaticReference':
      return resolveStatic(walk, callee);
    default:
      return undefined;
  }
}

function walkArguments(walk: Walk, args: readonly Expression[]): void {
  for (const arg of args) walkExpression(walk, arg);
}

function checkCall(
  walk: Walk,
  node: Expression,
  name: string,
  binding: NameBinding | StaticBinding,
  args: readonly Expression[],
): void {
  if (binding.kind === 'nativeClass' && binding.declaration.constructorOf === undefined) {
    walk.resolver.reporter.report('HSL2046', walk.place, node, { name });
    return;
  }
  const arity = arityOf(binding);
  if (arity !== undefined) checkCount(walk, node, args, arity, name);
  if (binding.kind === 'builtin' || binding.kind === 'nativeClass') {
    const { declaration } = binding;
    const params = declaration.kind === 'builtin' ? declaration.params : declaration.constructorOf!.params;
    for (const [index, arg] of args.entries()) {
      if (arg.kind === 'Spread') break;
      const param = params[index] ?? (params.at(-1)?.rest === true ? params.at(-1) : undefined);
      if (param?.type === 'pattern') compilePatternText(walk, arg);
    }
  }
}

function checkCount(
  { resolver, place }: Walk,
  node: Expression,
  args: readonly Expression[],
  arity: Arity,
  callee: string,
): void {
  const problem = countProblem(arity, args);
  if (problem !== undefined) resolver.reporter.report('HSL2015', place, node, { callee, ...problem });
}

// --- cache (hsl-language 15) --------------------------------------------------------------------------------------

const cacheOptions = [
  'ttl',
  'ttl_override',
  'ttl_function',
  'update_function',
  'argv_filter',
  'force',
  'size',
  'namespace',
  'per_message',
  'lru',
];

function walkCache(walk: Walk, node: Cache): void {
  const { resolver, place } = walk;
  walkArray(walk, node.options);
  for (const { key } of node.options.items) {
    if (key?.kind !== 'Literal' || typeof key.value !== 'string' || cacheOptions.includes(key.value))
      continue;
    const hint = didYouMean(key.value, cacheOptions);
    resolver.reporter.report('HSL9003', place, key, { option: key.value }, hint);
  }
  const binding = bindCallee(walk, node.callee);
  walkArguments(walk, node.args);
  if (binding === undefined || binding.kind === 'unknown') return;
  if (!['function', 'builtin', 'staticMethod', 'nativeStatic'].includes(binding.kind)) {
    const found =
      binding.kind === 'staticField' || binding.kind === 'variable'
        ? 'a variable'
        : describeBinding(binding as NameBinding);
    resolver.reporter.report('HSL2039', place, node.callee, { found });
    return;
  }
  checkCall(walk, node, calleeName(node.callee), binding, node.args);
}

// --- Patterns -----------------------------------------------------------------------------------------------------

function walkPattern(walk: Walk, node: PatternLiteral): void {
  compilePattern(walk, node, node.body, node.flags);
}

/** A string literal where a pattern is wanted is compiled with the program (hsl-language 5.4, 7.3). */
function compilePatternText(walk: Walk, node: Expression): void {
  const literal = unwrap(node);
  if (literal.kind !== 'Literal' || typeof literal.value !== 'string') return;
  const { source, flags } = splitPattern(literal.value);
  compilePattern(walk, literal, source, flags);
}

function compilePattern({ resolver, place }: Walk, node: Expression, source: string, flags: string): void {
  try {
    resolver.constants.set(node, regexOf(resolver.patterns.compile(source, flags)));
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    resolver.reporter.report('HSL2038', place, node, { why: error.message });
  }
}
