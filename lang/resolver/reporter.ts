// Collects what the resolver finds wrong. Places inside included files carry the include statements that led there.

import { type Diagnostic, makeDiagnostic } from '../diagnostics/diagnostic.js';
import type { MessageCode, MessageParams } from '../diagnostics/messages.js';
import { positionAt, type Span } from '../source/source-file.js';
import type { Place } from './scope.js';

/** The list of findings, in the order they were made. */
export class Reporter {
  readonly diagnostics: Diagnostic[] = [];

  report<C extends MessageCode>(
    code: C,
    place: Place,
    at: { readonly span: Span },
    params: MessageParams<C>,
    hint?: string,
  ): void {
    const found = makeDiagnostic(code, place.file, at.span, params, hint);
    const { includedFrom } = place;
    this.diagnostics.push(includedFrom.length > 0 ? { ...found, includedFrom } : found);
  }
}

/** `line 3`, or `line 3 of other.hsl` when it is another file. */
export function whereIs(place: Place, span: Span, seenFrom: Place): string {
  const { line } = positionAt(place.file, span.start);
  return place.file.name === seenFrom.file.name ? `line ${line}` : `line ${line} of ${place.file.name}`;
}
