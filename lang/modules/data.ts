// Runs a data loader. Its value is marked shared, since every execution of the program reads the same one.

import type { DataLoader, FoundFile } from '../host.js';
import { share } from '../values/object.js';
import type { Value } from '../values/value.js';

/** What `loader` makes of `file`; a loader that throws is reported like one that says what is wrong. */
export function loadData(
  loader: DataLoader,
  file: FoundFile,
  options: ReadonlyMap<string, Value>,
): { readonly value: Value } | { readonly problem: string; readonly line?: number } {
  try {
    const loaded = loader.load(file, options);
    if ('value' in loaded) share(loaded.value);
    return loaded;
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
