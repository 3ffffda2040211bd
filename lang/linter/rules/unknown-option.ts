// Keys of an array of options: one that nobody reads is a misspelt one, and a literal of the wrong type under a key that
// exists is an exception when the call is made.

import type { ArrayItem, Expression } from '../../ast/nodes.js';
import type { OptionKeys } from '../../declare.js';
import { didYouMean } from '../../resolver/did-you-mean.js';
import { type KnownCall, pairArguments, visitKnownCalls } from '../known-calls.js';
import { describeType, literalType, takes } from '../literal-types.js';
import type { LintContext } from '../rule.js';

/** HSL9008, and for keys that exist HSL9007 and HSL9009. */
export function unknownOption(context: LintContext): void {
  visitKnownCalls(context, (call) => {
    for (const { arg, param } of pairArguments(call)) {
      const array = unwrap(arg);
      if (param.type !== 'options' || param.keys === undefined || array.kind !== 'ArrayLiteral') continue;
      for (const item of array.items) checkItem(context, call, param.keys, item);
    }
  });
}

function checkItem(
  context: LintContext,
  call: Pick<KnownCall, 'callee' | 'place'>,
  keys: OptionKeys,
  item: ArrayItem,
): void {
  const { callee, place } = call;
  if (item.key?.kind !== 'Literal' || typeof item.key.value !== 'string') return;
  const name = item.key.value;
  const option = Object.hasOwn(keys, name) ? keys[name] : undefined;
  if (option === undefined) {
    const current = Object.keys(keys).filter((key) => keys[key]?.aliasOf === undefined);
    const hint =
      didYouMean(name, current) ?? (current.length <= 12 ? `It has ${current.join(', ')}.` : undefined);
    context.report('HSL9008', place, item.key, { callee, option: name }, hint);
    return;
  }
  const replacement = option.aliasOf;
  if (replacement !== undefined) {
    context.report(
      'HSL9009',
      place,
      item.key,
      { what: 'the option', name, replacement },
      `Use "${replacement}".`,
    );
  }
  const { type, oneOf } = (replacement === undefined ? undefined : keys[replacement]) ?? option;
  const given = literalType(item.value);
  const where = `option "${name}" of ${callee}`;
  // A none counts as left out.
  if (given === undefined || given === 'none') return;
  const inner = unwrap(item.value);
  if (option.keys !== undefined && inner.kind === 'ArrayLiteral') {
    const within = { callee: `"${name}" of ${callee}`, place };
    for (const one of inner.items) checkItem(context, within, option.keys, one);
  }
  if (!takes(type, given)) {
    const params = { place: where, expected: describeType(type), found: describeType(given) };
    context.report('HSL9007', place, item.value, params);
  } else if (oneOf !== undefined && item.value.kind === 'Literal' && !oneOf.includes(item.value.value)) {
    const expected = `one of ${oneOf.map((one) => JSON.stringify(one)).join(', ')}`;
    context.report('HSL9007', place, item.value, {
      place: where,
      expected,
      found: JSON.stringify(item.value.value),
    });
  }
}

function unwrap(node: Expression): Expression {
  return node.kind === 'Parenthesized' ? unwrap(node.expression) : node;
}
