// The warning for operators on literals that cannot work (hsl-language 5.3). The code stays: it fails when it runs.

import type { Expression } from '../ast/nodes.js';
import { makeDiagnostic } from '../diagnostics/diagnostic.js';
import type { ConstantResult } from './fold.js';
import type { FunctionCompiler } from './function-compiler.js';

/** Warns of `fault`, once, if it is in an operator. */
export function warnOfFault(
  f: FunctionCompiler,
  node: Expression,
  fault: Extract<ConstantResult, { kind: 'fault' }>,
): void {
  const at = fault.node;
  if ((at.kind !== 'Binary' && at.kind !== 'Unary') || at !== node) return;
  const { diagnostics } = f.program;
  if (diagnostics.some((known) => known.file === f.file && known.span === at.span)) return;
  diagnostics.push(makeDiagnostic('HSL9001', f.file, at.span, { why: fault.message }));
}
