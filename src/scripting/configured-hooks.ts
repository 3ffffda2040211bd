// From the configuration's scripts to compiled programs.

import path from 'node:path';
import { type CompileHost, compile, type Diagnostic, type Limits } from '#lang';
import type { RunningSettings, ScriptLimits } from '../config/configuration.js';
import { type HookPrograms, loadHookPrograms } from './hook-programs.js';
import { createCompileHost, openProgramCache, userCacheFolder } from './host/index.js';
import { scriptLibrary } from './library.js';

/** Scripts that do not compile. */
export class RefusedScripts extends Error {
  constructor(readonly diagnostics: readonly Diagnostic[]) {
    super('a script does not compile');
  }
}

export interface ConfiguredHooks {
  readonly programs: HookPrograms;
  readonly warnings: readonly Diagnostic[];
}

/** The configuration's limits, as the language takes them. */
export function limitsOf(limits: ScriptLimits): Limits {
  return {
    depth: limits.depth,
    memory: limits.memoryBytes,
    time: limits.timeSeconds,
    output: limits.outputBytes,
    instructions: limits.instructions === 0 ? Number.POSITIVE_INFINITY : limits.instructions,
  };
}

/** Where the daemon keeps compiled scripts: the system's folder when it is ours to write, else the user's. */
function openCache(): ReturnType<typeof openProgramCache> {
  const system =
    process.env['CACHE_DIRECTORY'] ??
    (process.getuid?.() === 0 && process.env['XDG_CACHE_HOME'] === undefined
      ? '/var/cache/argonite'
      : undefined);
  return openProgramCache(system ?? userCacheFolder());
}

/** A host that finds the configuration's files; hooks themselves stand at the root of `./` and `../`. */
function hostFor(running: RunningSettings, root: string): CompileHost {
  const opened = openCache();
  const host = createCompileHost({
    files: new Map(running.files.map(({ id, text }) => [id, text])),
    folders: [root],
    cache: opened.kind === 'open' ? opened.cache : undefined,
  });
  const hooks = new Set(
    [...running.scripts.values(), running.predelivery, running.postdelivery].map((script) => script?.name),
  );
  return {
    ...host,
    modules: {
      find: (written, from) => host.modules.find(written, hooks.has(from) ? path.posix.basename(from) : from),
    },
  };
}

/** Compiles every hook of a configuration. @throws RefusedScripts when one does not compile */
export async function compileHooks(running: RunningSettings, scriptRoot: string): Promise<ConfiguredHooks> {
  const loaded = await loadHookPrograms(running, {
    compile,
    host: hostFor(running, scriptRoot),
    library: scriptLibrary,
  });
  if (loaded.kind === 'refused') throw new RefusedScripts(loaded.diagnostics);
  return loaded;
}
