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
  params: [reasonParameter, options],
  returns: 'none',
  ends: true,
  run: (reason, { disconnect, reply_codes }): DeferOutcome => ({
    kind: 'Defer',
    ...readReplyWish('Defer', reason, reply_codes, disconnect),
  }),
});
