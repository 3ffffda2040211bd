// The rcptto phase.

import { builtin, HslArray, ScriptFault } from '#lang';
import { type Address, addressToLowerText, addressToValue, stringMapToValue, valueToAddress } from '#stdlib';
import { present, readReplyWish, reasonKey, replyCodesKey } from './outcome.js';
import type { RcptToOutcome } from './outcomes.js';
import { defineReplyingPhase } from './phase.js';
import { Defer, Reject } from './refusal.js';
import { sessionVariables } from './state.js';

const Accept = builtin({
  name: 'Accept',
  summary: 'Accepts the recipient.',
  group: 'actions',
  example: [
    'if ($arguments["recipient"] == "postmaster@example.net")',
    '  Accept(["recipient" => "bob@example.net", "transportid" => "outbound"]);',
    '// 250 2.1.5 Recipient ok {"recipient":"bob@example.net","transportId":"outbound"}',
  ].join('\n'),
  params: [
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        recipient: { type: 'string|array|none', doc: 'Another recipient instead of this one.' },
        transportid: { type: 'string|none', doc: 'The transport; default is the one in `$arguments`.' },
        reason: reasonKey,
        reply_codes: replyCodesKey,
      },
    },
  ],
  returns: 'none',
  ends: true,
  run: ({ recipient, transportid, reason, reply_codes }): RcptToOutcome => ({
    kind: 'Accept',
    ...readReplyWish('Accept', reason, reply_codes),
    ...present({
      recipient: recipient === undefined || recipient === null ? undefined : readRecipient(recipient),
      transportId: transportid ?? undefined,
    }),
  }),
});

function readRecipient(value: string | HslArray): Address {
  const address = valueToAddress(value, 'Accept: "recipient"');
  if (address.localPart === '' && address.domain === '')
    throw new ScriptFault('Accept: "recipient" is empty; only a sender may be');
  return address;
}

/** Runs once for every RCPT TO, after the syntax check and before the reply. */
export const rcptto = defineReplyingPhase<RcptToOutcome>({
  name: 'rcptto',
  summary: 'Runs once for every RCPT TO, after the syntax check and before the reply.',
  command: 'RCPT', // RFC 5321 §4.1.1.3
  variables: sessionVariables({
    recipient: 'The recipient in lower case.',
    address: 'Array with `localpart` and `domain`, case as sent.',
    params: 'Parameters of RCPT TO, keys in upper case.',
    transportid: "The server's transport; optional.",
  }),
  declarations: [Accept, Reject, Defer],
  replies: {
    Accept: { code: 250, enhanced: [2, 1, 5], text: 'Recipient ok' },
    Reject: { code: 554, enhanced: [5, 7, 1], text: 'Recipient refused' },
    Defer: { code: 450, enhanced: [4, 7, 1], text: 'Try again later' },
  },
  atEndOfScript: { kind: 'Accept' },
  onScriptError: { kind: 'Defer', because: 'script-error' },
});

/** `$arguments` of the rcptto hook. */
export function rcpttoArguments(recipient: Address, transportId: string | undefined): HslArray {
  const value = HslArray.empty();
  value.set('recipient', addressToLowerText(recipient));
  value.set('address', addressToValue(recipient));
  value.set('params', stringMapToValue(recipient.params ?? {}));
  if (transportId !== undefined) value.set('transportid', transportId);
  return value;
}
