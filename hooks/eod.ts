// The eod phase: a whole message has arrived.

import { builtin, type CallContext, HslArray, HslObject, ScriptFault, type Value } from '#lang';
import { EODMailMessage, encodeJson } from '#stdlib';
import { type EodFrame, frameOf } from './frame.js';
import { present, readReplyWish, reasonKey, replyCodesKey } from './outcome.js';
import type { EodOutcome, ReplyWish } from './outcomes.js';
import { defineReplyingPhase } from './phase.js';
import { Defer, Reject } from './refusal.js';
import { sessionVariables } from './state.js';

const Accept = builtin({
  name: 'Accept',
  summary: 'Accepts the message: everything queued by `$mail->queue()` is carried out.',
  details:
    'A message that was not queued at all is accepted and dropped. ' +
    'An LMTP client has a reply for each recipient: `Accept(["recipients" => [1 => ["reason" => "Mailbox full", "reply_codes" => ["code" => 452, "enhanced" => [4, 2, 2]]]]])` ' +
    'refuses the second one for now and accepts the others. The script must not have queued for those it refuses.',
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
        recipients: {
          type: 'array|none',
          doc: 'LMTP only: what single recipients are told instead. Keys as in `$transaction["recipients"]`; values are arrays with `reason` and `reply_codes`, whose `code` may be 2xx, 4xx or 5xx, or none.',
        },
      },
    },
  ],
  returns: 'none',
  ends: true,
  run: ({ reason, reply_codes, metadata, recipients }, ctx): EodOutcome => {
    const { mail, separateReplies = 0 } = frameOf(ctx, 'eod');
    return {
      kind: 'Accept',
      ...readReplyWish('Accept', reason, reply_codes),
      ...present({
        metadata: metadata === undefined ? undefined : checkedMetadata(metadata, ctx),
        recipients:
          recipients instanceof HslArray ? readRecipientWishes(recipients, separateReplies) : undefined,
      }),
      queued: [...mail.queued],
    };
  },
});

/**
 * What single recipients are to be told. Where the message has one reply for all of them this is refused: a client that
 * hears 250 would never know that one of them was told otherwise.
 */
function readRecipientWishes(given: HslArray, count: number): (ReplyWish | undefined)[] {
  if (count === 0)
    throw new ScriptFault(
      'Accept: "recipients" is for LMTP ($connection["helo"]["verb"] == "LHLO"); here the message has one reply for all its recipients',
    );
  const wishes = new Array<ReplyWish | undefined>(count).fill(undefined);
  for (const [key, wish] of given.entries()) {
    if (typeof key !== 'number' || !Number.isInteger(key) || key < 0 || key >= count)
      throw new ScriptFault(
        `Accept: "recipients" has the key ${JSON.stringify(key)}; expected one of $transaction["recipients"], 0 to ${count - 1}`,
      );
    if (wish !== null) wishes[key] = readRecipientWish(wish, key);
  }
  return wishes;
}

function readRecipientWish(wish: Value, key: number): ReplyWish {
  const fail = (what: string) => new ScriptFault(`Accept: "recipients" ${key} ${what}`);
  if (!(wish instanceof HslArray))
    throw fail('is no array; expected one with "reason" and "reply_codes", or none');
  for (const name of wish.keys())
    if (name !== 'reason' && name !== 'reply_codes')
      throw fail(`has the key ${JSON.stringify(name)}; expected "reason" and "reply_codes"`);
  const reason = wish.get('reason') ?? null;
  const codes = wish.get('reply_codes') ?? null;
  if (reason !== null && typeof reason !== 'string' && !(reason instanceof HslArray))
    throw fail('has a "reason" that is neither a string nor an array');
  if (codes !== null && !(codes instanceof HslArray)) throw fail('has "reply_codes" that are no array');
  return readReplyWish('recipients', reason, codes ?? undefined);
}

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
    http: 'HTTP submission only: array with `method`, `path`, `headers` (names in lower case, without the API key), `remoteip`, and optionally `proxyip` and `proxytlv` as in the connect phase, and `apikey`, the id of the API key if it has one.',
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
