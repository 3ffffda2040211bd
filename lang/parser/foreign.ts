// What people bring along from other languages (hsl-language 18): `new`, `elseif`, `do`, type annotations, references.
// Before the grammar sees the tokens, this pass finds such constructs where they could not be anything else, says once
// what to write instead, and puts tokens in their place with which reading goes on. Only names are looked at that stand
// where HSL allows no name, so a function called `print` or a method called `in` is left alone.

import { createTokenInstance, type IToken, type TokenType } from 'chevrotain';
import { type Diagnostic, makeDiagnostic } from '../diagnostics/diagnostic.js';
import { spanOfToken } from '../lexer/lexer.js';
import {
  Identifier,
  NamedFunction,
  NumberToken,
  Pattern,
  RawString,
  StringToken,
  signs,
  Variable,
  words,
} from '../lexer/tokens.js';
import type { SourceFile } from '../source/source-file.js';

/** A word's neighbours. */
interface Place {
  readonly before: TokenType | undefined;
  readonly next: TokenType | undefined;
}

interface ForeignWord {
  readonly applies: (place: Place) => boolean;
  /** What takes its place; `drop` also takes the token behind it away. */
  readonly tokens: readonly TokenType[];
  readonly dropNext?: true;
  /** What HSL does not have; the word itself when left out. */
  readonly what?: string;
  readonly instead: string;
}

/** Neither may follow a name. */
const operandStarts = new Set<TokenType>([
  Identifier,
  Variable,
  NumberToken,
  StringToken,
  RawString,
  Pattern,
  words.function,
  NamedFunction,
  words.none,
  words.true,
  words.false,
  words.isset,
  words.static,
  words.builtin,
]);

const operandEnds = new Set<TokenType>([
  Identifier,
  Variable,
  NumberToken,
  StringToken,
  RawString,
  Pattern,
  signs[')'],
  signs[']'],
  words.none,
  words.true,
  words.false,
]);

const memberStarts = new Set<TokenType>([
  NamedFunction,
  words.function,
  words.static,
  words.private,
  words.readonly,
  words.class,
  words.constructor,
  Variable,
]);

const beforeOperand = ({ next }: Place) => next !== undefined && operandStarts.has(next);
const between = ({ before, next }: Place) =>
  before !== undefined &&
  operandEnds.has(before) &&
  next !== undefined &&
  (operandStarts.has(next) || next === signs['('] || next === signs['[']);
const beforeName = ({ next }: Place) => next === Identifier;
const beforeMember = ({ next }: Place) => next !== undefined && memberStarts.has(next);
const beforeBlock = ({ next }: Place) => next === signs['{'];
const startsStatement = ({ before }: Place) =>
  before === undefined || before === signs[';'] || before === signs['{'] || before === signs['}'];

const elseIf: ForeignWord = {
  applies: (place) => startsStatement(place) && place.next === signs['('],
  tokens: [words.else, words.if],
  instead: 'write "else if"',
};
const modifier: ForeignWord = {
  applies: beforeMember,
  tokens: [],
  instead: 'the modifiers are private, static and readonly; everything else is public',
};
const declaration: ForeignWord = {
  applies: ({ next }) => next === Variable || next === Identifier,
  tokens: [],
  instead: 'assign to a variable: $name = value',
};
const inheritance: ForeignWord = {
  applies: ({ before, next }) => before === Identifier && next === Identifier,
  tokens: [],
  dropNext: true,
  what: 'inheritance',
  instead: 'hold an object of the other class in a variable',
};
const kindOfClass: ForeignWord = {
  applies: (place) => startsStatement(place) && beforeName(place),
  tokens: [words.class],
  instead: 'write a class',
};

const foreignWords: Readonly<Record<string, ForeignWord>> = {
  elseif: elseIf,
  elsif: elseIf,
  elif: elseIf,
  new: {
    applies: ({ next }) => next === Identifier || next === Variable || next === words.static,
    tokens: [],

    instead: 'call the class like a function: Name(...)',
  },
  do: {
    applies: (place) => startsStatement(place) && beforeBlock(place),
    tokens: [],
    what: 'do ... while',
    instead: 'use forever { ... if (!condition) break; }',
  },
  finally: {
    applies: beforeBlock,
    tokens: [],

    instead: 'repeat what must always happen in the catch block and behind it',
  },
  print: { applies: beforeOperand, tokens: [words.echo], instead: 'use "echo"' },
  xor: {
    applies: between,
    tokens: [words.or],

    instead: 'compare two booleans with !=',
  },
  in: {
    applies: between,
    tokens: [signs['==']],
    what: 'operator "in"',
    instead: 'use array_includes(value, array); a loop is written foreach ($list as $value)',
  },
  instanceof: {
    applies: between,
    tokens: [signs['==']],

    instead: 'use is_object and the functions the object has',
  },
  goto: {
    applies: beforeName,
    tokens: [],

    instead: 'use a loop with break and continue, or a function',
  },
  const: declaration,
  let: declaration,
  var: declaration,
  export: {
    applies: ({ next }) =>
      next === NamedFunction ||
      next === words.class ||
      next === Variable ||
      next === Identifier ||
      next === signs['{'],
    tokens: [],

    instead: 'leave it out: everything at the top level of a file can be imported',
  },
  extends: inheritance,
  implements: inheritance,
  interface: kindOfClass,
  trait: kindOfClass,
  struct: kindOfClass,
  enum: kindOfClass,
  public: modifier,
  protected: modifier,
  final: modifier,
  abstract: modifier,
  async: {
    applies: beforeMember,
    tokens: [],

    instead: 'leave it out: a function that waits looks like any other',
  },
  await: {
    applies: beforeOperand,
    tokens: [],

    instead: 'leave it out: a function that waits looks like any other',
  },
  memoize: {
    applies: beforeOperand,
    tokens: [words.cache, signs['['], signs[']']],

    instead: 'use cache [...] name(...)',
  },
  require: {
    applies: ({ next }) => next === StringToken || next === RawString,
    tokens: [words.include],

    instead: 'use "include"',
  },
  require_once: {
    applies: ({ next }) => next === StringToken || next === RawString,
    tokens: [words.include_once],

    instead: 'use "include_once"',
  },
};

/** Takes the constructs of other languages out of `tokens`. Returns the same list when there were none. */
export function replaceForeign(file: SourceFile, tokens: IToken[], problems: Diagnostic[]): IToken[] {
  let kept: IToken[] | undefined;
  const report = (token: IToken, what: string, instead: string) => {
    problems.push(makeDiagnostic('HSL1200', file, spanOfToken(token), { what, instead }));
  };
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at]!;
    const type = token.tokenType;
    let replacement: readonly TokenType[] | undefined;
    let length = 1;
    if (type === Identifier) {
      const place = { before: tokens[at - 1]?.tokenType, next: tokens[at + 1]?.tokenType };
      const row = Object.hasOwn(foreignWords, token.image) ? foreignWords[token.image] : undefined;
      if (row?.applies(place)) {
        report(token, row.what ?? `"${token.image}"`, row.instead);
        replacement = row.tokens;
        if (row.dropNext) length = 2;
      } else if (isTypeAnnotation(place)) replacement = dropType(token, report);
      else if (isReturnType(tokens, at)) {
        replacement = dropType(token, report);
        kept?.pop();
        kept ??= tokens.slice(0, at - 1);
      }
    } else if (type === words.array || type === words.object || type === words.function) {
      const place = { before: tokens[at - 1]?.tokenType, next: tokens[at + 1]?.tokenType };
      if (isTypeAnnotation(place)) replacement = dropType(token, report);
      else if (type !== words.function && isReturnType(tokens, at)) {
        replacement = dropType(token, report);
        kept?.pop();
        kept ??= tokens.slice(0, at - 1);
      }
    } else if (type === signs['&'] && isReference(tokens[at - 1]?.tokenType, tokens[at + 1]?.tokenType)) {
      report(
        token,
        'references',
        'arrays are copied when written; share by an object, global or closure (...)',
      );
      replacement = [];
    }
    if (replacement === undefined) {
      kept?.push(token);
      continue;
    }
    kept ??= tokens.slice(0, at);
    for (const stand of replacement) kept.push(standIn(stand, token));
    at += length - 1;
  }
  return kept ?? tokens;
}

function dropType(token: IToken, report: (token: IToken, what: string, instead: string) => void): [] {
  report(token, 'type annotations', 'leave the type out');
  return [];
}

// `(string $x`, `, int $y`: a name never stands before a variable.
function isTypeAnnotation({ before, next }: Place): boolean {
  return (before === signs['('] || before === signs[',']) && (next === Variable || next === signs['...']);
}

// `): int {`: only a class, match or closure has braces behind a name.
function isReturnType(tokens: readonly IToken[], at: number): boolean {
  return (
    tokens[at - 1]?.tokenType === signs[':'] &&
    tokens[at - 2]?.tokenType === signs[')'] &&
    tokens[at + 1]?.tokenType === signs['{']
  );
}

function isReference(before: TokenType | undefined, next: TokenType | undefined): boolean {
  if (next !== Variable || before === undefined) return false;
  return (
    !operandEnds.has(before) && before !== signs['++'] && before !== signs['--'] && before !== signs['}']
  );
}

/** A token of another type at the same place. */
function standIn(type: TokenType, token: IToken): IToken {
  const { startOffset, image } = token;
  return createTokenInstance(type, image, startOffset, startOffset, 0, 0, 0, 0);
}
