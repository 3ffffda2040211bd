// The table of commands. Each one goes the same three steps:
//
//   check     is it legal now, and well formed?       a refusal, or the request as data
//   ask       the script of its phase, if it has one  an outcome, now or later
//   proceed   carry it out                            the reply
//
// A new command is a new row; a new phase is a new `ask`.

import { isUtf8 } from 'node:buffer';
import {
  type Address,
  type AuthOutcome,
  type HeloOutcome,
  helo,
  type MailFromOutcome,
  mailfrom,
  type RcptToOutcome,
  rcptto,
  type SmtpPhaseName,
} from '#hooks';
import { isAscii, isDomain, lowerCaseAscii } from '#stdlib';
import type { Run } from '../scripting/smtp-hooks.js';
import { type AuthRequest, allowedExtensions, authExtensions, authForLog } from './authentication.js';
import {
  edgeExtensions,
  offersTls,
  possibleExtensions,
  refuseStartTls,
  refuseXclient,
} from './edge/extensions.js';
import { parseXclient, type XclientRequest } from './edge/xclient.js';
import { announcedExtensions, isAnnounced, spokenExtensions } from './extensions.js';
import { type ChunkRequest, readChunk, refusedChunk } from './message-input.js';
import { hasDecidingScript, type SmtpServerOptions } from './options.js';
import { refuseMailParameters, refuseRcptParameters } from './parameters.js';
import { type PathArgument, parseMailArgument, parseRcptArgument } from './paths.js';
import { replies } from './replies.js';
import { closing, outcomeToReply, Reply, reply } from './reply.js';
import type { Session } from './session.js';

/** One row. `Request` is what `check` makes of the argument. */
interface CommandRow<Request, Outcome> {
  readonly verb: string;
  readonly phase?: SmtpPhaseName;
  /** Moves mail forward; the others are counted, so that nobody says NOOP for ever. */
  readonly isMail?: true;
  /** Whether HELP names it; always when absent. */
  isOffered?(session: Session): boolean;
  check(session: Session, argument: string): Request | Reply;
  /** Undefined when no script is configured. */
  ask?(session: Session, request: Request): Run<Outcome> | undefined;
  /** Undefined when the reply comes later. */
  proceed(session: Session, request: Request, outcome: Outcome | undefined): Reply | undefined;
  /** The argument as a log may show it; as it is when absent. */
  forLog?(session: Session, argument: string): string;
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
  readonly host: string;
  /** What would be announced; undefined for HELO. */
  readonly extensions: readonly string[] | undefined;
}

function greeting(
  verb: 'HELO' | 'EHLO' | 'LHLO',
  protocol: SmtpServerOptions['protocol'],
  syntax: Reply,
): Command {
  return row<Greeting, HeloOutcome>({
    verb,
    phase: 'helo',
    isOffered: (session) => session.protocol === protocol,
    check(session, argument) {
      // RFC 2033 §4.1: an LMTP server must not be taken for an SMTP server, nor the other way.
      if (session.protocol !== protocol) return replies.unknownCommand;
      const host = argument.trimEnd();
      if (!isHeloName(host)) return syntax;
      const extensions =
        verb === 'HELO'
          ? undefined
          : [...announcedExtensions(session.options), ...edgeExtensions(session), ...authExtensions(session)];
      return { host, extensions };
    },
    ask(session, { host, extensions }) {
      const hook = session.options.hooks.helo;
      return hook === undefined
        ? undefined
        : session.parts.hooks.helo(hook, session.state, verb, host, extensions);
    },
    proceed(session, { host, extensions }, outcome = helo.atEndOfScript) {
      if (outcome.kind !== 'Accept') return outcomeToReply(helo, outcome);
      const answer = outcomeToReply(helo, outcome, session.options.hostname);
      session.endTransaction(); // RFC 5321 §4.1.4: a greeting resets
      const isEncrypted = session.state.tls !== undefined;
      const spoken =
        extensions === undefined ? [] : spokenExtensions(outcome.extensions ?? extensions, isEncrypted);
      const announced = allowedExtensions(session, possibleExtensions(session, spoken));
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

const AUTH = row<AuthRequest, AuthOutcome>({
  verb: 'AUTH',
  phase: 'auth',
  isOffered: (session) => isAnnounced(session.announced, 'AUTH'),
  check: (session, argument) => session.authentication.begin(session, argument),
  ask(session, request) {
    if (request.kind !== 'ask') return undefined;
    return session.parts.hooks.auth(session.options.hooks.auth!, session.state, request.attempt);
  },
  proceed: (session, request, outcome) => session.authentication.proceed(session, request, outcome),
  forLog: authForLog,
});

/** A line of an exchange that AUTH has begun: no command, but decided like one. */
export const authResponse: Command = {
  ...AUTH,
  check: (session, line) => session.authentication.resume(session, line),
  forLog: () => '***',
};

const MAIL = row<PathArgument, MailFromOutcome>({
  verb: 'MAIL',
  phase: 'mailfrom',
  isMail: true,
  check(session, argument) {
    const { options } = session;
    if (session.transaction !== undefined) return replies.nestedMail;
    if (options.heloRequired && session.state.helo === undefined) return replies.heloFirst;
    const { messagesPerConnection, messageBytes: mostBytes } = options.limits;
    if (messagesPerConnection > 0 && session.messageCount >= messagesPerConnection)
      return replies.tooManyMessages;
    const path = parseMailArgument(argument);
    if (path instanceof Reply) return path;
    const announced = offeredTo(session);
    const { clock, spool } = session.parts;
    const unixSeconds = () => clock.now();
    const hasRoomFor = (sizeBytes: number) => spool.hasRoomFor(sizeBytes);
    return refuseMailParameters(path.params, { announced, mostBytes, unixSeconds, hasRoomFor }) ?? path;
  },
  ask(session, path) {
    const hook = session.options.hooks.mailfrom;
    return hook === undefined ? undefined : session.parts.hooks.mailfrom(hook, session.state, path);
  },
  proceed(session, path, outcome = mailfrom.atEndOfScript) {
    if (outcome.kind === 'Accept')
      session.beginTransaction(withParams(outcome.sender, path), path.params['SMTPUTF8'] !== undefined);
    return outcomeToReply(mailfrom, outcome);
  },
});

/**
 * The extensions whose parameters a client may use. One that has not said EHLO was told of none; SIZE and BODY, which many
 * then send all the same, are taken.
 */
function offeredTo({ announced, state, options }: Session): readonly string[] {
  const verb = state.helo?.verb;
  if (verb === 'EHLO' || verb === 'LHLO') return announced;
  return options.eightBitMime ? ['SIZE', '8BITMIME'] : ['SIZE'];
}

const RCPT = row<PathArgument, RcptToOutcome>({
  verb: 'RCPT',
  phase: 'rcptto',
  isMail: true,
  check(session, argument) {
    const { transaction } = session;
    if (transaction === undefined) return replies.mailFirst;
    if (session.isInChunks) return replies.dataAfterBdat;
    const path = parseRcptArgument(argument, transaction.hasUtf8);
    if (path instanceof Reply) return path;
    const { recipients } = session.options.limits;
    if (recipients > 0 && transaction.recipients.length >= recipients) return replies.tooManyRecipients;
    const { postmaster } = session.options;
    // Only this name may stand without a domain.
    const meant = path.domain === '' && postmaster !== undefined ? { ...path, ...postmaster } : path;
    return refuseRcptParameters(path.params, { announced: session.announced }) ?? meant;
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
    const isTrusted = session.isFromLoopback || state.auth !== undefined;
    if (!hasDecidingScript(options) && !isTrusted) return replies.relayingDenied;
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
    // RFC 3030 §2: DATA and BDAT cannot be mixed.
    if (session.isInChunks) return replies.dataAfterBdat;
    return refuseMessage(session) ?? true;
  },
  // The script of this phase is asked when the message is complete (reception.ts).
  proceed: (session) => session.beginReception(),
});

/** Why no message can come now. */
function refuseMessage({ transaction, protocol }: Session): Reply | undefined {
  if (transaction === undefined) return replies.mailFirst;
  if (transaction.recipients.length > 0) return undefined;
  return protocol === 'lmtp' ? replies.noLmtpRecipients : replies.noRecipients; // RFC 2033 §4.2
}

// The bytes behind BDAT are on their way already, so they are taken even when the command is refused (RFC 3030 §2); what
// would be too much of them ends the session, and so does a size that cannot be read.
const BDAT = row<ChunkRequest>({
  verb: 'BDAT',
  phase: 'eod',
  isMail: true,
  isOffered: (session) => session.options.chunking,
  check(session, argument) {
    const chunk = readChunk(argument);
    if (chunk === undefined) return replies.bdatSyntax;
    const { sizeBytes } = chunk;
    const { messageBytes, refusedChunkBytes } = session.options.limits;
    const refusal = isAnnounced(session.announced, 'CHUNKING')
      ? refuseMessage(session)
      : replies.notImplemented;
    if (refusal !== undefined) return refusedChunk(chunk, refusal, refusedChunkBytes);
    // One chunk too many is refused when it is there: the whole message must be, not only this chunk.
    const isTooBig = !Number.isSafeInteger(sizeBytes) || (messageBytes > 0 && sizeBytes > messageBytes);
    return isTooBig && sizeBytes > refusedChunkBytes ? closing(replies.tooBig) : chunk;
  },
  proceed(session, chunk) {
    session.beginChunk(chunk);
    return undefined;
  },
});

const STARTTLS = row<true>({
  verb: 'STARTTLS',
  isOffered: offersTls,
  check: (session, argument) => (argument === '' ? (refuseStartTls(session) ?? true) : replies.noArguments), // RFC 3207 §4
  proceed: (session) => session.startTls(),
});

const XCLIENT = row<XclientRequest>({
  verb: 'XCLIENT',
  isOffered: (session) => session.maySpeakForOthers,
  check: (session, argument) => refuseXclient(session) ?? parseXclient(argument),
  // The reply is the greeting that follows.
  proceed(session, request) {
    session.startOver(request);
    return undefined;
  },
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

// RFC 5321 §3.5.3: whether an address exists is nobody's business; 252 lets the client try. A proxy script that wants to
// tell more can.
const VRFY = row<true>({
  verb: 'VRFY',
  check(_session, argument) {
    const match = /^(\S.*?)( SMTPUTF8)? *$/i.exec(argument);
    if (match === null) return replies.vrfyArgument;
    const [, name = '', utf8] = match;
    if (isAscii(name)) return true;
    if (utf8 === undefined) return replies.needsSmtpUtf8; // RFC 6531 §3.7.4.2
    return isUtf8(Buffer.from(name, 'latin1')) ? true : replies.badUtf8;
  },
  proceed: () => replies.cannotVerify,
});

/** Nothing waits here for a client to fetch it; a script that announces ETRN answers it in the proxy phase. */
const ETRN = row<true>({
  verb: 'ETRN',
  isOffered: (session) => isAnnounced(session.announced, 'ETRN'),
  check(session, argument) {
    if (!isAnnounced(session.announced, 'ETRN')) return replies.notImplemented;
    return /^[@#]?[\w.-]+$/.test(argument) ? true : replies.etrnSyntax;
  },
  proceed: () => replies.cannotEtrn,
});

const HELP = row<true>({
  verb: 'HELP',
  check: () => true,
  proceed(session) {
    const offered = rows.filter(({ isOffered }) => isOffered?.(session) !== false);
    return reply(214, [2, 0, 0], offered.map(({ verb }) => verb).join(' '), 'See RFC 5321');
  },
});

const QUIT = row<true>({ verb: 'QUIT', check: noArgument, proceed: () => replies.bye });

const rows: readonly Command[] = [
  greeting('HELO', 'smtp', replies.heloSyntax),
  greeting('EHLO', 'smtp', replies.ehloSyntax),
  greeting('LHLO', 'lmtp', replies.lhloSyntax),
  AUTH,
  MAIL,
  RCPT,
  DATA,
  BDAT,
  STARTTLS,
  XCLIENT,
  RSET,
  NOOP,
  VRFY,
  ETRN,
  HELP,
  QUIT,
];

/** By verb in upper case. */
export const commands: ReadonlyMap<string, Command> = new Map(rows.map((command) => [command.verb, command]));

/** Verbs of the standards that this server does not carry out. */
export const unimplementedVerbs: ReadonlySet<string> = new Set(['EXPN', 'SAML', 'SEND', 'SOML', 'TURN']);
