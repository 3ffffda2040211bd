// From text to tokens. Nothing here stops at a mistake: it is reported once, something harmless takes its place, and
// the parser goes on. Text is one character per byte, so bytes above 0x7f outside texts and comments are mistakes too.

import { type ILexingResult, type IToken, Lexer, type TokenType } from 'chevrotain';
import { type Diagnostic, makeDiagnostic } from '../diagnostics/diagnostic.js';
import type { SourceFile, Span } from '../source/source-file.js';
import { describeForeignBytes, foreignOperators } from './lookalikes.js';
import { readNumber } from './numbers.js';
import { forgetUnclosedTexts, type TextProblem } from './strings.js';
import {
  ForeignBytes,
  ForeignOperator,
  HashComment,
  Heredoc,
  Identifier,
  keywords,
  NamedFunction,
  NumberToken,
  REPORTED,
  StringToken,
  signs,
  TypographicString,
  vocabulary,
  words,
} from './tokens.js';

/** A file's tokens, and what was wrong with its characters, in order. */
export interface Lexed {
  readonly tokens: IToken[];
  readonly problems: Diagnostic[];
}

const lexer = new Lexer([...vocabulary], {
  positionTracking: 'onlyOffset',
  ensureOptimizations: true,
  skipValidations: true,
});

/** Splits a file into tokens. Never throws. */
export function tokenize(file: SourceFile): Lexed {
  forgetUnclosedTexts();
  const result = lexer.tokenize(file.text);
  const problems: Diagnostic[] = [];
  reportSkipped(file, result, problems);
  const tokens = result.tokens;
  const bodies = new ClassBodies();
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at]!;
    const type = token.tokenType;
    if (type === Identifier) {
      const before = tokens[at - 1];
      const keyword = keywords.get(token.image);
      const isName = isNameHere(keyword, before, tokens[at - 2]) || bodies.namesMethod(keyword, before);
      if (keyword !== undefined && !isName) {
        if (declaresHere(before)) problems.push(keywordAsName(file, token, before!));
        else become(token, keyword);
      }
      if (token.tokenType === Identifier && before?.tokenType === words.function)
        become(before, NamedFunction);
    } else if (type === NumberToken) checkNumber(file, token, problems);
    else if (token.payload !== undefined) {
      const problem = token.payload as TextProblem;
      problems.push(problem(file, spanOfToken(token)));
      if (type === TypographicString || type === Heredoc) become(token, StringToken);
    } else if (type === ForeignOperator) replaceOperator(file, token, problems);
    bodies.pass(token);
  }
  problems.sort((a, b) => a.span.start - b.span.start);
  return { tokens, problems };
}

/** Turns a token into one of another type; the parser looks at nothing else. */
export function become(token: IToken, type: TokenType): void {
  token.tokenType = type;
  token.tokenTypeIdx = type.tokenTypeIdx!;
}

/** Where a token stands in the text. */
export function spanOfToken(token: IToken): Span {
  return { start: token.startOffset, end: token.startOffset + token.image.length };
}

// A keyword is an ordinary name behind `->` and behind the `::` of a class or namespace. `$a[1::not $x]` is not that:
// there the `::` are two colons of a slice.
function isNameHere(
  keyword: TokenType | undefined,
  before: IToken | undefined,
  owner: IToken | undefined,
): boolean {
  if (before?.tokenType === signs['->']) return true;
  if (before?.tokenType !== signs['::'] || owner === undefined) return false;
  return owner.tokenType === Identifier || (owner.tokenType === words.static && keyword !== words.static);
}

/** Knows whether the current token stands directly in the braces of a class: keywords may name methods there. */
class ClassBodies {
  /** For every open brace, whether it is that of a class. */
  readonly #open: boolean[] = [];
  #classAhead = false;

  pass({ tokenType }: IToken): void {
    if (tokenType === signs['{']) {
      this.#open.push(this.#classAhead);
      this.#classAhead = false;
    } else if (tokenType === signs['}']) this.#open.pop();
    else if (tokenType === words.class) this.#classAhead = true;
  }

  namesMethod(keyword: TokenType | undefined, before: IToken | undefined): boolean {
    return (
      before?.tokenType === words.function && keyword !== words.constructor && this.#open.at(-1) === true
    );
  }
}

function declaresHere(before: IToken | undefined): boolean {
  return before?.tokenType === words.function || before?.tokenType === words.class;
}

function keywordAsName(file: SourceFile, token: IToken, before: IToken): Diagnostic {
  const what = before.tokenType === words.class ? 'a class' : 'a function';
  return makeDiagnostic('HSL1109', file, spanOfToken(token), { word: token.image, what });
}

function checkNumber(file: SourceFile, token: IToken, problems: Diagnostic[]): void {
  const reading = readNumber(token.image);
  if (reading.kind === 'number') return;
  const span = spanOfToken(token);
  const text = shorten(token.image);
  if (reading.kind === 'bad')
    problems.push(makeDiagnostic('HSL1009', file, span, { text, why: reading.why }));
  else {
    const hint = 'Put blanks around the point that joins.';
    problems.push(makeDiagnostic('HSL1010', file, span, { text }, hint));
  }
}

function replaceOperator(file: SourceFile, token: IToken, problems: Diagnostic[]): void {
  const row = foreignOperators[token.image] ?? { meant: '+', instead: 'remove it' };
  const params = { what: `"${token.image}"`, instead: row.instead };
  problems.push(makeDiagnostic('HSL1200', file, spanOfToken(token), params));
  const type = keywords.get(row.meant) ?? signs[row.meant as keyof typeof signs];
  become(token, type);
}

function reportSkipped(file: SourceFile, result: ILexingResult, problems: Diagnostic[]): void {
  for (const token of result.groups[REPORTED] ?? []) {
    const span = spanOfToken(token);
    if (token.tokenType === ForeignBytes) {
      const { what, hint } = describeForeignBytes(token.image);
      problems.push(makeDiagnostic('HSL1000', file, span, { what }, hint));
    } else if (token.tokenType === HashComment) {
      const params = { what: 'comments that begin with #', instead: 'use //' };
      problems.push(makeDiagnostic('HSL1200', file, { start: span.start, end: span.start + 1 }, params));
    } else {
      problems.push(makeDiagnostic('HSL1005', file, { start: span.start, end: span.start + 2 }, {}));
    }
  }
  for (const error of result.errors) {
    const span = { start: error.offset, end: error.offset + error.length };
    const found = printable(file.text.charAt(error.offset));
    problems.push(makeDiagnostic('HSL1001', file, span, { found }));
  }
}

function printable(character: string): string {
  const code = character.charCodeAt(0);
  if (code >= 0x21 && code <= 0x7e) return `"${character}"`;
  return `0x${code.toString(16).padStart(2, '0')}`;
}

function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 37)}...`;
}
