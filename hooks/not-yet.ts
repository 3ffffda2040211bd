// Options that scripts know and this build does not carry out. The rule: an option whose absence could send mail
// somewhere else, less protected, or under another name than the script asked is refused; one that only tunes or
// decorates is accepted and has no effect. Every such option stands in these tables and nowhere else.

import { type OptionKey, ScriptFault, type Value } from '#lang';

interface Later {
  readonly key: OptionKey;
  /** Values that need nothing from us; `'any'` makes the option harmless as a whole. */
  readonly harmless: 'any' | readonly Value[];
}

const anything = { type: 'any', doc: 'Not supported yet.' } as const;
const noEffectYet = { type: 'any', doc: 'Accepted; has no effect yet.' } as const;

/** Options of Try. Without TLS the options that only shape it change nothing. */
export const laterTryOptions = {
  domain: { key: anything, harmless: [] },
  sourceip: { key: anything, harmless: [] },
  sourceip_random: { key: noEffectYet, harmless: 'any' },
  nonlocal_source: { key: anything, harmless: [false] },
  saslusername: { key: anything, harmless: [null, ''] },
  saslpassword: { key: anything, harmless: [null, ''] },
  // Opportunistic TLS may always end in plain text; every stricter mode may not.
  tls: { key: anything, harmless: ['disabled', 'optional'] },
  tls_sni: { key: noEffectYet, harmless: 'any' },
  tls_protocols: { key: noEffectYet, harmless: 'any' },
  tls_ciphers: { key: noEffectYet, harmless: 'any' },
  tls_verify_host: { key: anything, harmless: [false] },
  tls_verify_name: { key: anything, harmless: [] },
  tls_default_ca: { key: noEffectYet, harmless: 'any' },
  tls_client_cert: { key: anything, harmless: [null, ''] },
  xclient: { key: anything, harmless: [] },
  proxyip: { key: anything, harmless: [] },
  proxy: { key: anything, harmless: [] },
  mx_include: { key: anything, harmless: [] },
  mx_exclude: { key: anything, harmless: [] },
  plugin: { key: anything, harmless: [] },
} as const satisfies Record<string, Later>;

/** Options of Queue, Bounce and Delete in the queue's hooks. No notification is made yet, so what shapes one is harmless. */
export const laterQueueOptions = {
  jobid: { key: anything, harmless: [] },
  dsn: { key: noEffectYet, harmless: 'any' },
  dsn_delayed: { key: anything, harmless: [false] },
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
    const { harmless } = table[name]!;
    if (harmless === 'any' || (harmless as readonly unknown[]).includes(value)) continue;
    throw new ScriptFault(`${action}: the option "${name}" is not supported yet`);
  }
}
