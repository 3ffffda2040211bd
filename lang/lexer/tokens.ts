// The vocabulary, in matching order: the lexer takes the first token that fits, so longer signs stand above shorter ones.
// Keywords have no pattern: the lexer reads a name and looks it up here, which is faster than forty alternatives.
//
// Categories let the grammar name a set: every binary operator is a BinaryOperator, and lang/parser/operators.ts knows
// how strongly each binds.

import { createToken, Lexer, type TokenType } from 'chevrotain';
import { foreignOperatorPattern, matchHeredoc, matchTypographicString } from './lookalikes.js';
import { matchPattern, matchRawString, matchString } from './strings.js';

// --- Sets ------------------------------------------------------------------------------------------------------

const set = (name: string, label: string) => createToken({ name, label, pattern: Lexer.NA });

export const BinaryOperator = set('BinaryOperator', 'an operator');
export const AssignOperator = set('AssignOperator', 'an assignment operator');
export const PrefixOperator = set('PrefixOperator', 'an operator');

// --- What is skipped -------------------------------------------------------------------------------------------

const WhiteSpace = createToken({
  name: 'WhiteSpace',
  pattern: /[ \t\r\n]+/,
  group: Lexer.SKIPPED,
  line_breaks: true,
});
const LineComment = createToken({ name: 'LineComment', pattern: /\/\/[^\n]*/, group: Lexer.SKIPPED });
const BlockComment = createToken({
  name: 'BlockComment',
  pattern: (text: string, start: number): [string] | null => {
    if (!text.startsWith('/*', start)) return null;
    const end = text.indexOf('*/', start + 2);
    return end === -1 ? null : [text.slice(start, end + 2)];
  },
  start_chars_hint: ['/'],
  group: Lexer.SKIPPED,
  line_breaks: true,
});

// --- What is reported and skipped ------------------------------------------------------------------------------

/** Tokens of this group never reach the parser; the lexer reports them. */
export const REPORTED = 'reported';

export const UnclosedComment = createToken({
  name: 'UnclosedComment',
  pattern: /\/\*[\s\S]*/,
  group: REPORTED,
  line_breaks: true,
});
export const HashComment = createToken({ name: 'HashComment', pattern: /#(?!\/)[^\n]*/, group: REPORTED });
export const ForeignBytes = createToken({ name: 'ForeignBytes', pattern: /[\x80-\uffff]+/, group: REPORTED });

// --- Names, numbers, texts -------------------------------------------------------------------------------------

export const Identifier = createToken({ name: 'Identifier', label: 'a name', pattern: /[A-Za-z_]\w*/ });
export const Variable = createToken({ name: 'Variable', label: 'a variable', pattern: /\$[A-Za-z_]\w*/ });
export const NumberToken = createToken({ name: 'Number', label: 'a number', pattern: /\d\w*(?:\.\d\w*)*/ });

export const StringToken = createToken({
  name: 'String',
  label: 'a string',
  pattern: matchString,
  start_chars_hint: ['"'],
  line_breaks: true,
});
export const RawString = createToken({
  name: 'RawString',
  label: 'a raw string',
  pattern: matchRawString,
  start_chars_hint: ["'"],
  line_breaks: true,
});
export const Pattern = createToken({
  name: 'Pattern',
  label: 'a pattern',
  pattern: matchPattern,
  start_chars_hint: ['#'],
  line_breaks: false,
});

/** Become a StringToken once reported. */
export const TypographicString = createToken({
  name: 'TypographicString',
  pattern: matchTypographicString,
  start_chars_hint: ['\xe2'],
  line_breaks: false,
});
/** Becomes a StringToken once reported. */
export const Heredoc = createToken({
  name: 'Heredoc',
  pattern: matchHeredoc,
  start_chars_hint: ['<'],
  line_breaks: true,
});
/** Becomes what its row in lookalikes.ts says once reported. */
export const ForeignOperator = createToken({ name: 'ForeignOperator', pattern: foreignOperatorPattern });

// --- Signs -----------------------------------------------------------------------------------------------------

function sign(text: string, ...categories: TokenType[]): TokenType {
  return createToken({ name: `Sign ${text}`, label: `"${text}"`, pattern: text, categories });
}

export const signs = {
  '>>>': sign('>>>', BinaryOperator),
  '===': sign('===', BinaryOperator),
  '!==': sign('!==', BinaryOperator),
  '**=': sign('**=', AssignOperator),
  '...': sign('...'),
  '??=': sign('??=', AssignOperator),
  '++': sign('++', PrefixOperator),
  '--': sign('--', PrefixOperator),
  '->': sign('->'),
  '=>': sign('=>'),
  '==': sign('==', BinaryOperator),
  '!=': sign('!=', BinaryOperator),
  '<=': sign('<=', BinaryOperator),
  '>=': sign('>=', BinaryOperator),
  '=~': sign('=~', BinaryOperator),
  '!~': sign('!~', BinaryOperator),
  '<<': sign('<<', BinaryOperator),
  '>>': sign('>>', BinaryOperator),
  '**': sign('**'),
  '??': sign('??', BinaryOperator),
  '::': sign('::'),
  '+=': sign('+=', AssignOperator),
  '-=': sign('-=', AssignOperator),
  '*=': sign('*=', AssignOperator),
  '/=': sign('/=', AssignOperator),
  '%=': sign('%=', AssignOperator),
  '.=': sign('.=', AssignOperator),
  '+': sign('+', BinaryOperator, PrefixOperator),
  '-': sign('-', BinaryOperator, PrefixOperator),
  '*': sign('*', BinaryOperator),
  '/': sign('/', BinaryOperator),
  '%': sign('%', BinaryOperator),
  '.': sign('.', BinaryOperator),
  '=': sign('=', AssignOperator),
  '<': sign('<', BinaryOperator),
  '>': sign('>', BinaryOperator),
  '!': sign('!', PrefixOperator),
  '~': sign('~', PrefixOperator),
  '&': sign('&', BinaryOperator),
  '|': sign('|', BinaryOperator),
  '^': sign('^', BinaryOperator),
  '?': sign('?'),
  ':': sign(':'),
  ';': sign(';'),
  ',': sign(','),
  '(': sign('('),
  ')': sign(')'),
  '[': sign('['),
  ']': sign(']'),
  '{': sign('{'),
  '}': sign('}'),
} as const;

// --- Keywords --------------------------------------------------------------------------------------------------

function word(text: string, ...categories: TokenType[]): TokenType {
  return createToken({ name: `Word ${text}`, label: `"${text}"`, pattern: Lexer.NA, categories });
}

/** The reserved words (hsl-language 2.3), and `__debug`, which only a debug session writes. */
export const words = {
  and: word('and', BinaryOperator),
  array: word('array'),
  as: word('as'),
  barrier: word('barrier'),
  break: word('break'),
  builtin: word('builtin'),
  cache: word('cache'),
  case: word('case'),
  catch: word('catch'),
  class: word('class'),
  closure: word('closure'),
  constructor: word('constructor'),
  continue: word('continue'),
  default: word('default'),
  echo: word('echo'),
  else: word('else'),
  false: word('false'),
  for: word('for'),
  foreach: word('foreach'),
  forever: word('forever'),
  from: word('from'),
  function: word('function'),
  global: word('global'),
  if: word('if'),
  import: word('import'),
  include: word('include'),
  include_once: word('include_once'),
  isset: word('isset'),
  match: word('match'),
  none: word('none'),
  not: word('not', PrefixOperator),
  object: word('object'),
  or: word('or', BinaryOperator),
  private: word('private'),
  readonly: word('readonly'),
  return: word('return'),
  static: word('static'),
  switch: word('switch'),
  throw: word('throw'),
  true: word('true'),
  try: word('try'),
  unset: word('unset'),
  while: word('while'),
  with: word('with'),
  yield: word('yield'),
  __debug: word('__debug'),
} as const;

/** Keywords by their text. */
export const keywords: ReadonlyMap<string, TokenType> = new Map(Object.entries(words));

/** `function` with a name behind it: told apart by the lexer, so that the grammar can decide by one token. */
export const NamedFunction = createToken({ name: 'NamedFunction', label: '"function"', pattern: Lexer.NA });

/** Everything, in matching order. */
export const vocabulary: readonly TokenType[] = [
  WhiteSpace,
  Identifier,
  Variable,
  StringToken,
  LineComment,
  BlockComment,
  UnclosedComment,
  NumberToken,
  RawString,
  Pattern,
  HashComment,
  TypographicString,
  ForeignBytes,
  Heredoc,
  ForeignOperator,
  ...Object.values(signs),
  ...Object.values(words),
  NamedFunction,
  BinaryOperator,
  AssignOperator,
  PrefixOperator,
];
