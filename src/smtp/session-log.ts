// What a session tells the log: what it took, what it refused, and with `logging.verbose` every line said on either side.
// No byte of a client gets there unescaped, and no password at all.

import { mailboxToText } from '#stdlib';
import { printable } from '../log/printable.js';
import { authForLog } from './authentication.js';
import { commands } from './commands.js';
import { commandWord } from './proxy-commands.js';
import type { Reply } from './reply.js';
import { Challenge } from './sasl/challenge.js';
import type { Session } from './session.js';

/** Longest text of a line in the log. */
const mostCharacters = 1000;

/** What every line of a session has. */
export function sessionFields({ state, options }: Session) {
  return { transaction: state.transactionId, server: options.id, remoteip: state.remoteIp };
}

/** A command that was refused, with the reply. */
export function logRefusal(session: Session, command: string, argument: string, reply: Reply): void {
  session.parts.log.info(
    {
      ...sessionFields(session),
      command,
      argument: printable(argument),
      reply: printable(reply.toString()),
    },
    'refused',
  );
}

/** A message that was taken. */
export function logAccepted(session: Session, sizeBytes: number, queued: number): void {
  const { state, transaction, parts } = session;
  parts.log.info(
    {
      ...sessionFields(session),
      helo: printable(state.helo?.host ?? ''),
      sender: printable(transaction === undefined ? '' : mailboxToText(transaction.reversePath)),
      size: sizeBytes,
      queued,
    },
    queued === 0 ? 'message accepted and dropped' : 'message accepted',
  );
}

/** A line of the client, for the protocol log. */
export function logClientLine(session: Session, line: string): void {
  session.parts.log.debug(sessionFields(session), `C: ${clientLineForLog(session, line)}`);
}

/** A reply, for the protocol log. */
export function logReply(session: Session, reply: Reply): void {
  const { log } = session.parts;
  // A challenge may tell what only the client should know.
  const lines =
    reply instanceof Challenge ? [`${reply.code} ***`] : reply.toWire().split('\r\n').slice(0, -1);
  for (const line of lines) log.debug(sessionFields(session), `S: ${printable(line, mostCharacters)}`);
}

function clientLineForLog(session: Session, line: string): string {
  const { authentication } = session;
  if (authentication.isUnderWay) return '***';
  const verb = commandWord(line).toUpperCase();
  if (verb === 'AUTH') return `AUTH ${authForLog(session, line.slice(5).trimStart())}`;
  // Some clients go on with name and password although AUTH was refused: to us those are unknown commands.
  if (authentication.wasTried && !commands.has(verb)) return '***';
  return printable(line, mostCharacters);
}
