// What scripts may ask of a shell: all that a daemon offers but its queue. Warnings go to stderr.

import { printable } from '../log/printable.js';
import { ProcessServices, type ScriptSettings } from '../scripting/process-services.js';

/** The services of `hsh` and its prompt. */
export function shellServices(settings: ScriptSettings): ProcessServices {
  const warn = (_fields: object, message: string) => process.stderr.write(`hsh: ${printable(message)}\n`);
  const quiet = () => {};
  return new ProcessServices({ settings, log: { debug: quiet, info: quiet, warn, error: warn } });
}
