// How many arguments a known callee takes, and whether a call gives them. A spread may hold any number, so with one of
// them only a surplus of the others is certain.

import type { Expression, Parameter } from '../ast/nodes.js';
import type { Builtin, Parameter as DeclaredParameter, NativeClass } from '../declare.js';
import type { NameBinding, ResolvedClass, ResolvedFunction, StaticBinding } from './resolved.js';

/** From `least` to `most` arguments; `most` is Infinity behind a rest parameter. */
export interface Arity {
  readonly least: number;
  readonly most: number;
}

const noArguments: Arity = { least: 0, most: 0 };

/** The arity of what a name or `owner::member` stands for; undefined when it is not known or cannot be called. */
export function arityOf(binding: NameBinding | StaticBinding): Arity | undefined {
  switch (binding.kind) {
    case 'function':
      return arityOfFunction(binding.fn);
    case 'class':
      return arityOfClass(binding.of);
    case 'staticMethod':
      return arityOfFunction(binding.method.fn);
    case 'builtin':
      return arityOfParameters(binding.declaration.params);
    case 'nativeClass':
      return arityOfNativeClass(binding.declaration);
    case 'nativeStatic': {
      const method = binding.declaration.statics[binding.member];
      return method === undefined ? undefined : arityOfParameters(method.params);
    }
    case 'namespace':
    case 'staticField':
    case 'variable':
    case 'unknown':
      return undefined;
  }
}

export function arityOfFunction(fn: ResolvedFunction): Arity {
  return arityOfScriptParameters(fn.code?.parameters ?? []);
}

export function arityOfScriptParameters(parameters: readonly Parameter[]): Arity {
  const isRest = parameters.at(-1)?.isRest === true;
  const least = parameters.filter((parameter) => parameter.initial === undefined && !parameter.isRest).length;
  return { least, most: isRest ? Number.POSITIVE_INFINITY : parameters.length };
}

function arityOfClass(of: ResolvedClass): Arity {
  return of.constructorOf === undefined ? noArguments : arityOfFunction(of.constructorOf);
}

function arityOfNativeClass(of: NativeClass): Arity | undefined {
  return of.constructorOf === undefined ? undefined : arityOfParameters(of.constructorOf.params);
}

function arityOfParameters(params: Builtin['params'] | readonly DeclaredParameter[]): Arity {
  let least = 0;
  let most = 0;
  for (const param of params) {
    if (param.rest === true) return { least, most: Number.POSITIVE_INFINITY };
    most++;
    if (param.optional !== true && !('default' in param)) least = most;
  }
  return { least, most };
}

/** What is wrong with the number of `args`: the two phrases of the message. */
export function countProblem(
  arity: Arity,
  args: readonly Expression[],
): { readonly expected: string; readonly found: string } | undefined {
  const spreads = args.filter((arg) => arg.kind === 'Spread').length;
  const count = args.length - spreads;
  const tooFew = spreads === 0 && count < arity.least;
  if (!tooFew && count <= arity.most) return undefined;
  const { least, most } = arity;
  const range =
    most === least
      ? plural(least, 'argument')
      : most === Number.POSITIVE_INFINITY
        ? `at least ${plural(least, 'argument')}`
        : `${least} to ${plural(most, 'argument')}`;
  return { expected: range, found: count === 0 ? 'none' : String(count) };
}

function plural(count: number, noun: string): string {
  if (count === 0) return `no ${noun}s`;
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
