// One file, from text to tree: lexer, constructs of other languages, grammar, and the limits that keep a hostile or
// generated script from costing more than a message. Reached by `loadParser` only.

import type { IRecognitionException, IToken } from 'chevrotain';
import type { Script } from '../ast/nodes.js';
import { firstNodeBelow } from '../ast/walk.js';
import { type Diagnostic, makeDiagnostic } from '../diagnostics/diagnostic.js';
import { tokenize } from '../lexer/lexer.js';
import type { SourceFile } from '../source/source-file.js';
import { replaceForeign } from './foreign.js';
import { Grammar, NESTING_LIMIT, ReadingStopped } from './grammar.js';
import type { Parsed, Parser } from './index.js';
import { explain, withoutEchoes } from './recovery.js';

/** Bytes of one file. */
export const SIZE_LIMIT = 4 * 1024 * 1024;

/**
 * Levels of a tree. Passes over the tree recurse, so this is what keeps them from overflowing the stack; nesting alone
 * does not, because a long chain of one operator is read in a loop and makes a deep tree all the same.
 */
export const HEIGHT_LIMIT = 600;

/** Makes the parser; `validate` lets chevrotain check the grammar itself (tests do, it takes a moment). */
export function makeParser(options: { readonly validate: boolean } = { validate: false }): Parser {
  const grammar = new Grammar(options);
  return { parse: (file) => parse(grammar, file) };
}

function parse(grammar: Grammar, file: SourceFile): Parsed {
  const size = file.text.length;
  if (size > SIZE_LIMIT) {
    const params = { size, limit: SIZE_LIMIT };
    return {
      script: emptyScript(file),
      diagnostics: [makeDiagnostic('HSL1011', file, { start: 0, end: 0 }, params)],
    };
  }
  const { tokens: read, problems } = tokenize(file);
  const tokens = replaceForeign(file, read, problems);
  const { script, findings, stop } = readTokens(grammar, file, tokens);
  const diagnostics = withoutEchoes(problems, findings, tokens);
  const tooDeep = stop === undefined ? firstNodeBelow(script, HEIGHT_LIMIT) : undefined;
  if (stop !== undefined) diagnostics.push(stop);
  if (tooDeep === undefined) return { script, diagnostics };
  diagnostics.push(tooDeeply(file, tooDeep.span.start, HEIGHT_LIMIT, 'operators, blocks and expressions'));
  return { script: emptyScript(file), diagnostics };
}

interface Read {
  readonly script: Script;
  readonly findings: Diagnostic[];
  /** Why reading ended before the file did. */
  readonly stop?: Diagnostic;
}

function readTokens(grammar: Grammar, file: SourceFile, tokens: IToken[]): Read {
  const explained = (errors: readonly IRecognitionException[]): Diagnostic[] => [
    ...grammar.reports,
    ...errors.map((error) => explain(error, tokens, file)),
  ];
  try {
    const script = grammar.read(file, tokens);
    return { script, findings: explained(grammar.errors) };
  } catch (error) {
    // Chevrotain wonders on its way out why there is text left.
    const findings = explained(grammar.errors.filter((one) => one.name !== 'NotAllInputParsedException'));
    if (error instanceof ReadingStopped) return { script: emptyScript(file), findings, stop: error.finding };
    // The nesting limit should make this impossible; a caller that has used up the stack is the exception.
    if (!(error instanceof RangeError)) throw error;
    const stop = tooDeeply(file, 0, NESTING_LIMIT, 'blocks and expressions');
    return { script: emptyScript(file), findings, stop };
  }
}

function tooDeeply(file: SourceFile, start: number, limit: number, what: string): Diagnostic {
  return makeDiagnostic('HSL1102', file, { start, end: start }, { limit, what });
}

function emptyScript(file: SourceFile): Script {
  return { kind: 'Script', span: { start: 0, end: file.text.length }, body: [] };
}
