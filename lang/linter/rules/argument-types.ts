// A literal of a type that the function does not take: an exception as soon as the call is made. Counts of arguments are
// checked by the compiler itself.

import { pairArguments, visitKnownCalls } from '../known-calls.js';
import { describeType, literalType, takes } from '../literal-types.js';
import type { LintContext } from '../rule.js';

/** HSL9007, for arguments; unknown-option looks into arrays of options. */
export function argumentTypes(context: LintContext): void {
  visitKnownCalls(context, (call) => {
    for (const { arg, param, at } of pairArguments(call)) {
      const given = literalType(arg);
      if (given === undefined || takes(param.type, given)) continue;
      const place = `argument ${at + 1} (${param.name}) of ${call.callee}`;
      const params = { place, expected: describeType(param.type), found: describeType(given) };
      context.report('HSL9007', call.place, arg, params);
    }
  });
}
