// The opening of a dialogue: the peer's greeting, then EHLO (HELO if it knows no EHLO) or LHLO.

import { parseCapabilities } from './capabilities.js';
import type { Connection } from './connection.js';
import type { Reply } from './reply-parser.js';
import type { SecondsFor, SmtpState, Trouble } from './trouble.js';

/** How we introduce ourselves. */
export interface Introduction {
  readonly helo: string;
  readonly protocol: 'smtp' | 'lmtp';
}

/** Brings a fresh connection to where MAIL may be said. */
export async function greet(
  connection: Connection,
  { helo, protocol }: Introduction,
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  const banner = positive('BANNER', await connection.reply('BANNER', secondsFor('BANNER')));
  if ('kind' in banner) return banner;
  connection.greeting = banner.lines;

  const state = protocol === 'lmtp' ? 'LHLO' : 'EHLO';
  const hello = await introduce(connection, state, helo, secondsFor);
  if (!('kind' in hello)) {
    connection.capabilities = parseCapabilities(hello.lines);
    return undefined;
  }
  // RFC 5321 §3.2: a server that does not know EHLO says 5xx and may still know HELO. LMTP has no older form (RFC 2033 §4.1).
  if (state === 'LHLO' || hello.kind !== 'refused' || hello.reply.code < 500 || connection.isBroken)
    return hello;
  const older = await introduce(connection, 'HELO', helo, secondsFor);
  return 'kind' in older ? older : undefined;
}

async function introduce(
  connection: Connection,
  state: 'EHLO' | 'HELO' | 'LHLO',
  helo: string,
  secondsFor: SecondsFor,
): Promise<Reply | Trouble> {
  connection.send(`${state} ${helo}\r\n`, 1);
  return positive(state, await connection.reply(state, secondsFor(state)));
}

/** Sorts an answer: 2xx goes on, 4xx and 5xx refuse, 3xx makes no sense outside DATA. */
export function positive(state: SmtpState, answer: Reply | Trouble): Reply | Trouble {
  if ('kind' in answer) return answer;
  if (answer.code < 300) return answer;
  if (answer.code >= 400) return { kind: 'refused', state, reply: answer };
  return { kind: 'protocol', state, message: `the peer answered ${state} with ${answer.code}` };
}
