// Older spellings of builtins that scripts in the field still use.

import type { Builtin } from '#lang';

/** The same builtin under the name it had before; the linter names the current one. */
export function olderName(name: string, current: Builtin): Builtin {
  const { example: _, details: __, ...rest } = current;
  return { ...rest, name, summary: `Older name of ${current.name}.`, deprecated: current.name };
}
