// The mailfrom phase.

import { builtin, HslArray } from '#lang';
import { type Address, addressToLowerText, addressToValue, stringMapToValue, valueToAddress } from '#stdlib';
import { present, readReplyWish, reasonKey, replyCodesKey } from './outcome.js';
import type { MailFromOutcome } from './outcomes.js';
import { defineReplyingPhase } from './phase.js';
import { Defer, Reject } from './refusal.js';
import { sessionVariables } from './state.js';

const Accept = builtin({
  name: 'Accept',
  summary: 'Accepts the sender.',
  group: 'actions',
  example: [
    '$sender = $arguments["address"];',
    'if ($sender["domain"] == "example.com")',
    '  Accept(["sender" => ["localpart" => $sender["localpart"], "domain" => "mail.example.com"]]);',
    '// 250 2.1.0 Sender ok {"sender":"alice@mail.example.com"}',
  ].join('\n'),
  params: [
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        sender: { type: 'string|array|none', doc: 'A new sender for all recipients.' },
        reason: reasonKey,
        reply_codes: replyCodesKey,
      },
    },
  ],
  returns: 'none',
  ends: true,
  run: ({ sender, reason, reply_codes }): MailFromOutcome => ({
    kind: 'Accept',
    ...readReplyWish('Accept', reason, reply_codes),
    ...present({
      sender:
        sender === undefined || sender === null ? undefined : valueToAddress(sender, 'Accept: "sender"'),
    }),
  }),
});

/** Runs once for every MAIL FROM, after the syntax check and before the reply. */
export const mailfrom = defineReplyingPhase<MailFromOutcome>({
  name: 'mailfrom',
  summary: 'Runs once for every MAIL FROM, after the syntax check and before the reply.',
  command: 'MAIL', // RFC 5321 §4.1.1.2
  variables: sessionVariables({
    sender: 'The sender in lower case, empty for the null sender.',
    address: 'Array with `localpart` and `domain`, case as sent.',
    params: 'Parameters of MAIL FROM, keys in upper case.',
  }),
  declarations: [Accept, Reject, Defer],
  replies: {
    Accept: { code: 250, enhanced: [2, 1, 0], text: 'Sender ok' },
    Reject: { code: 554, enhanced: [5, 7, 1], text: 'Sender refused' },
    Defer: { code: 450, enhanced: [4, 7, 1], text: 'Try again later' },
  },
  atEndOfScript: { kind: 'Accept' },
  onScriptError: { kind: 'Defer', because: 'script-error' }, // a broken script must not cost mail
});

/** `$arguments` of the mailfrom hook. */
export function mailfromArguments(sender: Address): HslArray {
  const value = HslArray.empty();
  value.set('sender', addressToLowerText(sender));
  value.set('address', addressToValue(sender));
  value.set('params', stringMapToValue(sender.params ?? {}));
  return value;
}
