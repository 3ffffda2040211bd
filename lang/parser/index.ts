// The parser's door. Chevrotain and the grammar are loaded only when something has to be parsed: a start whose scripts
// are all in the compiled cache never pays for them. There is one parser per process, made on first use.

import type { Script } from '../ast/nodes.js';
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import type { SourceFile } from '../source/source-file.js';

/** A file's tree and everything that was wrong with its text. */
export interface Parsed {
  /** Whole if there are no diagnostics; else what could be made of it, or nothing when reading had to stop. */
  readonly script: Script;
  readonly diagnostics: Diagnostic[];
}

export interface Parser {
  /** Reads one file. Never throws: a mistake in a script is a diagnostic. */
  parse(file: SourceFile): Parsed;
}

let parser: Promise<Parser> | undefined;

/** Loads the parser, or gives the one that is loaded. */
export function loadParser(): Promise<Parser> {
  parser ??= import('./parse.js').then(({ makeParser }) => makeParser());
  return parser;
}
