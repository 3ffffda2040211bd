// Calls whose callee is declared by the library, with the parameters that declaration names. What a variable or the
// result of another call holds is not known, so methods of objects are not among them.

import type { Expression } from '../ast/nodes.js';
import type { Parameter } from '../declare.js';
import type { Place } from '../resolver/scope.js';
import type { LintContext } from './rule.js';

export interface KnownCall {
  /** As messages name it. */
  readonly callee: string;
  readonly params: readonly Parameter[];
  readonly args: readonly Expression[];
  readonly place: Place;
}

/** Calls `visit` for every call of a declared function, class or static function. */
export function visitKnownCalls(context: LintContext, visit: (call: KnownCall) => void): void {
  context.visitAll(({ node, place }) => {
    if (node.kind !== 'Call' && node.kind !== 'Cache') return;
    const known = declaredParameters(context, node.callee);
    if (known !== undefined) visit({ ...known, args: node.args, place });
  });
}

/** Pairs of argument and parameter, up to the first spread: behind it nobody knows which is which. */
export function pairArguments(
  call: KnownCall,
): { readonly arg: Expression; readonly param: Parameter; readonly at: number }[] {
  const pairs: { arg: Expression; param: Parameter; at: number }[] = [];
  for (const [at, arg] of call.args.entries()) {
    const last = call.params.at(-1);
    const param = call.params[at] ?? (last?.rest === true ? last : undefined);
    if (arg.kind === 'Spread' || param === undefined) break;
    pairs.push({ arg, param, at });
  }
  return pairs;
}

function declaredParameters(
  { program, environment }: LintContext,
  callee: Expression,
): { readonly callee: string; readonly params: readonly Parameter[] } | undefined {
  switch (callee.kind) {
    case 'NameReference': {
      const binding = program.names.get(callee);
      if (binding?.kind === 'builtin') return { callee: callee.name, params: binding.declaration.params };
      const made = binding?.kind === 'nativeClass' ? binding.declaration.constructorOf : undefined;
      return made && { callee: callee.name, params: made.params };
    }
    case 'BuiltinReference': {
      const declaration = environment.declarations.get(callee.name);
      return declaration?.kind === 'builtin'
        ? { callee: callee.name, params: declaration.params }
        : undefined;
    }
    case 'StaticReference': {
      const binding = program.statics.get(callee);
      if (binding?.kind !== 'nativeStatic') return undefined;
      const method = binding.declaration.statics[binding.member];
      return method && { callee: `${callee.owner.text}::${callee.member.text}`, params: method.params };
    }
    default:
      return undefined;
  }
}
