// What `hsh` and `lint` run scripts in: the library without a daemon behind it, files from a root folder, compiled
// scripts kept in the user's cache folder.

import path from 'node:path';
import type { CompileHost, Environment, PredefinedVariable } from '#lang';
import { formerNames } from '#stdlib';
import { createCompileHost, openProgramCache, userCacheFolder } from '../scripting/host/index.js';
import { scriptLibrary } from '../scripting/library.js';

/** The library as an environment; `variables` exist before the script starts. */
export function plainEnvironment(variables: readonly PredefinedVariable[] = []): Environment {
  const declarations = new Map(scriptLibrary.map((one) => [one.name, one] as const));
  return { name: 'hsh', declarations, variables, formerNames };
}

/** Compiles `entry` with files from `root`; a cache folder that cannot be used is done without. */
export function hostForRoot(root: string, entry: string): CompileHost {
  const opened = openProgramCache(userCacheFolder());
  const host = createCompileHost({
    folders: [root],
    cache: opened.kind === 'open' ? opened.cache : undefined,
  });
  // The entry goes by the name the user gave, so that messages show it; what it includes is found from its place below the root.
  const place = path.relative(root, path.resolve(entry));
  const isBelow = !place.startsWith('..') && !path.isAbsolute(place);
  return {
    ...host,
    modules: {
      find: (written, from) => host.modules.find(written, from === entry && isBelow ? place : from),
    },
  };
}
