// From the grammar's exceptions to messages a person can use, each mistake once.
//
// One mistake makes a parser stumble several times. Two rules keep what is reported true:
// - between two findings there must be a `;`, `{` or `}`: what follows in the same statement is an echo of the first;
// - findings of the lexer count for that as well, so a broken string is one message, not two.

import type { IRecognitionException, IToken } from 'chevrotain';
import { type Diagnostic, makeDiagnostic } from '../diagnostics/diagnostic.js';
import { spanOfToken } from '../lexer/lexer.js';
import { Identifier, keywords, RawString, StringToken, signs, Variable, words } from '../lexer/tokens.js';
import { positionAt, type SourceFile, type Span } from '../source/source-file.js';

/** A token as messages show it. */
export function showToken(token: IToken): string {
  if (isEndOfFile(token)) return 'the end of the script';
  if (token.tokenType === StringToken || token.tokenType === RawString) return 'a string';
  const text = token.image.length > 30 ? `${token.image.slice(0, 27)}...` : token.image;
  return keywords.get(text) === token.tokenType ? `keyword "${text}"` : `"${text}"`;
}

/** The token chevrotain makes up behind the last one has no place in the text. */
export function isEndOfFile(token: IToken): boolean {
  return Number.isNaN(token.startOffset);
}

/** A token's place; the end of the file for the token that stands for it. */
export function placeOf(token: IToken, file: SourceFile): Span {
  return isEndOfFile(token) ? { start: file.text.length, end: file.text.length } : spanOfToken(token);
}

/** Turns what the parser threw into a finding. `error.message` is what was expected (see expectations in grammar.ts). */
export function explain(
  error: IRecognitionException,
  tokens: readonly IToken[],
  file: SourceFile,
): Diagnostic {
  const found = error.token;
  const span = placeOf(found, file);
  const before = tokenBefore(found, tokens);
  const foreign = before && foreignConstruct(found, before, tokenBefore(before, tokens));
  if (foreign !== undefined) return makeDiagnostic('HSL1200', file, span, foreign);
  if (error.message === '')
    return makeDiagnostic('HSL1101', file, span, { found: showToken(found) }, hintFor(error, tokens, file));
  const params = { found: showToken(found), expected: error.message };
  return makeDiagnostic('HSL1100', file, span, params, hintFor(error, tokens, file));
}

/**
 * A construct of another language that only shows when something does not fit: `found`, the token before it and the
 * one before that.
 */
export function foreignConstruct(
  found: IToken,
  before: IToken,
  earlier: IToken | undefined,
): { readonly what: string; readonly instead: string } | undefined {
  if (found.tokenType === Variable && before.tokenType === words.static) {
    return { what: 'static local variables', instead: 'use a static variable of a class, or a global one' };
  }
  if (found.tokenType === signs['=>'] && before.tokenType === signs[')']) {
    return { what: 'arrow functions', instead: 'write function (...) { return ...; }' };
  }
  const opens = earlier?.tokenType === signs['('] || earlier?.tokenType === signs[','];
  if (found.tokenType === signs[':'] && before.tokenType === Identifier && opens) {
    return { what: 'named arguments', instead: 'pass the values in the order of the parameters' };
  }
  return undefined;
}

function hintFor(
  error: IRecognitionException,
  tokens: readonly IToken[],
  file: SourceFile,
): string | undefined {
  const found = error.token;
  const rule = error.context.ruleStack.at(-1);
  if (isEndOfFile(found)) {
    const open = unclosedBrace(tokens);
    if (open === undefined) return undefined;
    const { line, column } = positionAt(file, open.startOffset);
    return `The ${open.image} in line ${line}, column ${column} is never closed.`;
  }
  const type = found.tokenType;
  if (type === signs['}'] && error.message === '' && unclosedBrace(tokens) === undefined)
    return 'There is one } too many.';
  if (type === words.else)
    return 'This else belongs to no if: there is a statement too many before it, or an if too few.';
  if (type === words.case || type === words.default)
    return 'Labels stand directly inside the braces of a switch.';
  if (type === words.catch) return 'catch follows the closing } of a try block.';
  if (type === words.object) return 'object is a reserved word without a meaning.';
  if ((type === signs[')'] || type === signs['}']) && rule === 'parameter')
    return 'No comma is allowed behind the last parameter.';
  if (error.message === 'a name' && keywords.has(found.image))
    return `"${found.image}" is a reserved word; choose another name.`;
  return undefined;
}

const closers: Readonly<Record<string, string>> = { '}': '{', ')': '(', ']': '[' };

/** The innermost bracket that is open at the end. */
function unclosedBrace(tokens: readonly IToken[]): IToken | undefined {
  const open: IToken[] = [];
  for (const token of tokens) {
    const type = token.tokenType;
    if (type === signs['{'] || type === signs['('] || type === signs['[']) open.push(token);
    else if (type === signs['}'] || type === signs[')'] || type === signs[']']) {
      // A wrong bracket closes nothing, unless it is a brace: those are rarely forgotten on purpose.
      const at = open.findLastIndex((token) => token.image === closers[type.LABEL?.slice(1, -1) ?? '']);
      if (at !== -1) open.length = at;
    }
  }
  return open.at(-1);
}

function tokenBefore(token: IToken, tokens: readonly IToken[]): IToken | undefined {
  if (isEndOfFile(token)) return tokens.at(-1);
  return tokens[indexAt(tokens, token.startOffset) - 1];
}

/** Index of the first token that does not begin before `offset`. */
function indexAt(tokens: readonly IToken[], offset: number): number {
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tokens[middle]!.startOffset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Puts findings in order and leaves out echoes. Those of the lexer are facts and always stay. */
export function withoutEchoes(
  lexical: readonly Diagnostic[],
  grammatical: readonly Diagnostic[],
  tokens: readonly IToken[],
): Diagnostic[] {
  const facts = new Set(lexical);
  const all = [...lexical, ...grammatical].sort((a, b) => a.span.start - b.span.start);
  const kept: Diagnostic[] = [];
  // The latest finding so far, shown or not: an echo of an echo is one, too.
  let last: number | undefined;
  for (const finding of all) {
    const start = finding.span.start;
    if (facts.has(finding) || last === undefined || hasBoundary(tokens, last, start)) kept.push(finding);
    last = start;
  }
  return kept;
}

function hasBoundary(tokens: readonly IToken[], from: number, to: number): boolean {
  for (let at = indexAt(tokens, from); at < tokens.length; at += 1) {
    const token = tokens[at]!;
    if (token.startOffset >= to) return false;
    const type = token.tokenType;
    if (type === signs[';'] || type === signs['{'] || type === signs['}']) return true;
  }
  return false;
}
