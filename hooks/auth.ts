// The auth phase: a client that says who it is. LOGIN and PLAIN are dialogues of the engine, which asks once it has a name
// and a password; any other mechanism that a script announces is its own, line by line.

import { builtin, HslArray, ScriptFault } from '#lang';
import { disconnectKey, present, readReplyWish, reasonKey, replyCodesKey } from './outcome.js';
import type { AuthOutcome } from './outcomes.js';
import { defineReplyingPhase } from './phase.js';
import { Defer, Reject } from './refusal.js';
import { sessionVariables } from './state.js';

/** RFC 4954 §4: 12288 octets for a line of an exchange; less the code and the line end, and before base64. */
const longestChallengeBytes = Math.floor((12288 - 6) / 4) * 3;

const Accept = builtin({
  name: 'Accept',
  summary: 'The client is who it says.',
  group: 'actions',
  example: [
    'if ($arguments["username"] == "alice" and $arguments["password"] == "secret")',
    '  Accept(["username" => "alice@example.com"]);',
    '// 235 2.7.0 Authentication succeeded {"username":"alice@example.com"}',
  ].join('\n'),
  params: [
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        username: {
          type: 'string|none',
          doc: 'Who it is; default is the `username` of the arguments, which only PLAIN and LOGIN have.',
        },
        reason: reasonKey,
        reply_codes: replyCodesKey,
      },
    },
  ],
  returns: 'none',
  ends: true,
  source: 'hooks 6',
  run: ({ username, reason, reply_codes }): AuthOutcome => ({
    kind: 'Accept',
    ...readReplyWish('Accept', reason, reply_codes),
    ...present({ username: username ?? undefined }),
  }),
});

const Reply = builtin({
  name: 'Reply',
  summary: 'Sends a challenge; the script runs again with what the client answers.',
  group: 'actions',
  example: [
    'if ($arguments["mechanism"] == "X-CODE" and $arguments["state"] == 0)',
    '  Reply("Which code did we send you?");',
    '// 334 Which code did we send you?',
  ].join('\n'),
  params: [
    {
      name: 'reply',
      type: 'string|none',
      default: null,
      doc: 'The challenge as it is: it goes out in base64.',
    },
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        disconnect: disconnectKey,
        reply_codes: {
          ...replyCodesKey,
          doc: '`code` (300 to 399). `enhanced` has no effect: the text of a challenge is base64 and nothing else.',
        },
      },
    },
  ],
  returns: 'none',
  ends: true,
  source: 'hooks 6',
  run: (reply, { disconnect, reply_codes }): AuthOutcome => {
    const challenge = reply ?? '';
    if (challenge.length > longestChallengeBytes)
      throw new ScriptFault(
        `Reply: the challenge has ${challenge.length} bytes; at most ${longestChallengeBytes} are possible (RFC 4954)`,
      );
    const wish = readReplyWish('Reply', undefined, reply_codes, disconnect);
    // A client takes anything but 3xx for the end of the exchange.
    if (wish.code !== undefined && (wish.code < 300 || wish.code > 399))
      throw new ScriptFault(`Reply: "code" in "reply_codes" is ${wish.code}; expected 300 to 399`);
    return { kind: 'Reply', challenge, ...wish };
  },
});

/** Runs for AUTH, once for every response of a client to a mechanism that the script speaks itself. */
export const auth = defineReplyingPhase<AuthOutcome>({
  name: 'auth',
  summary: 'Runs for AUTH: once with the name and password of PLAIN or LOGIN, else once for every response.',
  command: 'AUTH',
  variables: sessionVariables({
    mechanism: 'In upper case.',
    username: 'The name that the client gave; PLAIN and LOGIN only.',
    password: 'The password; PLAIN and LOGIN only.',
    state: 'Counts the challenges from 0; other mechanisms only.',
    response: 'What the client answered, decoded; none without an initial response. Other mechanisms only.',
  }),
  declarations: [Accept, Reject, Defer, Reply],
  replies: {
    Accept: { code: 235, enhanced: [2, 7, 0], text: 'Authentication succeeded' },
    Reject: { code: 535, enhanced: [5, 7, 8], text: 'Authentication failed' },
    Defer: { code: 454, enhanced: [4, 7, 0], text: 'Temporary authentication failure' },
  },
  atEndOfScript: { kind: 'Reject' },
  onScriptError: { kind: 'Defer', because: 'script-error' },
});

/** What the engine knows of an attempt. */
export type AuthAttempt =
  | { readonly mechanism: string; readonly username: string; readonly password: string }
  | { readonly mechanism: string; readonly state: number; readonly response: string | undefined };

/** `$arguments` of the auth hook. */
export function authArguments(attempt: AuthAttempt): HslArray {
  const value = HslArray.empty();
  value.set('mechanism', attempt.mechanism);
  if ('password' in attempt) {
    value.set('username', attempt.username);
    value.set('password', attempt.password);
  } else {
    value.set('state', attempt.state);
    value.set('response', attempt.response ?? null);
  }
  return value;
}
