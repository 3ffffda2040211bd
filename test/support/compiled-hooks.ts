// Hook scripts compiled as the daemon compiles them, for tests that run real ones.

import { compile, DEFAULT_LIMITS, type Limits, languageDeclarations } from '#lang';
import { catalog, createLocalServices, type LibraryServices } from '#stdlib';
import type { Logger } from '../../src/log/logger.js';
import { type HookPrograms, loadHookPrograms } from '../../src/scripting/hook-programs.js';
import { HookRunner } from '../../src/scripting/hook-runner.js';
import { createFunctionCache, realClock } from '../../src/scripting/host/index.js';
import { createCompileHost, createRunHost } from './script-host.js';

/** Programs of scripts by `phase/id`. @throws when one does not compile */
export async function compiledHooks(scripts: Readonly<Record<string, string>>): Promise<HookPrograms> {
  const loaded = await loadHookPrograms(
    {
      scripts: new Map(
        Object.entries(scripts).map(([name, text]) => [name, { name: `${name}.hsl`, text }] as const),
      ),
      predelivery: undefined,
      postdelivery: undefined,
    },
    { compile, host: createCompileHost(), library: [...languageDeclarations.values(), ...catalog] },
  );
  if (loaded.kind === 'refused') throw new Error(loaded.diagnostics.map(({ message }) => message).join('; '));
  return loaded.programs;
}

/** A runner of scripts by `phase/id`. */
export async function hookRunner(
  scripts: Readonly<Record<string, string>>,
  log: Logger,
  limits: Limits = DEFAULT_LIMITS,
  services: LibraryServices = createLocalServices(),
): Promise<HookRunner> {
  return new HookRunner({
    host: { ...createRunHost(), cache: createFunctionCache({ clock: realClock }) },
    services,
    log,
    programs: await compiledHooks(scripts),
    limits,
  });
}
