// The states of a dialogue with a server (hooks 14), as attempts report them, and as the options `timeout` of Try and of a server
// name them.

import { type HslArray, ScriptFault } from '#lang';

/** All of them, in the order of a dialogue. */
export const smtpStates = [
  'BANNER',
  'EHLO',
  'HELO',
  'LHLO',
  'STARTTLS',
  'XCLIENT',
  'AUTH-CRAM-MD5',
  'AUTH-PLAIN',
  'AUTH-LOGIN',
  'AUTH-LOGIN-USER',
  'AUTH',
  'MAIL',
  'RCPT',
  'DATA',
  'EOD',
  'RSET',
  'NOOP',
  'QUIT',
] as const;

/**
 * Where in the dialogue we are. STARTTLS lasts until the handshake is done; AUTH is the last step of a log-in, whose reply decides;
 * DATA lasts until the final dot is sent, EOD from there to its reply.
 */
export type SmtpState = (typeof smtpStates)[number];

/** `CONNECT` is the older name of BANNER. */
const timed: ReadonlySet<string> = new Set([...smtpStates, 'CONNECT']);

/** Seconds by state, as a script wrote them. `what` is the option. @throws ScriptFault */
export function valueToTimeouts(value: HslArray, what: string): Readonly<Record<string, number>> {
  const timeouts: Record<string, number> = {};
  for (const [key, seconds] of value.entries()) {
    const state = String(key).toUpperCase();
    if (!timed.has(state))
      throw new ScriptFault(
        `${what} has the unknown state "${String(key).slice(0, 40)}"; expected one of ${[...timed].join(', ')}`,
      );
    if (typeof seconds !== 'number' || !(seconds > 0 && seconds < Number.POSITIVE_INFINITY))
      throw new ScriptFault(`${what} must have a number of seconds above 0 for ${state}`);
    timeouts[state] = seconds;
  }
  return timeouts;
}
