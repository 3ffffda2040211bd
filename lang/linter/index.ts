// The linter's door. Everything behind it, and with it resolver, compiler and parser, is loaded only when somebody lints.

import type { Environment } from '../declare.js';
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import type { CompileHost, FoundFile } from '../host.js';

/** All findings about a script, errors and warnings, in the order of its text; those in other files follow. */
export async function lint(
  entry: FoundFile,
  environment: Environment,
  host: CompileHost,
): Promise<Diagnostic[]> {
  const { lintScript } = await import('./lint.js');
  return lintScript(entry, environment, host);
}
