// The eod phase: a whole message has arrived.

import { builtin, type CallContext, HslArray, HslObject, ScriptFault, type Value } from '#lang';
import { EODMailMessage, encodeJson } from '#stdlib';
import { type EodFrame, frameOf } from './frame.js';
import { present, readReplyWish, reasonKey, replyCodesKey } from './outcome.js';
import type { EodOutcome } from './outcomes.js';
import { defineReplyingPhase } from './phase.js';
import { Defer, Reject } from './refusal.js';
import { sessionVariables } from './state.js';

const Accept = builtin({
  name: 'Accept',
  summary: 'Accepts the message: everything queued by `$mail->queue()` is carried out.',
  details: 'A message that was not queued at all is accepted and dropped.',
  group: 'actions',
  example: [
    '$mail = $arguments["mail"];',
    '$mail->signDKIM("2026", "example.com", "pki:example");',
    'foreach ($transaction["recipients"] as $to)',
    '  $mail->queue($transaction["senderaddress"], $to["address"], $to["transportid"]);',
    'Accept();',
    '// 250 2.0.0 Ok: queued as {"queued":["postmaster@example.net","carol@example.org"]}',
  ].join('\n'),
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
          doc: 'Given back to the submitter of an HTTP submission, as JSON; no effect over SMTP.',
        },
      },
    },
  ],
  returns: 'none',
  ends: true,
  run: ({ reason, reply_codes, metadata }, ctx): EodOutcome => ({
    kind: 'Accept',
    ...readReplyWish('Accept', reason, reply_codes),
    ...present({ metadata: metadata === undefined ? undefined : checkedMetadata(metadata, ctx) }),
    queued: [...frameOf(ctx, 'eod').mail.queued],
  }),
});

/** An answer is kept for a while when the submitter asked for that (Idempotency-Key), so it must not be endless. */
const mostMetadataBytes = 1024 * 1024;

/** What cannot be written as JSON is the script's mistake, and is told before anything is queued. */
function checkedMetadata(metadata: Value, ctx: CallContext): Value {
  let size = 0;
  const json = encodeJson(metadata, { ensureAscii: false, pretty: false }, (bytes) => {
    size += bytes;
    if (size > mostMetadataBytes)
      throw new ScriptFault(`Accept: "metadata" is larger than ${mostMetadataBytes} bytes as JSON`);
    ctx.charge(bytes);
  });
  if (json === undefined)
    throw new ScriptFault(
      'Accept: "metadata" cannot be written as JSON; expected texts in UTF-8, numbers, booleans, none, and arrays of them',
    );
  return metadata;
}

/** Runs once for every message, after the final dot and before the reply. */
export const eod = defineReplyingPhase<EodOutcome>({
  name: 'eod',
  summary: 'Runs once for every message, after the final dot and before the reply.',
  command: 'DATA', // RFC 5321 §4.1.1.4
  variables: sessionVariables({
    mail: 'The message: an EODMailMessage.',
    metadata: 'HTTP submission only: what the submitter gave with the message, an empty array if nothing.',
    http: 'HTTP submission only: array with `method`, `path`, `headers` (names in lower case, without the API key), `remoteip`, and `apikey`, the id of the API key if it has one.',
  }),
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
export function eodArguments({ mail, submission }: EodFrame): HslArray {
  const value = HslArray.empty();
  value.set('mail', new HslObject(EODMailMessage, undefined, mail));
  if (submission !== undefined) {
    value.set('metadata', submission.metadata);
    value.set('http', submission.http);
  }
  return value;
}
