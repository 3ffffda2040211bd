// The type of what stands in the text, where the text alone tells it, and whether a declared type takes it. The words
// are those that a run-time check uses (lang/vm/checked-builtin.ts): what is reported here would be thrown there.

import type { Expression } from '../ast/nodes.js';
import type { BasicType } from '../declare.js';

/** The type of a literal; undefined for anything whose value is only known when the script runs. */
export function literalType(node: Expression): BasicType | undefined {
  switch (node.kind) {
    case 'Literal':
      if (node.value === null) return 'none';
      return typeof node.value as 'number' | 'string' | 'boolean';
    case 'Template':
      return 'string';
    case 'ArrayLiteral':
      return 'array';
    case 'AnonymousFunction':
      return 'function';
    case 'PatternLiteral':
      return 'pattern';
    case 'Parenthesized':
      return literalType(node.expression);
    case 'Unary': {
      const operand = literalType(node.operand);
      if (node.operator === '!') return 'boolean';
      return operand === 'number' ? 'number' : undefined;
    }
    default:
      return undefined;
  }
}

/** Whether a parameter of `type` (`string|none`, `pattern`, `options`) takes a value of type `given`. */
export function takes(type: string, given: BasicType): boolean {
  return type.split('|').some((word) => {
    if (word === 'any' || word === given) return true;
    if (word === 'options') return given === 'array';
    if (word === 'pattern') return given === 'string' || given === 'resource';
    return word === 'resource' && given === 'pattern';
  });
}

/** `a number`, `a string or none`. */
export function describeType(type: string): string {
  const words = type.split('|').map((word) => {
    if (word === 'none' || word === 'any') return word;
    if (word === 'options') return 'an array of options';
    return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
  });
  return words.length === 1 ? words[0]! : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
