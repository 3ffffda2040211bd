// The commands of the control socket (control-api 2), by their letter. A command NAME is asked with the message NAMERequest of
// control.proto and answered with NAMEResponse; who has no body sends no length either, so that this must be known before
// anything is understood.

/** A command as it stands in the table. */
export interface Command {
  readonly name: string;
  /** A length and a body follow the letter. */
  readonly hasBody: boolean;
}

const withBody = (name: string): Command => ({ name, hasBody: true });
const bare = (name: string): Command => ({ name, hasBody: false });

/** Every letter that has a meaning, now or later. */
export const commands = {
  a: withBody('ConfigGreenDeploy'),
  b: bare('ConfigGreenStatus'),
  c: bare('ConfigGreenCancel'),
  d: withBody('HSLBreakPoint'),
  e: bare('HSLBreakPointWait'),
  f: bare('HSLBreakPointContinue'),
  g: bare('HSLCache'),
  h: withBody('HSLCacheClear'),
  i: withBody('HSLRate'),
  j: withBody('HSLRateClear'),
  k: bare('ResolverReload'),
  m: withBody('QueueMessage'),
  n: bare('Users'),
  o: bare('SuspendReload'),
  p: bare('PolicyReload'),
  q: bare('ProcessStats'),
  r: bare('ConfigReload'),
  s: withBody('Suspend'),
  t: withBody('SuspendAdd'),
  u: withBody('SuspendDelete'),
  v: bare('PolicyCondition'),
  w: withBody('PolicyConditionAdd'),
  x: withBody('PolicyConditionDelete'),
  y: withBody('HSLMemory'),
  z: withBody('HSLMemoryStore'),
  A: withBody('HSLMemoryDelete'),
  B: withBody('PolicyRateRefill'),
  C: bare('ResolverClear'),
  D: withBody('QueueGroupBy'),
  E: withBody('QueueImport'),
  F: withBody('QueueList'),
  G: withBody('QueueUpdate'),
  H: bare('DeliveryReload'),
  I: withBody('QueueQuota'),
  J: withBody('QueueUnload'),
  K: withBody('HSLMemoryList'),
  L: withBody('ResolverQuery'),
  M: bare('ResolverList'),
  N: withBody('PluginCommand'),
  O: withBody('SuspendUpdate'),
  P: withBody('PolicyConditionUpdate'),
  Q: withBody('PolicyCounter'),
  R: withBody('Log'),
  S: withBody('DebugPoint'),
  T: withBody('ConnectionList'),
  U: withBody('Shutdown'),
  X: withBody('QueueExplain'),
} as const satisfies Readonly<Record<string, Command>>;

/** The letter of a command. */
export type CommandLetter = keyof typeof commands;

/** Whether a letter is one. */
export function isCommandLetter(letter: string): letter is CommandLetter {
  return Object.hasOwn(commands, letter);
}
