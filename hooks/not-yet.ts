// Options that scripts know and this build does not carry out. The rule: an option whose absence could send mail
// somewhere else, less protected, or under another name than the script asked is refused; one that only tunes or
// decorates is accepted and has no effect. Every such option stands in these tables and nowhere else.
//
// What hooks 12 and 13 describe and these hooks do not have, complete:
//
// - for want of plugins: the option `plugin` of Try, `$arguments["queue"]` of both hooks, `plugin` in `$arguments["attempt"]`, and
//   the error type `plugin` there;
// - for want of groupings and conditions in the policies: `$arguments["grouping"]` is always empty, `tags` in `$arguments["policy"]`
//   too, and its policies have their `fields` only.

import { type OptionKey, ScriptFault, type Value } from '#lang';

interface Later {
  readonly key: OptionKey;
  /** Values that need nothing from us; `'any'` makes the option harmless as a whole. */
  readonly harmless: 'any' | readonly Value[];
  /** What is missing for it. */
  readonly wants: string;
}

/** Options of Try. */
export const laterTryOptions = {
  plugin: {
    key: { type: 'any', doc: 'Not supported yet: there are no delivery plugins.' },
    harmless: [null],
    wants: 'there are no delivery plugins',
  },
} as const satisfies Record<string, Later>;

type Keys<T extends Record<string, Later>> = { readonly [K in keyof T]: T[K]['key'] };

/** The keys of a table, for a declaration. */
export function keysOf<T extends Record<string, Later>>(table: T): Keys<T> {
  return Object.fromEntries(Object.entries(table).map(([name, { key }]) => [name, key])) as Keys<T>;
}

/** Refuses an option of the table that asks for what is not there. @throws ScriptFault */
export function refuseLaterOptions(
  action: string,
  table: Readonly<Record<string, Later>>,
  options: Readonly<Record<string, unknown>>,
): void {
  for (const name in table) {
    const value = options[name];
    if (value === undefined) continue;
    const { harmless, wants } = table[name]!;
    if (harmless === 'any' || (harmless as readonly unknown[]).includes(value)) continue;
    throw new ScriptFault(`${action}: the option "${name}" is not supported yet (${wants}); leave it out`);
  }
}
