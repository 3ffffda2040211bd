// The door of the scripting host.

export { realClock, secureRandom } from './clock.js';
export { type CompileHostOptions, createCompileHost } from './compile-host.js';
export {
  type CacheBucket,
  createFunctionCache,
  type FunctionCacheOptions,
  type ProcessCache,
} from './function-cache.js';
export {
  createFileStamp,
  createModuleSource,
  type ModuleSourceOptions,
  readScript,
} from './module-source.js';
export { createPatternEngine, type PatternEngineOptions, sharedPatternEngine } from './patterns/engine.js';
export { type OpenedCache, openProgramCache, userCacheFolder } from './program-cache.js';
export { createRunHost, type RunHostOptions } from './run-host.js';
export { createScriptFiles, type ScriptFilesOptions } from './script-files.js';
