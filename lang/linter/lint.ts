// Everything that can be said about a script without running it: what the compiler refuses, what it warns of, and the
// linter's own rules. Errors are reported wherever they are; warnings only for the file asked for and what it includes.

import { check } from '../compile.js';
import { compileProgram } from '../compiler/compile-program.js';
import type { Environment } from '../declare.js';
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import type { CompileHost, FoundFile } from '../host.js';
import { Reporter } from '../resolver/reporter.js';
import type { ResolvedProgram } from '../resolver/resolved.js';
import { LintContext, type Rule } from './rule.js';
import { argumentTypes } from './rules/argument-types.js';
import { assignmentInCondition } from './rules/assignment-in-condition.js';
import { illegalWords } from './rules/illegal-words.js';
import { olderNames } from './rules/older-names.js';
import { shadowedBuiltin } from './rules/shadowed-builtin.js';
import { undeclaredRead } from './rules/undeclared-read.js';
import { unknownOption } from './rules/unknown-option.js';
import { unusedImport } from './rules/unused-import.js';
import { unusedVariable } from './rules/unused-variable.js';

const rules: readonly Rule[] = [
  argumentTypes,
  assignmentInCondition,
  illegalWords,
  olderNames,
  shadowedBuiltin,
  undeclaredRead,
  unknownOption,
  unusedImport,
  unusedVariable,
];

/** All findings about a script, errors and warnings, in the order of its text; those in other files follow. */
export async function lintScript(
  entry: FoundFile,
  environment: Environment,
  host: CompileHost,
): Promise<Diagnostic[]> {
  const { resolved, diagnostics } = await check(entry, environment, host);
  if (resolved === undefined) return inOrder(diagnostics, entry.name);
  const findings = [...diagnostics, ...runRules(resolved, environment)];
  if (!findings.some((one) => one.severity === 'error')) {
    findings.push(...compileProgram(resolved, environment, host.patterns).diagnostics);
  }
  const files = filesOf(resolved);
  return inOrder(
    findings.filter((one) => one.severity === 'error' || files.has(one.file.name)),
    entry.name,
  );
}

function runRules(program: ResolvedProgram, environment: Environment): readonly Diagnostic[] {
  const reporter = new Reporter();
  const context = new LintContext(program, program.modules.at(-1)!, environment, reporter);
  for (const rule of rules) rule(context);
  return reporter.diagnostics;
}

/** Names of the entry file and of all it includes. */
function filesOf(program: ResolvedProgram): Set<string> {
  const files = new Set<string>();
  const context = new LintContext(
    program,
    program.modules.at(-1)!,
    { name: '', declarations: new Map(), variables: [] },
    new Reporter(),
  );
  context.visitAll(({ node, place }) => {
    if (node.kind === 'Script') files.add(place.file.name);
  });
  return files;
}

/** Sorted, the entry file first; a file that is included twice is reported once. */
function inOrder(findings: readonly Diagnostic[], entry: string): Diagnostic[] {
  const seen = new Set<string>();
  const unique = findings.filter(({ file, span, code, message }) => {
    const key = `${file.name}\n${span.start}\n${code}\n${message}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  const rank = (one: Diagnostic) => (one.file.name === entry ? '' : ` ${one.file.name}`);
  return unique.sort((a, b) => {
    if (rank(a) !== rank(b)) return rank(a) < rank(b) ? -1 : 1;
    return a.span.start - b.span.start;
  });
}
