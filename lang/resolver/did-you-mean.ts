// The hint for a name that was probably mistyped.

import { suggest } from '../diagnostics/suggest.js';

/** `Did you mean "…"?`, or undefined when no candidate is near enough. `sigil` goes before the name (`$`). */
export function didYouMean(name: string, candidates: Iterable<string>, sigil = ''): string | undefined {
  const nearest = suggest(name, candidates);
  return nearest === undefined ? undefined : `Did you mean "${sigil}${nearest}"?`;
}
