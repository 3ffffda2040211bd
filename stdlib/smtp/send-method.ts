// The method `send` of every class that is a whole message: the message goes to a server while the script waits.

import { type CallContext, HslArray, type Method, method, ScriptFault, type Value } from '#lang';
import type { Address } from '../mail/envelope.js';
import { valueToAddress } from '../mail/envelope-values.js';
import type { MessageSource, Pieces } from '../mail/message-source.js';
import { mailClientOf } from './mail-client-of.js';
import { outcomeToValue } from './outcome-values.js';
import { readMailTarget, serverDetails } from './server-argument.js';

/** A message as it is to be sent. */
export interface Outgoing {
  readonly source: MessageSource;
  readonly pieces: Pieces;
}

/** More recipients than any server takes at once. */
const MOST_RECIPIENTS = 10_000;

/** Declares `send` for a class; `outgoing` gives the message with the changes made so far. */
export function sendMethod<Self>(
  outgoing: (self: Self, ctx: CallContext) => Outgoing | Promise<Outgoing>,
): Method {
  return method<Self>()({
    name: 'send',
    summary: 'Sends the message, as changed so far, to a server; the script waits for its answer.',
    details: `The result has \`result\` (\`state\`, \`code\`, \`enhanced\`, \`reason\`) when a reply decided, else \`error\`
(\`temporary\`, \`message\`); with a connection also \`connection\` (\`localip\`, \`remoteip\`, \`remotemx\`) and \`tls\`. The message was taken
when \`state\` is \`"EOD"\` and \`code\` below 300.

There is one answer for all recipients: the first that is refused ends the attempt, nothing is sent, and \`result\` has its place
in the list as \`recipient\`. By LMTP the server answers for each after the message: \`result\` is the first refusal, though the others
have the message, and \`recipients\` is the list of all answers, in the order of the recipients.

${serverDetails}`,
    example:
      '$mail->send("me@example.com", "you@example.com", ["host" => "127.0.0.1", "port" => 2525])["result"]["code"]  // 250',
    source: 'stdlib 15',
    params: [
      { name: 'sender', type: 'string|array', doc: '`""` is the null sender.' },
      { name: 'recipients', type: 'string|array', doc: 'An address, or a list of them.' },
      { name: 'server', type: 'string|array', doc: 'A transport, or a server as described above.' },
    ],
    returns: 'array',
    errors:
      'Exception for an address, option or value that is wrong. What the network does is in the result.',
    suspends: true,
    run: async (self, senderValue, recipientsValue, serverValue, ctx) => {
      const client = mailClientOf('send', ctx);
      const sender = valueToAddress(senderValue, 'send: the sender');
      const recipients = valueToRecipients(recipientsValue);
      const target = readMailTarget(serverValue, 'send', ctx);
      const { source, pieces } = await outgoing(self, ctx);
      return outcomeToValue(await client.send({ sender, recipients, source, pieces }, target, ctx.signal));
    },
  });
}

function valueToRecipients(value: Value): readonly Address[] {
  const isList = value instanceof HslArray && !value.has('localpart');
  const values: readonly Value[] = isList ? [...value.values()] : [value];
  if (values.length === 0) throw new ScriptFault('send: there is no recipient');
  if (values.length > MOST_RECIPIENTS)
    throw new ScriptFault(`send: there are ${values.length} recipients; at most ${MOST_RECIPIENTS} can be`);
  return values.map((one, index) => {
    const what = values.length === 1 ? 'send: the recipient' : `send: recipient ${index}`;
    const address = valueToAddress(one, what);
    if (address.localPart === '' && address.domain === '') throw new ScriptFault(`${what} is empty`);
    return address;
  });
}
