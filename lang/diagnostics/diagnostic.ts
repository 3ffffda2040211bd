import type { SourceFile, Span } from '../source/source-file.js';
import type { MessageCode } from './messages.js';

/** One finding about a script, made for its author. Nothing about a script's mistakes is ever thrown as a JavaScript error. */
export interface Diagnostic {
  readonly code: MessageCode;
  readonly severity: 'error' | 'warning';
  /** A whole sentence: what was found, what was expected. */
  readonly message: string;
  readonly file: SourceFile;
  readonly span: Span;
  /** What to do about it, when we know ("Did you mean …?"). */
  readonly hint?: string;
  /** For a place inside an included file: the include statements that led there, innermost first. */
  readonly includedFrom?: readonly { readonly file: SourceFile; readonly span: Span }[];
}
