// Compiles and runs a script, and gives what it printed: one string per echo. A script that fails ends with a line that
// begins with `error: `.

import { compile, type Environment, execute } from '#lang';
import type { LibraryServices } from '#stdlib';
import { catalogEnvironment, createCompileHost, createRunHost } from './script-host.js';

/** The echoes of `script`, which finds `files` by name; `services` are what its builtins ask of the process. */
export async function run(
  script: string,
  files: Readonly<Record<string, string>> = {},
  environment: Environment = catalogEnvironment(),
  services?: LibraryServices,
): Promise<string[]> {
  const compiled = await compile({ name: 'main.hsl', text: script }, environment, createCompileHost(files));
  if (compiled.program === undefined) {
    const errors = compiled.diagnostics.filter(({ severity }) => severity === 'error');
    return errors.map(({ code, message }) => `${code}: ${message}`);
  }
  const echoes: string[] = [];
  const result = await execute(compiled.program, {
    host: createRunHost((text) => echoes.push(text)),
    services,
  }).run();
  if (result.kind === 'failed') echoes.push(`error: ${result.error.message}`);
  return echoes;
}
