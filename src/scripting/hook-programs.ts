// The compiled hook scripts of one configuration: all of them or none. A set is never changed; a reload makes another.

import {
  auth,
  connect,
  disconnect,
  environmentOf,
  eod,
  helo,
  mailfrom,
  type Phase,
  type PhaseName,
  postdelivery,
  predelivery,
  proxy,
  rcptto,
} from '#hooks';
import type { CompileHost, Declaration, Diagnostic, Environment, FoundFile, Program } from '#lang';

/** Every phase that scripts can be written for. */
export const phases: Readonly<Record<PhaseName, Phase>> = {
  connect,
  proxy,
  helo,
  auth,
  mailfrom,
  rcptto,
  eod,
  disconnect,
  predelivery,
  postdelivery,
};

/** The scripts of a configuration. */
export interface HookScripts {
  /** Of SMTP phases, keyed `phase/id`. */
  readonly scripts: ReadonlyMap<string, FoundFile>;
  readonly predelivery?: FoundFile | undefined;
  readonly postdelivery?: FoundFile | undefined;
}

/** `compile` of the language. */
export type Compile = (
  entry: FoundFile,
  environment: Environment,
  host: CompileHost,
) => Promise<{ readonly program?: Program | undefined; readonly diagnostics: readonly Diagnostic[] }>;

/** A script ready to run. */
export interface HookProgram {
  /** `phase/id`, or the phase alone for the queue's hooks: what counters and logs call it. */
  readonly name: string;
  readonly program: Program;
}

/** Programs keyed as HookProgram.name. */
export type HookPrograms = ReadonlyMap<string, HookProgram>;

export type LoadedHooks =
  | {
      readonly kind: 'ready';
      readonly programs: HookPrograms;
      readonly warnings: readonly Diagnostic[];
    }
  | { readonly kind: 'refused'; readonly diagnostics: readonly Diagnostic[] };

/** What compiling hooks needs. */
export interface HookCompiler {
  readonly compile: Compile;
  readonly host: CompileHost;
  /** What scripts can call in any phase. */
  readonly library: readonly Declaration[];
}

/** Compiles all scripts of a configuration. With any error in any of them there is no set. */
export async function loadHookPrograms(
  scripts: HookScripts,
  { compile, host, library }: HookCompiler,
): Promise<LoadedHooks> {
  const environments = new Map<PhaseName, Environment>();
  const programs = new Map<string, HookProgram>();
  const diagnostics: Diagnostic[] = [];
  for (const [name, file] of entriesOf(scripts)) {
    const phaseName = name.split('/', 1)[0]!;
    if (!isPhaseName(phaseName))
      throw new Error(`there is no phase "${phaseName}" for the script ${file.name}`);
    let environment = environments.get(phaseName);
    if (environment === undefined) {
      environment = environmentOf(phases[phaseName], library);
      environments.set(phaseName, environment);
    }
    const compiled = await compile(file, environment, host);
    diagnostics.push(...compiled.diagnostics);
    if (compiled.program !== undefined) programs.set(name, { name, program: compiled.program });
  }
  return diagnostics.some(({ severity }) => severity === 'error')
    ? { kind: 'refused', diagnostics }
    : { kind: 'ready', programs, warnings: diagnostics };
}

function* entriesOf(scripts: HookScripts): Iterable<readonly [string, FoundFile]> {
  yield* scripts.scripts;
  if (scripts.predelivery !== undefined) yield ['predelivery', scripts.predelivery];
  if (scripts.postdelivery !== undefined) yield ['postdelivery', scripts.postdelivery];
}

function isPhaseName(name: string): name is PhaseName {
  return Object.hasOwn(phases, name);
}
