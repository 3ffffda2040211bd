// The eod phase: a whole message has arrived.

import { builtin, HslArray, HslObject } from '#lang';
import { EODMailMessage, type EodMessage } from '#stdlib';
import { frameOf } from './frame.js';
import { readReplyWish, reasonKey, replyCodesKey } from './outcome.js';
import type { EodOutcome } from './outcomes.js';
import { defineReplyingPhase } from './phase.js';
import { Defer, Reject } from './refusal.js';
import { sessionVariables } from './state.js';

const Accept = builtin({
  name: 'Accept',
  summary: 'Accepts the message: everything queued by `$mail->queue()` is carried out.',
  details: 'A message that was not queued at all is accepted and dropped.',
  group: 'actions',
  params: [
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        reason: reasonKey,
        reply_codes: replyCodesKey,
        metadata: {
          type: 'any',
          doc: 'Returned to the submitter of an HTTP submission; no effect over SMTP.',
        },
      },
    },
  ],
  returns: 'none',
  ends: true,
  run: ({ reason, reply_codes }, ctx): EodOutcome => ({
    kind: 'Accept',
    ...readReplyWish('Accept', reason, reply_codes),
    queued: [...frameOf(ctx, 'eod').mail.queued],
  }),
});

/** Runs once for every message, after the final dot and before the reply. */
export const eod = defineReplyingPhase<EodOutcome>({
  name: 'eod',
  summary: 'Runs once for every message, after the final dot and before the reply.',
  command: 'DATA', // RFC 5321 §4.1.1.4
  variables: sessionVariables({ mail: 'The message: an EODMailMessage.' }),
  declarations: [Accept, Reject, Defer, EODMailMessage],
  replies: {
    Accept: { code: 250, enhanced: [2, 0, 0], text: 'Ok: queued as' }, // the engine adds the transaction's id
    Reject: { code: 550, enhanced: [5, 7, 1], text: 'Message refused' },
    Defer: { code: 421, enhanced: [4, 3, 0], text: 'Try again later' }, // the connection stays open all the same
  },
  // A script that decided nothing has not queued the message either: saying 250 would lose it.
  atEndOfScript: { kind: 'Defer', because: 'end-of-script' },
  onScriptError: { kind: 'Defer', because: 'script-error' },
});

/** `$arguments` of the eod hook. */
export function eodArguments(mail: EodMessage): HslArray {
  const value = HslArray.empty();
  value.set('mail', new HslObject(EODMailMessage, undefined, mail));
  return value;
}
