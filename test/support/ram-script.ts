// Compiles and runs one script in memory, for tests of what the language means at run time.

import {
  type CompileHost,
  compile,
  type Declaration,
  type Environment,
  type ExecuteOptions,
  type Execution,
  type ExecutionResult,
  execute,
  languageDeclarations,
  type Program,
  type Value,
} from '#lang';
import { RamHost, regExpPatterns } from './ram-host.js';

/** What a test may give besides the script. */
export interface ScriptSurroundings extends Partial<Omit<ExecuteOptions, 'host' | 'variables'>> {
  readonly host?: RamHost;
  readonly declarations?: readonly Declaration[];
  /** Modules and includes by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Predefined variables. */
  readonly variables?: Readonly<Record<string, Value>>;
}

function compileHost(files: Readonly<Record<string, string>>): CompileHost {
  return {
    modules: {
      find: (path) => {
        const text = files[path];
        return text === undefined ? { problem: `there is no ${path}` } : { name: path, text };
      },
    },
    loaders: {},
    patterns: regExpPatterns,
    hash: (bytes) => String(bytes.length),
  };
}

/** The script's program. @throws Error with the diagnostics when it does not compile */
export async function programOf(text: string, surroundings: ScriptSurroundings = {}): Promise<Program> {
  const environment: Environment = {
    name: 'test',
    declarations: new Map(
      [...languageDeclarations.values(), ...(surroundings.declarations ?? [])].map((one) => [one.name, one]),
    ),
    variables: Object.keys(surroundings.variables ?? {}).map((name) => ({
      name,
      summary: `The ${name}.`,
      readonly: true,
    })),
  };
  const entry = { name: 'main.hsl', text };
  const { program, diagnostics } = await compile(entry, environment, compileHost(surroundings.files ?? {}));
  if (program === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return program;
}

/** A script that has been started. */
export interface StartedScript {
  readonly host: RamHost;
  readonly execution: Execution;
  readonly result: ExecutionResult | Promise<ExecutionResult>;
}

/** Starts the script; it may wait. */
export async function startScript(
  text: string,
  surroundings: ScriptSurroundings = {},
): Promise<StartedScript> {
  const program = await programOf(text, surroundings);
  const { host = new RamHost(), variables = {}, declarations: _, files: __, ...options } = surroundings;
  const execution = execute(program, { ...options, host, variables: Object.values(variables) });
  return { host, execution, result: execution.run() };
}

/** Runs the script to its end. @returns what it echoed, then the text of the error if it failed */
export async function echoOf(
  text: string,
  surroundings: ScriptSurroundings = {},
): Promise<readonly string[]> {
  const { host, result } = await startScript(text, surroundings);
  const ended = await result;
  if (ended.kind === 'failed') return [...host.echoed, `failed: ${ended.error.message}`];
  return ended.kind === 'finished' ? host.echoed : [...host.echoed, ended.kind];
}
