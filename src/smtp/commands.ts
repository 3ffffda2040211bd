// The table of commands. Each one goes the same three steps:
//
//   check     is it legal now, and well formed?       a refusal, or the request as data
//   ask       the script of its phase, if it has one  an outcome, now or later
//   proceed   carry it out                            the reply
//
// A new command is a new row; a new phase is a new `ask`.

import {
  type Address,
  type HeloOutcome,
  helo,
  type MailFromOutcome,
  mailfrom,
  type RcptToOutcome,
  rcptto,
  type SmtpPhaseName,
} from '#hooks';
import { isDomain, lowerCaseAscii } from '#stdlib';
import type { Run } from '../scripting/smtp-hooks.js';
import { announcedExtensions, refuseMailParameters, refuseRcptParameters } from './extensions.js';
import { hasDecidingScript } from './options.js';
import { type PathArgument, parseMailArgument, parseRcptArgument } from './paths.js';
import { replies } from './replies.js';
import { outcomeToReply, Reply } from './reply.js';
import type { Session } from './session.js';

/** One row. `Request` is what `check` makes of the argument. */
interface CommandRow<Request, Outcome> {
  readonly verb: string;
  readonly phase?: SmtpPhaseName;
  /** Moves mail forward; the others are counted, so that nobody says NOOP for ever. */
  readonly isMail?: true;
  check(session: Session, argument: string): Request | Reply;
  /** Undefined when no script is configured. */
  ask?(session: Session, request: Request): Run<Outcome> | undefined;
  proceed(session: Session, request: Request, outcome: Outcome | undefined): Reply;
}

/** A row as the session sees it: what `check` returned goes back into the other two. */
export type Command = CommandRow<unknown, unknown>;

function row<Request, Outcome = never>(command: CommandRow<Request, Outcome>): Command {
  return command as unknown as Command;
}

/** For commands that take no argument. */
function noArgument(_session: Session, argument: string): true | Reply {
  return argument === '' ? true : replies.noArguments;
}

interface Greeting {
  readonly verb: 'HELO' | 'EHLO';
  readonly host: string;
  /** What would be announced; undefined for HELO. */
  readonly extensions: readonly string[] | undefined;
}

function greeting(verb: 'HELO' | 'EHLO', syntax: Reply): Command {
  return row<Greeting, HeloOutcome>({
    verb,
    phase: 'helo',
    check(session, argument) {
      const host = argument.trimEnd();
      if (!isHeloName(host)) return syntax;
      const extensions = verb === 'EHLO' ? announcedExtensions(session.options) : undefined;
      return { verb, host, extensions };
    },
    ask(session, { host, extensions }) {
      const hook = session.options.hooks.helo;
      return hook === undefined
        ? undefined
        : session.parts.hooks.helo(hook, session.state, verb, host, extensions);
    },
    proceed(session, { host, extensions }, outcome = helo.atEndOfScript) {
      const answer = outcomeToReply(helo, outcome, session.options.hostname);
      if (outcome.kind !== 'Accept') return answer;
      session.endTransaction(); // RFC 5321 §4.1.4: a greeting resets
      const announced = extensions === undefined ? [] : (outcome.extensions ?? extensions);
      session.greeted(verb, outcome.host ?? host, announced);
      // The reply to a greeting has no enhanced status (RFC 2034 §4).
      return new Reply(answer.code, undefined, [...answer.lines, ...announced], answer.closes);
    },
  });
}

/**
 * Names that real clients say: domains and literals, and single words with an underscore. What is no name at all is
 * refused, because it goes into the trace field and the log.
 */
function isHeloName(host: string): boolean {
  return host.length <= 255 && (isDomain(host) || /^[\x21-\x27\x2a-\x3a\x3d\x3f-\x7e]+$/.test(host));
}

const MAIL = row<PathArgument, MailFromOutcome>({
  verb: 'MAIL',
  phase: 'mailfrom',
  isMail: true,
  check(session, argument) {
    const { options } = session;
    if (session.transaction !== undefined) return replies.nestedMail;
    if (options.heloRequired && session.state.helo === undefined) return replies.heloFirst;
    const { messagesPerConnection, messageBytes } = options.limits;
    if (messagesPerConnection > 0 && session.messageCount >= messagesPerConnection)
      return replies.tooManyMessages;
    const path = parseMailArgument(argument);
    if (path instanceof Reply) return path;
    return refuseMailParameters(path.params, session.announced, messageBytes) ?? path;
  },
  ask(session, path) {
    const hook = session.options.hooks.mailfrom;
    return hook === undefined ? undefined : session.parts.hooks.mailfrom(hook, session.state, path);
  },
  proceed(session, path, outcome = mailfrom.atEndOfScript) {
    if (outcome.kind === 'Accept') session.beginTransaction(withParams(outcome.sender, path));
    return outcomeToReply(mailfrom, outcome);
  },
});

const RCPT = row<PathArgument, RcptToOutcome>({
  verb: 'RCPT',
  phase: 'rcptto',
  isMail: true,
  check(session, argument) {
    const { transaction } = session;
    if (transaction === undefined) return replies.mailFirst;
    const path = parseRcptArgument(argument);
    if (path instanceof Reply) return path;
    const { recipients } = session.options.limits;
    if (recipients > 0 && transaction.recipients.length >= recipients) return replies.tooManyRecipients;
    return refuseRcptParameters(path.params, session.announced) ?? path;
  },
  ask(session, path) {
    const { hooks, transportId } = session.options;
    const hook = hooks.rcpttoByDomain?.get(lowerCaseAscii(path.domain)) ?? hooks.rcptto;
    return hook === undefined
      ? undefined
      : session.parts.hooks.rcptto(hook, session.state, path, transportId);
  },
  proceed(session, path, outcome = rcptto.atEndOfScript) {
    const { options, parts, state } = session;
    if (outcome.kind !== 'Accept') return outcomeToReply(rcptto, outcome);
    if (!hasDecidingScript(options) && !session.isFromLoopback) return replies.relayingDenied;
    const transportId = outcome.transportId ?? options.transportId;
    if (transportId === undefined) return replies.noTransport;
    if (!parts.knowsTransport(transportId)) {
      parts.log.error(
        { transaction: state.transactionId, server: options.id, transport: transportId },
        'a recipient was accepted for a transport that the configuration does not have',
      );
      return replies.noSuchTransport;
    }
    session.addRecipient({ address: withParams(outcome.recipient, path), transportId });
    return outcomeToReply(rcptto, outcome);
  },
});

/** The address a script gave instead, with the parameters the client sent unless the script gave some. */
function withParams(given: Address | undefined, sent: PathArgument): Address {
  return given === undefined ? sent : { ...given, params: given.params ?? sent.params };
}

const DATA = row<true>({
  verb: 'DATA',
  phase: 'eod',
  isMail: true,
  check(session, argument) {
    if (argument !== '') return replies.noArguments;
    if (session.transaction === undefined) return replies.mailFirst;
    return session.transaction.recipients.length === 0 ? replies.noRecipients : true;
  },
  // The script of this phase is asked when the message is complete (reception.ts).
  proceed: (session) => session.beginReception(),
});

const RSET = row<true>({
  verb: 'RSET',
  check: noArgument,
  proceed(session) {
    session.endTransaction();
    return replies.ok;
  },
});

const NOOP = row<true>({ verb: 'NOOP', check: () => true, proceed: () => replies.ok });

const VRFY = row<true>({
  verb: 'VRFY',
  check: (_session, argument) => (argument === '' ? replies.vrfyArgument : true),
  proceed: () => replies.cannotVerify,
});

const HELP = row<true>({ verb: 'HELP', check: () => true, proceed: () => replies.help });

const QUIT = row<true>({ verb: 'QUIT', check: noArgument, proceed: () => replies.bye });

const rows = [
  greeting('HELO', replies.heloSyntax),
  greeting('EHLO', replies.ehloSyntax),
  MAIL,
  RCPT,
  DATA,
  RSET,
  NOOP,
  VRFY,
  HELP,
  QUIT,
];

/** By verb in upper case. */
export const commands: ReadonlyMap<string, Command> = new Map(rows.map((command) => [command.verb, command]));

/** Verbs of the standards that this server does not carry out. */
export const unimplementedVerbs: ReadonlySet<string> = new Set([
  'AUTH',
  'BDAT',
  'ETRN',
  'EXPN',
  'LHLO',
  'SAML',
  'SEND',
  'SOML',
  'STARTTLS',
  'TURN',
]);
