// The disconnect phase: nothing can be said to the client any more.

import { builtin, HslArray } from '#lang';
import type { EnhancedStatus } from './outcomes.js';
import { definePhase } from './phase.js';
import { sessionVariables } from './state.js';

/** The only outcome there is. */
export interface PassOutcome {
  readonly kind: 'Pass';
}

/** How a session ended. */
export interface SessionEnding {
  readonly close: 'local' | 'remote';
  /** The last reply sent, and the command that led to it. */
  readonly reply?: {
    readonly code: number;
    readonly enhanced: EnhancedStatus | undefined;
    readonly lines: readonly string[];
    readonly state: string;
  };
  readonly error?: {
    readonly reason: string;
    readonly type: 'socket' | 'tls';
    /** errno, or OpenSSL's. */
    readonly code?: number;
  };
}

const Pass = builtin({
  name: 'Pass',
  summary: 'Ends the script.',
  group: 'actions',
  example: [
    'if ($arguments["close"] == "remote" and $arguments["reply"]["state"] == "RCPT")',
    '  memory_inc("left after RCPT: " . $connection["remoteip"]);',
    'Pass();',
    '// Pass',
  ].join('\n'),
  params: [],
  returns: 'none',
  ends: true,
  run: (): PassOutcome => ({ kind: 'Pass' }),
});

/** Runs when a session has ended, whoever ended it. */
export const disconnect = definePhase<PassOutcome>({
  name: 'disconnect',
  summary: 'Runs when a session has ended, whoever ended it.',
  variables: sessionVariables({
    close: '"local" or "remote": who ended the session.',
    reply: 'The last reply: array with `code`, `enhanced`, `reason`, `state`; optional.',
    error:
      'Array with `reason`, `type` ("socket" or "tls") and `code` (errno, or that of OpenSSL; optional) if an error ended it; optional.',
  }),
  declarations: [Pass],
  atEndOfScript: { kind: 'Pass' },
  onScriptError: { kind: 'Pass' },
});

/** `$arguments` of the disconnect hook. */
export function disconnectArguments({ close, reply, error }: SessionEnding): HslArray {
  const value = HslArray.empty();
  value.set('close', close);
  if (reply !== undefined) {
    const last = HslArray.empty();
    last.set('code', reply.code);
    if (reply.enhanced !== undefined) last.set('enhanced', HslArray.fromList([...reply.enhanced]));
    last.set('reason', HslArray.fromList([...reply.lines]));
    last.set('state', reply.state);
    value.set('reply', last);
  }
  if (error !== undefined) {
    const what = HslArray.empty();
    what.set('reason', error.reason);
    what.set('type', error.type);
    if (error.code !== undefined) what.set('code', error.code);
    value.set('error', what);
  }
  return value;
}
