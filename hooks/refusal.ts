// Reject and Defer as helo, mailfrom, rcptto and eod have them: the same two words in each of these phases.

import { builtin } from '#lang';
import { disconnectKey, readReplyWish, reasonParameter, replyCodesKey } from './outcome.js';
import type { DeferOutcome, RejectOutcome } from './outcomes.js';

const options = {
  name: 'options',
  type: 'options',
  optional: true,
  keys: { disconnect: disconnectKey, reply_codes: replyCodesKey },
} as const;

export const Reject = builtin({
  name: 'Reject',
  summary: 'Refuses for good: the client must not try again.',
  group: 'actions',
  example: [
    'Reject("We do not talk to you", ["reply_codes" => ["code" => 550, "enhanced" => [5, 7, 0]], "disconnect" => true]);',
    '// 550 5.7.0 We do not talk to you, disconnect',
  ].join('\n'),
  params: [reasonParameter, options],
  returns: 'none',
  ends: true,
  run: (reason, { disconnect, reply_codes }): RejectOutcome => ({
    kind: 'Reject',
    ...readReplyWish('Reject', reason, reply_codes, disconnect),
  }),
});

export const Defer = builtin({
  name: 'Defer',
  summary: 'Refuses for now: the client will try again.',
  group: 'actions',
  example: [
    'Defer(["We are busy", "Come back in five minutes"], ["reply_codes" => ["code" => 451, "enhanced" => [4, 3, 0]]]);',
    '// 451 4.3.0 We are busy / Come back in five minutes',
  ].join('\n'),
  params: [reasonParameter, options],
  returns: 'none',
  ends: true,
  run: (reason, { disconnect, reply_codes }): DeferOutcome => ({
    kind: 'Defer',
    ...readReplyWish('Defer', reason, reply_codes, disconnect),
  }),
});
