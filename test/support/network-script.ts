// Runs a script that talks to servers of the test: with services of the test's choice, and with a clock that tells how
// long it took.

import { compile, execute, textToBytes } from '#lang';
import { createLocalServices, type LibraryServices } from '#stdlib';
import { catalogEnvironment, createCompileHost, createRunHost } from './script-host.js';

export interface ScriptRun {
  /** One per echo; a script that fails ends with a line that begins with `error: `. */
  readonly echoes: readonly string[];
  readonly seconds: number;
}

/** Runs `script`; `network` and `configured` complete what the services have of it. */
export async function runNetworkScript(
  script: string,
  services: Partial<LibraryServices> = {},
  cancelAfterSeconds?: number,
): Promise<ScriptRun> {
  const { program, diagnostics } = await compile(
    { name: 'main.hsl', text: textToBytes(script) },
    catalogEnvironment(),
    createCompileHost(),
  );
  if (program === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  const echoes: string[] = [];
  const began = performance.now();
  const execution = execute(program, {
    host: createRunHost((text) => echoes.push(text)),
    services: createLocalServices(services),
  });
  const timer =
    cancelAfterSeconds === undefined
      ? undefined
      : setTimeout(() => execution.cancel('the test ends it'), cancelAfterSeconds * 1000);
  const result = await execution.run();
  clearTimeout(timer);
  if (result.kind === 'failed') echoes.push(`error: ${result.error.message}`);
  return { echoes, seconds: (performance.now() - began) / 1000 };
}
