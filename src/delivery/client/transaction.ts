// One mail transaction on an open connection: RSET if another went before, MAIL, RCPT, DATA, the message, its reply. Large
// messages go in chunks instead of DATA where the peer takes them (chunks.ts).
//
// With PIPELINING (RFC 2920) the commands go out in one write. Every reply is still read in order, and the first refusal
// decides; what the peer makes of the commands behind it only tells whether the connection can be used again. Rules kept:
//
// - The message is sent only if MAIL and RCPT were accepted and DATA was answered 354.
// - 354 after a refusal must still be answered by an end of data (RFC 2920 §3.1). A lone dot does it when no recipient
//   was accepted; when one was, a lone dot would deliver an empty message, so the connection is dropped instead.
// - A message cut short is never ended: the connection is dropped, and the peer throws away what it has.
// - Of several recipients all must be accepted, or nothing is sent: there is one outcome for all of them. LMTP answers for
//   each after the dot (RFC 2033 §4.2); the first refusal there is the outcome, though others have the message, and what
//   was said of each is told beside it.

import { goesInChunks, sendChunks } from './chunks.js';
import type { Connection } from './connection.js';
import { DotStuffer } from './dot-stuffing.js';
import { positive } from './greeting.js';
import {
  bareEnvelopeCommands,
  type EnvelopeCommands,
  envelopeCommands,
  type Parcel,
  type ParcelEnvelope,
  unreadable,
} from './parcel.js';
import type { PeerSession } from './passed-on.js';
import type { Reply } from './reply-parser.js';
import type { SecondsFor, SmtpState, Trouble } from './trouble.js';

/** How a transaction ended: the positive reply to the message, or what went wrong. */
export type TransactionEnd = ({ readonly kind: 'accepted'; readonly reply: Reply } | Trouble) & {
  /** In LMTP with several recipients: what was said of each, as far as it was heard. */
  readonly replies?: readonly Reply[];
};

// RFC 5321 §4.5.3.2.5 gives a block of the message three minutes. The states of hooks 14 have no name for it, so a
// timeout given for DATA counts when it is longer.
const BLOCK_SECONDS = 180;
const BLOCK_BYTES = 64 * 1024;
const loneDot = Buffer.from('.\r\n');
const nothing = Buffer.alloc(0);

/** Sends one parcel. Afterwards the connection is either quiet and usable, or broken, or to be dropped by the caller. */
export async function transact(
  connection: Connection,
  parcel: Parcel,
  protocol: 'smtp' | 'lmtp',
  secondsFor: SecondsFor,
): Promise<TransactionEnd> {
  const commands = envelopeCommands(parcel, connection.capabilities, sessionOf(connection));
  if ('kind' in commands) return commands;
  const isFirst = connection.transactions === 0;
  connection.transactions++;
  if (goesInChunks(parcel, connection))
    return transactInChunks(connection, parcel, commands, isFirst, protocol, secondsFor);
  const mayPipeline = connection.capabilities.pipelining && commands.rcpts.length === 1;
  const end = mayPipeline
    ? await openPipelined(connection, commands, isFirst, protocol, secondsFor)
    : await openInTurn(connection, commands, isFirst, secondsFor);
  const replies = protocol === 'lmtp' ? commands.rcpts.length : 1;
  return end ?? (await sendMessage(connection, parcel, replies, secondsFor));
}

/** Asks about an envelope and sends no message: MAIL, RCPT, RSET. The reply to the last RCPT, or what went wrong. */
export async function probe(
  connection: Connection,
  envelope: ParcelEnvelope,
  secondsFor: SecondsFor,
): Promise<TransactionEnd> {
  const commands = bareEnvelopeCommands(envelope, connection.capabilities, sessionOf(connection));
  if ('kind' in commands) return commands;
  connection.transactions++;
  const reply = await nameEnvelope(connection, commands, true, secondsFor);
  if ('kind' in reply) return reply;
  connection.send('RSET\r\n', 1);
  await connection.reply('RSET', secondsFor('RSET'));
  return { kind: 'accepted', reply };
}

function sessionOf({ tls, logInReply }: Connection): PeerSession {
  return { isProtected: tls !== undefined, isLoggedIn: logInReply !== undefined };
}

async function transactInChunks(
  connection: Connection,
  parcel: Parcel,
  commands: EnvelopeCommands,
  isFirst: boolean,
  protocol: 'smtp' | 'lmtp',
  secondsFor: SecondsFor,
): Promise<TransactionEnd> {
  const named = await nameEnvelope(connection, commands, isFirst, secondsFor);
  if ('kind' in named) return named;
  const replies = protocol === 'lmtp' ? commands.rcpts.length : 1;
  return (
    (await sendChunks(connection, parcel, replies, secondsFor)) ??
    (await takeMessageReplies(connection, replies, secondsFor))
  );
}

async function openInTurn(
  connection: Connection,
  commands: EnvelopeCommands,
  isFirst: boolean,
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  const named = await nameEnvelope(connection, commands, isFirst, secondsFor);
  if ('kind' in named) return named;
  connection.send('DATA\r\n', 1);
  return goAhead(connection, await connection.reply('DATA', secondsFor('DATA')));
}

/** Says MAIL and each RCPT, all at once where the peer allows it. The first refusal is the answer. */
async function nameEnvelope(
  connection: Connection,
  { mail, rcpts }: EnvelopeCommands,
  isFirst: boolean,
  secondsFor: SecondsFor,
): Promise<Reply | Trouble> {
  const opening: [SmtpState, string][] = isFirst ? [] : [['RSET', 'RSET\r\n']];
  opening.push(['MAIL', mail]);
  const steps = [...opening, ...rcpts.map((rcpt): [SmtpState, string] => ['RCPT', rcpt])];
  const atOnce = connection.capabilities.pipelining;
  if (atOnce) connection.send(steps.map(([, command]) => command).join(''), steps.length);
  let last: Reply | undefined;
  let refusal: Trouble | undefined;
  for (const [index, [state, command]] of steps.entries()) {
    if (!atOnce) connection.send(command, 1);
    // The other replies are read only to stay in step, and not waited for as long.
    const seconds =
      refusal === undefined ? secondsFor(state) : Math.min(secondsFor(state), secondsFor('RSET'));
    const answer = positive(state, await connection.reply(state, seconds));
    if (!('kind' in answer)) {
      if (state === 'RCPT') last = answer;
      continue;
    }
    const isOneOfMany = state === 'RCPT' && rcpts.length > 1;
    refusal ??= isOneOfMany ? { ...answer, recipientIndex: index - opening.length } : answer;
    // Whatever the peer makes of the commands behind a refused RSET, no message may follow.
    if (state === 'RSET') connection.drop();
    if (!atOnce || state === 'RSET' || answer.kind !== 'refused' || answer.reply.code === 421) break;
  }
  return refusal ?? last ?? { kind: 'misconfigured', state: 'RCPT', message: 'the message has no recipient' };
}

async function openPipelined(
  connection: Connection,
  { mail, rcpts }: EnvelopeCommands,
  isFirst: boolean,
  protocol: 'smtp' | 'lmtp',
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  connection.send(`${isFirst ? '' : 'RSET\r\n'}${mail}${rcpts.join('')}DATA\r\n`, isFirst ? 3 : 4);
  if (!isFirst) {
    const reset = positive('RSET', await connection.reply('RSET', secondsFor('RSET')));
    if ('kind' in reset) {
      connection.drop(); // whatever the peer makes of the commands behind it, no message may follow
      return reset;
    }
  }
  const sender = positive('MAIL', await connection.reply('MAIL', secondsFor('MAIL')));
  if ('kind' in sender) {
    const recipient = await idleReply(connection, sender, 'RCPT', secondsFor);
    await closeData(connection, sender, isPositive(recipient), protocol, secondsFor);
    return sender;
  }
  const recipient = positive('RCPT', await connection.reply('RCPT', secondsFor('RCPT')));
  if ('kind' in recipient) {
    await closeData(connection, recipient, false, protocol, secondsFor);
    return recipient;
  }
  return goAhead(connection, await connection.reply('DATA', secondsFor('DATA')));
}

/** Reads the reply to a pipelined DATA after a refusal, and ends the data phase if the peer opened one. */
async function closeData(
  connection: Connection,
  refusal: Trouble,
  hasRecipient: boolean,
  protocol: 'smtp' | 'lmtp',
  secondsFor: SecondsFor,
): Promise<void> {
  const data = await idleReply(connection, refusal, 'DATA', secondsFor);
  if (data === undefined || data.code >= 400) return;
  // LMTP answers the dot once per accepted recipient (RFC 2033 §4.2): with none there is nothing to wait for.
  if (data.code !== 354 || hasRecipient || protocol === 'lmtp') {
    connection.drop();
    return;
  }
  connection.endMessage(nothing, loneDot, 1);
  await idleReply(connection, refusal, 'EOD', secondsFor);
}

/** A reply that decides nothing any more: waited for only to keep the connection, and not for long. */
async function idleReply(
  connection: Connection,
  refusal: Trouble,
  state: SmtpState,
  secondsFor: SecondsFor,
): Promise<Reply | undefined> {
  // After 421 the peer leaves; after anything but a refusal there is nobody to listen to.
  if (refusal.kind !== 'refused' || refusal.reply.code === 421) {
    connection.drop();
    return undefined;
  }
  const answer = await connection.reply(state, Math.min(secondsFor(state), secondsFor('RSET')));
  if ('kind' in answer) return undefined;
  if (answer.code === 421) connection.drop();
  return answer;
}

function isPositive(reply: Reply | undefined): boolean {
  return reply !== undefined && reply.code < 300;
}

function goAhead(connection: Connection, answer: Reply | Trouble): Trouble | undefined {
  if ('kind' in answer) return answer;
  if (answer.code === 354) return undefined;
  if (answer.code >= 400) return { kind: 'refused', state: 'DATA', reply: answer };
  connection.drop();
  return {
    kind: 'protocol',
    state: 'DATA',
    message: `the peer answered DATA with ${answer.code} instead of 354`,
  };
}

async function sendMessage(
  connection: Connection,
  parcel: Parcel,
  replies: number,
  secondsFor: SecondsFor,
): Promise<TransactionEnd> {
  const stuffer = new DotStuffer();
  const trouble =
    parcel.whole === undefined
      ? await streamMessage(connection, parcel, stuffer, replies, secondsFor)
      : await sendWhole(connection, parcel.whole, stuffer, replies, secondsFor);
  if (trouble !== undefined) {
    connection.drop();
    // A refusal in mid-message is the answer to the message, only early.
    return trouble.kind === 'refused' ? { ...trouble, state: 'EOD' } : trouble;
  }
  parcel.whole = undefined;
  return takeMessageReplies(connection, replies, secondsFor);
}

/** What is said to the whole message: once, in LMTP once for each recipient (RFC 2033 §4.2). */
async function takeMessageReplies(
  connection: Connection,
  replies: number,
  secondsFor: SecondsFor,
): Promise<TransactionEnd> {
  let end: TransactionEnd | undefined;
  const heard: Reply[] = [];
  for (let index = 0; index < replies; index++) {
    const answer = positive('EOD', await connection.reply('EOD', secondsFor('EOD')));
    if (!('kind' in answer)) heard.push(answer);
    else if (answer.kind === 'refused') heard.push(answer.reply);
    if (!('kind' in answer)) end ??= { kind: 'accepted', reply: answer };
    else if (end === undefined || end.kind === 'accepted')
      end = replies === 1 ? answer : { ...answer, recipientIndex: index };
    if (connection.isBroken) break;
  }
  end ??= { kind: 'misconfigured', state: 'EOD', message: 'the message has no recipient' };
  return replies === 1 ? end : { ...end, replies: heard };
}

async function sendWhole(
  connection: Connection,
  whole: Buffer,
  stuffer: DotStuffer,
  replies: number,
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  let start = 0;
  for (; start + BLOCK_BYTES < whole.length; start += BLOCK_BYTES) {
    const trouble = await sendBlock(
      connection,
      whole.subarray(start, start + BLOCK_BYTES),
      stuffer,
      secondsFor,
    );
    if (trouble !== undefined) return trouble;
  }
  return endMessage(connection, stuffer.push(whole.subarray(start)), stuffer, replies);
}

/** Of a connection that broke before, nothing is sent, and nobody need fear that the message arrives twice. */
function endMessage(
  connection: Connection,
  last: Buffer,
  stuffer: DotStuffer,
  replies: number,
): Trouble | undefined {
  const trouble = connection.trouble('DATA');
  if (trouble === undefined) connection.endMessage(last, stuffer.end(), replies);
  return trouble;
}

async function streamMessage(
  connection: Connection,
  parcel: Parcel,
  stuffer: DotStuffer,
  replies: number,
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  let readBytes = 0;
  try {
    for await (const chunk of parcel.message.chunks()) {
      readBytes += chunk.length;
      const trouble = await sendBlock(connection, chunk, stuffer, secondsFor);
      if (trouble !== undefined) return trouble;
    }
  } catch (error) {
    return unreadable(error instanceof Error ? error.message : String(error));
  }
  if (readBytes !== parcel.message.sizeBytes) {
    return unreadable(`the spool gave ${readBytes} of ${parcel.message.sizeBytes} bytes`);
  }
  return endMessage(connection, nothing, stuffer, replies);
}

async function sendBlock(
  connection: Connection,
  block: Buffer,
  stuffer: DotStuffer,
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  connection.sendMessage(stuffer.push(block));
  return connection.writable('DATA', Math.max(BLOCK_SECONDS, secondsFor('DATA')));
}
