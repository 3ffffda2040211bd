// What compiling needs of the world, as files and folders give it.

import { createHash } from 'node:crypto';
import type { CompileHost, ModuleSource, PatternEngine, ProgramCache } from '#lang';
import { dataLoaders } from '#stdlib';
import { createModuleSource, type ModuleSourceOptions } from './module-source.js';
import { sharedPatternEngine } from './patterns/engine.js';

export interface CompileHostOptions extends ModuleSourceOptions {
  /** Instead of files and folders. */
  readonly modules?: ModuleSource;
  readonly patterns?: PatternEngine;
  /** See openProgramCache; without one, nothing is kept. */
  readonly cache?: ProgramCache | undefined;
}

/** A host for `compile`. */
export function createCompileHost(options: CompileHostOptions = {}): CompileHost {
  return {
    modules: options.modules ?? createModuleSource(options),
    loaders: dataLoaders,
    patterns: options.patterns ?? sharedPatternEngine(),
    ...(options.cache === undefined ? {} : { cache: options.cache }),
    hash: (bytes) => createHash('sha256').update(bytes, 'latin1').digest('hex'),
  };
}
