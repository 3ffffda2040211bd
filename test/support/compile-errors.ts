// What the compiler says about a script, short enough to compare: `HSL2003:2` is that message on line 2.

import { compile, type Diagnostic, type Environment, positionAt } from '#lang';
import { catalogEnvironment, createCompileHost } from './script-host.js';

/** Compiles `script` with further files at hand. */
export async function diagnose(
  script: string,
  files: Readonly<Record<string, string>> = {},
  environment: Environment = catalogEnvironment(),
): Promise<readonly Diagnostic[]> {
  const { diagnostics } = await compile(
    { name: 'main.hsl', text: script },
    environment,
    createCompileHost(files),
  );
  return diagnostics;
}

/** Code and line of every finding; the file's name, too, when it is not the entry. */
export async function findings(
  script: string,
  files: Readonly<Record<string, string>> = {},
  environment?: Environment,
): Promise<string[]> {
  return (await diagnose(script, files, environment)).map(({ code, file, span }) => {
    const { line } = positionAt(file, span.start);
    return file.name === 'main.hsl' ? `${code}:${line}` : `${code}:${file.name}:${line}`;
  });
}
