// What is read, checked and compiled before anything starts or is replaced: a configuration folder as a whole.

import { bytesToText, renderDiagnostics } from '#lang';
import type { Configuration } from './config/configuration.js';
import { type ConfigText, loadConfiguration } from './config/load.js';
import { ConfigError } from './config/problem.js';
import { type ConfiguredHooks, compileHooks, RefusedScripts } from './scripting/configured-hooks.js';

/** A configuration with its scripts compiled: all that is checked before anything starts. */
export interface Loaded {
  readonly configuration: Configuration;
  readonly hooks: ConfiguredHooks;
}

/**
 * `app` takes the place of the folder's smtpd-app.yaml; `checked` is called when the files are good, before scripts are compiled.
 * @throws ConfigError, RefusedScripts, and what `checked` throws
 */
export async function load(
  folder: string,
  app?: ConfigText,
  checked?: (configuration: Configuration) => Promise<void>,
): Promise<Loaded> {
  const configuration = loadConfiguration(folder, app);
  await checked?.(configuration);
  return {
    configuration,
    hooks: await compileHooks(configuration.running, configuration.startup.scriptRoot),
  };
}

/** What is wrong with a configuration, not with us. */
export function isRefusal(error: unknown): error is ConfigError | RefusedScripts {
  return error instanceof ConfigError || error instanceof RefusedScripts;
}

/** What is wrong with a configuration, for a person; anything else is our own mistake and goes on. */
export function problemsToText(error: unknown): string {
  if (!isRefusal(error)) throw error;
  return error instanceof ConfigError ? error.message : bytesToText(renderDiagnostics(error.diagnostics));
}
