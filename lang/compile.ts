// From a script's text to a program: read, resolve, compile; or, when nothing it depends on has changed, taken from the
// compiled-script cache. Parser, resolver and compiler are imported only when they are needed, so that a start with
// unchanged scripts loads none of them.

import type { Program } from './bytecode/function-code.js';
import { type CachedProgram, cacheKey, readCached, writeCached } from './bytecode/program-cache.js';
import type { Environment } from './declare.js';
import type { Diagnostic } from './diagnostics/diagnostic.js';
import type { CompileHost, FoundFile } from './host.js';
import type { ModuleGraph } from './modules/module-graph.js';
import type { ResolvedProgram } from './resolver/resolved.js';

/** A program, unless there are errors among the diagnostics. */
export interface Compilation {
  readonly program: Program | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** What the linter works on: every file's tree, and the tables of the resolver unless a file could not be parsed. */
export interface Checked {
  readonly graph: ModuleGraph;
  readonly resolved: ResolvedProgram | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Compiles `entry` with all it includes and imports against `environment`. Never throws for a script's mistake. */
export async function compile(
  entry: FoundFile,
  environment: Environment,
  host: CompileHost,
): Promise<Compilation> {
  const { cache } = host;
  const key = cache === undefined ? '' : cacheKey(entry, environment, host);
  if (cache !== undefined) {
    const bytes = cache.read(key);
    const cached = bytes === undefined ? undefined : readCached(bytes, entry, environment, host);
    if (cached !== undefined) return cached;
  }
  const { graph, resolved, diagnostics } = await check(entry, environment, host);
  if (resolved === undefined || hasErrors(diagnostics)) return { program: undefined, diagnostics };
  const { compileProgram } = await import('./compiler/compile-program.js');
  const compiled = compileProgram(resolved, environment, host.patterns);
  const result: CachedProgram = {
    program: compiled.program,
    diagnostics: [...diagnostics, ...compiled.diagnostics],
  };
  cache?.write(key, writeCached(result, graph, host));
  return result;
}

/** Reads and resolves without compiling: all errors, and the tables that say what every name means. */
export async function check(entry: FoundFile, environment: Environment, host: CompileHost): Promise<Checked> {
  const [{ loadParser }, { loadModules }, { resolve }] = await Promise.all([
    import('./parser/index.js'),
    import('./modules/load.js'),
    import('./resolver/resolver.js'),
  ]);
  const parser = await loadParser();
  const loaded = loadModules(entry, (file) => parser.parse(file), host);
  const { graph } = loaded;
  // Names in a file that could not be read whole would be reported as unknown though they are there.
  if (loaded.diagnostics.some(({ code }) => code.startsWith('HSL1')))
    return { graph, resolved: undefined, diagnostics: loaded.diagnostics };
  const resolved = resolve(graph, environment, host.patterns);
  return { graph, resolved, diagnostics: [...loaded.diagnostics, ...resolved.diagnostics] };
}

function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((found) => found.severity === 'error');
}
