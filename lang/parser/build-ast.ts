// Node makers for the grammar: what takes more than putting fields into a record. Nothing here reads tokens ahead;
// problems go to the `problem` function that is handed in.

import type { IToken, TokenType } from 'chevrotain';
import type {
  ArrayItem,
  ArrayLiteral,
  Assignable,
  BinaryOperator,
  Destructure,
  DestructureTarget,
  Expression,
  Literal,
  Name,
  Template,
} from '../ast/nodes.js';
import { type InfixOperator, infixLevels } from '../ast/precedence.js';
import { readNumber } from '../lexer/numbers.js';
import { readRawString, readString } from '../lexer/strings.js';
import { signs, words } from '../lexer/tokens.js';
import type { Span } from '../source/source-file.js';

/** From the start of one span to the end of another. */
export function spanFrom(first: Span, last: Span): Span {
  return { start: first.start, end: last.end };
}

// --- Leaves -----------------------------------------------------------------------------------------------------

export function numberLiteral(token: IToken, span: Span): Literal {
  const reading = readNumber(token.image);
  return { kind: 'Literal', span, value: reading.kind === 'number' ? reading.value : 0 };
}

export function rawStringLiteral(token: IToken, span: Span): Literal {
  return { kind: 'Literal', span, value: readRawString(token.image), raw: token.image };
}

/** A double-quoted string: a literal, or a template when variables stand in it. */
export function stringLiteral(token: IToken, span: Span): Literal | Template {
  const parts = readString(token.image);
  if (parts.length === 0) return { kind: 'Literal', span, value: '', raw: token.image };
  const first = parts[0]!;
  if (parts.length === 1 && typeof first === 'string') {
    return { kind: 'Literal', span, value: first, raw: token.image };
  }
  return {
    kind: 'Template',
    span,
    parts: parts.map((part) =>
      typeof part === 'string'
        ? part
        : {
            kind: 'Variable',
            span: { start: span.start + part.start, end: span.start + part.end },
            name: part.name,
          },
    ),
  };
}

export function nameOf(token: IToken, span: Span): Name {
  return { kind: 'Name', span, text: token.image };
}

// --- Operators --------------------------------------------------------------------------------------------------

/** By token type number, so that the hot path needs no text. */
const infixOperators: (InfixOperator | undefined)[] = [];
for (const operator of Object.keys(infixLevels) as InfixOperator[]) {
  const type = operator === 'and' || operator === 'or' ? words[operator] : signs[operator];
  infixOperators[type.tokenTypeIdx!] = operator;
}

/**
 * Operands and operators of one expression in the order they are read; strong operators are joined as soon as a weaker
 * one follows (hsl-language 5.1, levels 4 to 15).
 */
export class OperatorChain {
  readonly #operands: Expression[];
  readonly #operators: InfixOperator[] = [];

  constructor(first: Expression) {
    this.#operands = [first];
  }

  add(type: TokenType, right: Expression): void {
    const operator = infixOperators[type.tokenTypeIdx!] ?? '+';
    const strength = infixLevels[operator];
    // `??` leans to the right: an equal one on its left stays open.
    this.#joinWhile((open) => infixLevels[open] <= strength && open !== '??');
    this.#operators.push(operator);
    this.#operands.push(right);
  }

  finish(): Expression {
    this.#joinWhile(() => true);
    return this.#operands[0]!;
  }

  #joinWhile(binds: (open: InfixOperator) => boolean): void {
    for (
      let open = this.#operators.at(-1);
      open !== undefined && binds(open);
      open = this.#operators.at(-1)
    ) {
      this.#operators.pop();
      const right = this.#operands.pop()!;
      const left = this.#operands.pop()!;
      this.#operands.push(infix(open, left, right));
    }
  }
}

function infix(operator: InfixOperator, left: Expression, right: Expression): Expression {
  const span = spanFrom(left.span, right.span);
  if (operator === '??') return { kind: 'Coalesce', span, left, right };
  if (operator === 'and' || operator === 'or') return { kind: 'Logical', span, operator, left, right };
  return { kind: 'Binary', span, operator: operator satisfies BinaryOperator, left, right };
}

/** Applies prefix operators, the innermost last. */
export function applyPrefixes(
  prefixes: readonly IToken[],
  operand: Expression,
  target: (node: Expression) => Assignable,
): Expression {
  let node = operand;
  for (let at = prefixes.length - 1; at >= 0; at -= 1) {
    const token = prefixes[at]!;
    const span = { start: token.startOffset, end: node.span.end };
    const type = token.tokenType;
    if (type === signs['++'] || type === signs['--']) {
      const by = type === signs['++'] ? 1 : -1;
      node = { kind: 'Increment', span, by, isPrefix: true, target: target(node) };
    } else {
      const operator =
        type === signs['-'] ? '-' : type === signs['+'] ? '+' : type === signs['~'] ? '~' : '!';
      node = { kind: 'Unary', span, operator, operand: node };
    }
  }
  return node;
}

// --- What may be assigned to ------------------------------------------------------------------------------------

export function isAssignable(node: Expression): node is Assignable {
  switch (node.kind) {
    case 'Variable':
    case 'Subscript':
    case 'Append':
    case 'Slice':
    case 'Member':
      return true;
    case 'StaticReference':
      return node.isVariable;
    default:
      return false;
  }
}

/** What an expression is, for messages: "a number cannot be assigned to". */
export function describe(node: Expression): string {
  switch (node.kind) {
    case 'Literal':
      return node.value === null || typeof node.value === 'boolean'
        ? `the constant ${node.value === null ? 'none' : node.value}`
        : `a ${typeof node.value}`;
    case 'Template':
      return 'a string';
    case 'PatternLiteral':
      return 'a pattern';
    case 'NameReference':
      return `the name ${node.name} without a $`;
    case 'BuiltinReference':
      return `the builtin ${node.name}`;
    case 'StaticReference':
      return `the function ${node.owner.text}::${node.member.text}`;
    case 'ArrayLiteral':
      return 'an array';
    case 'AnonymousFunction':
      return 'a function';
    case 'Call':
    case 'Cache':
      return 'the result of a call';
    case 'Parenthesized':
      return 'an expression in parentheses';
    case 'Assign':
    case 'CompoundAssign':
    case 'Destructure':
      return 'an assignment';
    case 'Increment':
      return `the result of ${node.by === 1 ? '++' : '--'}`;
    case 'Spread':
      return 'a ...';
    case 'Isset':
    case 'Unset':
    case 'Match':
    case 'Yield':
      return `the result of ${node.kind.toLowerCase()}`;
    case 'Variable':
      return `the variable $${node.name}`;
    case 'Subscript':
    case 'Append':
      return 'an element';
    case 'Slice':
      return 'a slice';
    case 'Member':
      return 'a property';
    case 'Unary':
    case 'Binary':
    case 'Logical':
    case 'Conditional':
    case 'Coalesce':
      return 'the result of an operator';
  }
}

// --- Destructuring ----------------------------------------------------------------------------------------------

/** An array literal turns out to be the left side of `=`. `problem` gets each item that cannot be a target. */
export function toDestructure(
  list: ArrayLiteral,
  value: Expression,
  problem: (node: Expression) => void,
): Destructure {
  const targets: DestructureTarget[] = [];
  for (const item of list.items) {
    const target = toTarget(item, problem);
    if (target !== undefined) targets.push(target);
  }
  return { kind: 'Destructure', span: spanFrom(list.span, value.span), targets, value };
}

function toTarget(item: ArrayItem, problem: (node: Expression) => void): DestructureTarget | undefined {
  const { key, span } = item;
  const isRest = item.value.kind === 'Spread';
  const written = item.value.kind === 'Spread' ? item.value.value : item.value;
  const initial = written.kind === 'Assign' && !isRest ? written.value : undefined;
  const target = written.kind === 'Assign' && !isRest ? written.target : written;
  if (!isAssignable(target)) {
    problem(target);
    return undefined;
  }
  return { kind: 'DestructureTarget', span, key, target, initial, isRest };
}
