// A finding about a script, made for its author. Nothing about a script's mistakes is ever thrown as a JavaScript
// error: every pass of the compiler collects diagnostics and goes on as far as it makes sense.

import type { SourceFile, Span } from '../source/source-file.js';
import { type MessageCode, type MessageParams, messages } from './messages.js';

/** One finding about a script. */
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

/** Makes a finding from a row of the message table. Rows HSL9xxx are warnings, all others errors. */
export function makeDiagnostic<C extends MessageCode>(
  code: C,
  file: SourceFile,
  span: Span,
  params: MessageParams<C>,
  hint?: string,
): Diagnostic {
  const values: Readonly<Record<string, string | number>> = params;
  const message = messages[code].replace(/\{(\w+)\}/g, (hole, name: string) => String(values[name] ?? hole));
  const severity = code.startsWith('HSL9') ? 'warning' : 'error';
  const found = { code, severity, message, file, span } as const;
  return hint === undefined ? found : { ...found, hint };
}
