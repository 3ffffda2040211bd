// How strongly operators bind (hsl-language 5.1). Parser and printer read the same numbers. The lower the level, the
// stronger; only `??`, `**`, the conditional and assignments lean to the right.

import type { BinaryOperator } from './nodes.js';

/** Operators between two operands, `**` apart: the parser climbs over these. */
export type InfixOperator = Exclude<BinaryOperator, '**'> | 'and' | 'or' | '??';

/** The levels of hsl-language 5.1 that other code names. */
export const level = {
  postfix: 1,
  power: 2,
  prefix: 3,
  coalesce: 15,
  conditional: 16,
  assignment: 17,
} as const;

/** The level of each infix operator. */
export const infixLevels: Readonly<Record<InfixOperator, number>> = {
  '*': 4,
  '/': 4,
  '%': 4,
  '+': 5,
  '-': 5,
  '<<': 6,
  '>>': 6,
  '>>>': 6,
  '.': 7,
  '<': 8,
  '>': 8,
  '<=': 8,
  '>=': 8,
  '==': 9,
  '!=': 9,
  '===': 9,
  '!==': 9,
  '=~': 9,
  '!~': 9,
  '&': 10,
  '^': 11,
  '|': 12,
  and: 13,
  or: 14,
  '??': level.coalesce,
};
