// Which command lines the proxy script sees, and what becomes of them (hooks 4). It sees lines that could be commands, known
// or not, before anybody has looked at them, but never the lines of a message, the bytes behind BDAT or the responses of
// an AUTH exchange: `next` waits until those are over.

import { type ProxyOutcome, proxy, replyParts } from '#hooks';
import { lowerCaseAscii } from '#stdlib';
import type { SmtpServerOptions } from './options.js';
import { partsToReply, type Reply } from './reply.js';

/**
 * Commands as the configuration names them, in the form they are looked up by: bytes, ASCII letters in lower case. Letters
 * beyond ASCII are compared as they are, since only UTF-8 that a person typed says which they are.
 */
export function proxiedCommands(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => lowerCaseAscii(Buffer.from(name, 'utf8').toString('latin1'))));
}

/** The first word of a line. */
export function commandWord(line: string): string {
  const end = line.search(/[ \t]/);
  return end === -1 ? line : line.slice(0, end);
}

/** The proxy script to ask about a line; undefined when it is none of its business. `isNext`: it asked for this one. */
export function proxyHookFor(
  { hooks, proxyCommands }: SmtpServerOptions,
  line: string,
  isNext: boolean,
): string | undefined {
  if (hooks.proxy === undefined) return undefined;
  const isWanted =
    isNext || proxyCommands === undefined || proxyCommands.has(lowerCaseAscii(commandWord(line)));
  return isWanted ? hooks.proxy : undefined;
}

/** What a script answered itself. */
export function proxyReply(outcome: ProxyOutcome & { readonly kind: 'Reply' }): Reply {
  return partsToReply(replyParts(proxy.replies!.Reply!, outcome), outcome.disconnect === true);
}
