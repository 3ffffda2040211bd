// One SMTP connection, from greeting to close.
//
//   (TLS) ──► (delay) ──► greeting ──► commands ⇄ message (after DATA, BDAT) ──► closing ──► closed
//                            ▲          │
//                            └─ XCLIENT ┴─► TLS (after STARTTLS), and commands again
//
// Input is read in one place, `#pump`: it takes command lines or message bytes as long as there are some and nothing is
// being waited for (a script, the spool, the client's window). Replies are collected and written once per turn, so a
// pipelined group is answered with one packet (RFC 2920 §3.2).
//
// There is no timer in a session: the server asks each one now and then whether its deadline is over (`sweep`).

import type { Socket } from 'node:net';
import {
  type Address,
  type ConnectOutcome,
  connect,
  type Recipient,
  SessionState,
  type TlsFacts,
} from '#hooks';
import { printable } from '../log/printable.js';
import { PendingRun, type Run } from '../scripting/smtp-hooks.js';
import { Authentication, longestLineBytes } from './authentication.js';
import { authResponse, type Command, commands, unimplementedVerbs } from './commands.js';
import { DataReader } from './data-reader.js';
import { type Arrival, isLoopback } from './edge/arrival.js';
import { anotherClient, type XclientRequest } from './edge/xclient.js';
import { sessionEnding } from './ending.js';
import { type LineFault, LineReader } from './line-reader.js';
import { type ChunkRequest, type InputStep, MessageInput, readChunk, refusedChunk } from './message-input.js';
import type { MessageReader } from './message-reader.js';
import type { SmtpServerOptions, SmtpServerParts } from './options.js';
import { commandWord, proxyHookFor, proxyReply } from './proxy-commands.js';
import { protocolKeyword, receivedField } from './received-field.js';
import { MessageReception, type ReceptionResult, spoolErrorToReply } from './reception.js';
import { replies } from './replies.js';
import { outcomeToReply, Reply } from './reply.js';
import { nameLookUp } from './reverse-name.js';
import { logAccepted, logClientLine, logRefusal, logReply, sessionFields } from './session-log.js';
import { certificateRefusal } from './tls/client-policy.js';
import type { ClientCertificatePolicy } from './tls/server-contexts.js';
import { Transaction } from './transaction.js';
import { Wire, type WireUser } from './wire.js';

/** What a session sees of its server. */
export interface SessionHost {
  /** Current ones: a reload replaces them under a living session. */
  readonly options: SmtpServerOptions;
  readonly parts: SmtpServerParts;
  /** No more transactions may begin. */
  readonly isStopping: boolean;
  /** Seconds on the monotonic clock, at most a sweep old: good enough for deadlines, and free. */
  readonly roughNow: number;
  /** The session is over and forgotten. */
  ended(session: Session): void;
}

const faultReplies: Readonly<Record<LineFault, Reply>> = {
  'too-long': replies.lineTooLong,
  'bare-line-end': replies.bareLineEnd,
  nul: replies.nulInLine,
};

/** Unread input beyond this stops reading from the socket. */
const mostWaitingBytes = 16 * 1024;
/** Commands in one turn, so that a flood of them does not keep other sessions waiting; fewer when they take long. */
const commandsPerTurn = 200;
const turnSeconds = 0.005;

export class Session implements WireUser {
  /** Another one after XCLIENT. */
  state: SessionState;
  /** Does not change under a session. */
  readonly protocol: SmtpServerOptions['protocol'];
  readonly authentication = new Authentication();
  /** Extensions of the last EHLO. */
  announced: readonly string[] = [];
  /** Messages accepted so far. */
  messageCount = 0;
  transaction: Transaction | undefined;

  readonly #host: SessionHost;
  readonly #arrival: Arrival;
  readonly #wire: Wire;
  readonly #lines: LineReader;
  readonly #turn = () => this.#pump();
  /** Takes the bytes of a message, all of them or chunk by chunk. */
  #input: MessageInput | undefined;
  /** Has them all, and decides. */
  #finishing: MessageReception | undefined;
  #run: PendingRun<unknown> | undefined;
  /** The proxy script asked for the next command line, whatever it is. */
  #isProxyNext = false;

  /** Something is being waited for: no input is taken. */
  #isWaiting = true;
  #isPumping = false;
  /** The last reply is said; what still comes is thrown away. */
  #isClosing = false;
  #isClosed = false;
  /** The loop lets others go first and comes back by itself. */
  #isYielding = false;
  /** The handshake of TLS begins when the reply to STARTTLS is out. */
  #isTlsNext = false;
  /** Why every command but QUIT is refused. */
  #barred: Reply | undefined;
  #hasGreeted = false;
  /** The greeting is held back until the deadline. */
  #isDelaying = false;
  #deadline: number;
  /** For the message being received. */
  #messageDeadline = Number.POSITIVE_INFINITY;
  #errors = 0;
  #commandsWithoutMail = 0;
  #lastVerb = 'BANNER';
  #lastReply: Reply | undefined;
  #closedBy: 'local' | 'remote' = 'remote';

  constructor(host: SessionHost, socket: Socket, arrival: Arrival) {
    const { options, parts } = host;
    this.#host = host;
    this.#wire = new Wire(socket, this);
    this.#arrival = arrival;
    this.#lines = new LineReader(longestLineBytes(options));
    this.#deadline = host.roughNow + options.timeouts.greetingSeconds;
    this.protocol = options.protocol;
    this.state = new SessionState({ ...arrival.ends, id: parts.newId(), serverId: options.id }, parts.newId);
  }

  get options(): SmtpServerOptions {
    return this.#host.options;
  }

  get parts(): SmtpServerParts {
    return this.#host.parts;
  }

  /** The address that the connection came from, whatever scripts and XCLIENT made of it. */
  get peerIp(): string {
    return this.#arrival.ends.remoteIp;
  }

  /** Whether the client is on this machine, as far as we are told. */
  get isFromLoopback(): boolean {
    return isLoopback(this.state.facts.remoteIp);
  }

  get isEncrypted(): boolean {
    return this.#wire.isEncrypted;
  }

  /** Whether XCLIENT is offered. */
  get maySpeakForOthers(): boolean {
    return this.#arrival.maySpeakForOthers;
  }

  /** The connection begins. */
  start(): void {
    if (this.#arrival.isTlsFirst) {
      this.#shakeHands();
      return;
    }
    this.#wire.open();
    this.#approach();
    this.#pump();
  }

  /** Holds the greeting back for a while, if configured: who talks meanwhile does not know how SMTP goes. */
  #approach(): void {
    const { bannerDelaySeconds } = this.options;
    if (bannerDelaySeconds === 0) {
      this.#lookUpName();
      return;
    }
    this.#isDelaying = true;
    this.#deadline = this.parts.clock.monotonic() + bannerDelaySeconds;
  }

  #endDelay(): void {
    this.#isDelaying = false;
    this.#expectInput();
    this.#lookUpName();
    this.#pump();
  }

  /** Everything is known of the client but its name, if that is wanted. */
  #lookUpName(): void {
    const { resolver } = this.parts;
    if (!this.options.reverseNames || resolver === undefined || this.state.facts.remoteIp === '') {
      this.#askConnect();
      return;
    }
    this.#after(nameLookUp(resolver, this.state.facts.remoteIp), (name) => {
      this.state.lookedUp(name);
      this.#isWaiting = true;
      this.#askConnect();
    });
  }

  #askConnect(): void {
    const hook = this.options.hooks.connect;
    if (hook === undefined) this.#connected(connect.atEndOfScript);
    else this.#after(this.parts.hooks.connect(hook, this.state), (outcome) => this.#connected(outcome));
  }

  // --- What commands do ---------------------------------------------------------------------------------------------

  greeted(verb: string, host: string, announced: readonly string[]): void {
    this.state.greeted(verb, host);
    this.announced = announced;
  }

  beginTransaction(reversePath: Address, hasUtf8: boolean): void {
    this.state.begin(reversePath);
    this.transaction = new Transaction(this.state.transactionId, reversePath, hasUtf8);
  }

  addRecipient(recipient: Recipient): void {
    this.transaction!.recipients.push(recipient);
    this.state.addRecipient(recipient);
  }

  endTransaction(): void {
    this.#input?.giveUp('the transaction is over');
    this.#input = undefined;
    this.#messageDeadline = Number.POSITIVE_INFINITY;
    this.transaction = undefined;
    this.state.endTransaction();
  }

  /** A message has begun with BDAT. */
  get isInChunks(): boolean {
    return this.#input !== undefined;
  }

  /** After the reply, TLS begins. What the client has sent behind the command already is thrown away (RFC 3207 §4.2). */
  startTls(): Reply {
    this.#isTlsNext = true;
    this.#isWaiting = true;
    return replies.readyForTls;
  }

  /** The session starts over, with what a trusted client says about another one; the reply is the new greeting. */
  startOver(request: XclientRequest): void {
    this.endTransaction();
    this.announced = [];
    this.#hasGreeted = false;
    this.#isProxyNext = false;
    this.#isWaiting = true;
    this.state = anotherClient(this.state, request, this.parts.newId);
    // A name that was told is not looked up.
    if (request.name === undefined) this.#lookUpName();
    else this.#askConnect();
  }

  /** Prepares for the message's bytes; the reply is the go-ahead, or why not. */
  beginReception(): Reply {
    const reception = this.#openReception(new DataReader());
    if (reception instanceof Reply) {
      this.endTransaction();
      return reception;
    }
    this.#input = MessageInput.ofData(reception);
    return replies.goAhead;
  }

  /** Prepares for the bytes behind BDAT; the reply comes after them. */
  beginChunk(chunk: ChunkRequest): void {
    if (this.#input === undefined) {
      const { messageBytes } = this.options.limits;
      this.#input =
        chunk.refusal === undefined || chunk.refusesMessage === true
          ? MessageInput.ofChunks((reader) => this.#openReception(reader), messageBytes)
          : MessageInput.ofNothing();
    }
    this.#input.expect(chunk);
    this.#expectInput();
  }

  #openReception(reader: MessageReader): MessageReception | Reply {
    const { options, parts, state } = this;
    const transaction = this.transaction!;
    const protocol = protocolKeyword({
      verb: state.helo?.verb,
      hasUtf8: transaction.hasUtf8,
      isEncrypted: state.tls !== undefined,
      isAuthenticated: state.auth !== undefined,
    });
    const trace = receivedField({
      helo: state.helo?.host,
      remotePtr: state.remotePtr,
      remoteIp: state.remoteIp,
      hostname: options.hostname,
      protocol,
      transactionId: transaction.id,
      unixSeconds: parts.clock.now(),
    });
    try {
      const reception = new MessageReception({ parts, options, state }, transaction, trace, reader);
      this.#messageDeadline = this.#host.roughNow + options.timeouts.messageSeconds;
      return reception;
    } catch (error) {
      parts.log.error(
        { ...sessionFields(this), err: error },
        `the spool takes no message: ${error instanceof Error ? error.message : String(error)}`,
      );
      return spoolErrorToReply(error);
    }
  }

  // --- What the server does -----------------------------------------------------------------------------------------

  /** Acts on deadlines; `now` is on the monotonic clock. */
  sweep(now: number): void {
    if (now < this.#deadline && now < this.#messageDeadline) return;
    if (this.#isClosing || this.#wire.isBlocked || this.#wire.isShakingHands) {
      this.#wire.destroy();
      return;
    }
    if (this.#isDelaying) {
      this.#endDelay();
      return;
    }
    if (this.#isWaiting) return; // for us: scripts and spool have limits of their own
    this.#endWith(replies.timeout);
  }

  /** No more mail: an idle client is told so at once, a busy one after its transaction. */
  stop(): void {
    if (this.#isWaiting || this.transaction !== undefined || this.#isClosing) return;
    this.#endWith(replies.shuttingDown);
  }

  /** The grace is over. */
  destroy(): void {
    this.#closedBy = 'local';
    this.#wire.destroy();
  }

  // --- The wire -----------------------------------------------------------------------------------------------------

  received(chunk: Buffer): void {
    if (this.#isClosing) return;
    this.#lines.push(chunk);
    if (!this.#hasGreeted && !this.state.isEarlyTalker) this.state.talkedEarly();
    // The next turn is asked for already: more input does not make it come sooner.
    if (this.#isDelaying) this.#endDelay();
    else if (this.#isYielding) this.#watchInput();
    else this.#pump();
  }

  peerEnded(): void {
    this.#pump();
  }

  drained(): void {
    if (!this.#isClosing) this.#expectInput();
    this.#pump();
  }

  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#abandon('the connection is closed');
    this.#host.ended(this);
    const hook = this.options.hooks.disconnect;
    if (hook === undefined) return;
    const ending = sessionEnding(this.#closedBy, this.#lastReply, this.#lastVerb, this.#wire.error);
    this.parts.hooks.disconnect(hook, this.state, ending);
  }

  /** The handshake of TLS: after STARTTLS, or at the start of a connection. */
  #shakeHands(): void {
    this.#isTlsNext = false;
    const contexts = this.options.tls;
    if (contexts === undefined) {
      this.destroy(); // a reload took it away this very moment
      return;
    }
    this.#lines.takeAll();
    this.#deadline = this.#host.roughNow + this.options.timeouts.handshakeSeconds;
    this.#wire.secure(
      contexts,
      (facts) => this.#secured(facts, contexts.clientCertificate),
      ({ message }) => this.parts.log.info({ ...sessionFields(this), reason: printable(message) }, 'no TLS'),
    );
  }

  #secured(facts: TlsFacts, policy: ClientCertificatePolicy): void {
    this.endTransaction();
    this.announced = [];
    this.#isProxyNext = false;
    this.state.secured(facts);
    this.#barred = certificateRefusal(policy, facts.peerCertificate);
    if (this.#barred !== undefined) logRefusal(this, 'STARTTLS', '', this.#barred);
    if (this.#hasGreeted) {
      this.#isWaiting = false;
      this.#expectInput();
    } else if (this.#barred === undefined) {
      this.#approach();
    } else {
      this.#endWith(this.#barred);
    }
    this.#pump();
  }

  // --- Taking input -------------------------------------------------------------------------------------------------

  #pump(): void {
    // A script that does not wait calls back from inside: the loop that is running goes on by itself.
    if (this.#isPumping || this.#isClosed) return;
    this.#isPumping = true;
    try {
      this.#takeInput();
    } catch (error) {
      this.#fault(error);
    }
    this.#isPumping = false;
    if (this.#host.isStopping) this.stop();
    if (this.#wire.flush()) this.#expectDrain();
    if (this.#isTlsNext && !this.#isClosing) this.#shakeHands();
    else this.#watchInput();
  }

  #takeInput(): void {
    this.#isYielding = false;
    const { clock } = this.parts;
    const turnEnds = clock.monotonic() + turnSeconds;
    let budget = commandsPerTurn;
    while (!this.#isWaiting && !this.#wire.isBlocked && !this.#isClosing) {
      if (this.#input?.isReading === true) {
        const step = this.#input.feed(this.#lines.takeAll());
        if (step === undefined) return;
        this.#takeMessageBytes(this.#input, step);
        continue;
      }
      const line = this.#lines.next();
      if (line === undefined) {
        if (this.#lines.skippedBytes > this.options.limits.endlessLineBytes) this.#say(replies.endlessLine);
        return;
      }
      this.#takeLine(line);
      if (--budget === 0 || clock.monotonic() >= turnEnds) {
        this.#isYielding = true;
        setImmediate(this.#turn);
        return;
      }
    }
  }

  /** Stops reading what nobody can take, and ends with a client that has ended. */
  #watchInput(): void {
    const { waitingBytes } = this.#lines;
    const isHeldUp = this.#isWaiting || this.#wire.isBlocked || this.#isYielding;
    // A part of a line that waits for its rest is not held up, however long it is.
    this.#wire.hold(isHeldUp && (this.#wire.isHeld || waitingBytes > mostWaitingBytes));
    if (!this.#wire.hasPeerEnded || this.#isClosing) return;
    // Whole commands that came before the end are carried out; what runs with none behind it has nobody to answer to.
    if (waitingBytes > 0 && isHeldUp) return;
    this.#abandon('the client has gone');
    // A message that is being committed is finished first.
    if (this.#finishing === undefined) this.#close('remote');
  }

  #takeLine(line: { readonly text: string } | LineFault): void {
    const { authentication } = this;
    if (this.#host.isStopping && this.transaction === undefined) this.#say(replies.shuttingDown);
    else if (this.#barred !== undefined && !isQuit(line))
      this.#refuse(this.#barred); // RFC 3207 §4.1
    else if (typeof line === 'string') this.#refuse(authentication.fault(line) ?? faultReplies[line]);
    else this.#takeText(line.text);
  }

  /** Whose line it is: the exchange's that is under way, the proxy script's, or a command. */
  #takeText(text: string): void {
    const { options, authentication } = this;
    if (options.verbose) logClientLine(this, text);
    if (authentication.isUnderWay) this.#count(authResponse, text);
    else if (text.length + 2 > options.limits.commandLineBytes && !/^AUTH /i.test(text))
      this.#refuse(replies.lineTooLong);
    else {
      const hook = proxyHookFor(options, text, this.#isProxyNext);
      if (hook === undefined) this.#takeCommand(text);
      else this.#askProxy(hook, text);
    }
  }

  #askProxy(hook: string, text: string): void {
    this.#lastVerb = printable(commandWord(text), 16);
    this.#after(this.parts.hooks.proxy(hook, this.state, text), (outcome) => {
      this.#isProxyNext = outcome.next;
      if (outcome.kind === 'Pass') this.#takeCommand(outcome.command ?? text);
      else if (this.#isOneTooMany()) this.#say(replies.tooManyCommands);
      else {
        const reply = proxyReply(outcome);
        if (reply.code >= 400) logRefusal(this, this.#lastVerb, '', reply);
        this.#answerLine(text, reply);
      }
    });
  }

  /** Says a reply that is not the engine's; the bytes behind BDAT are on their way whoever answers it. */
  #answerLine(text: string, reply: Reply): void {
    const chunk = /^BDAT /i.test(text) ? readChunk(text.slice(5)) : undefined;
    const request = chunk && refusedChunk(chunk, reply, this.options.limits.refusedChunkBytes);
    if (request === undefined || request instanceof Reply) this.#say(request ?? reply);
    else this.beginChunk({ ...request, refusesMessage: (this.transaction?.recipients.length ?? 0) > 0 });
  }

  #takeCommand(text: string): void {
    const space = text.indexOf(' ');
    const verb = (space === -1 ? text : text.slice(0, space)).toUpperCase();
    const command = commands.get(verb);
    if (command === undefined) {
      this.#lastVerb = printable(verb, 16);
      this.#refuse(unimplementedVerbs.has(verb) ? replies.notImplemented : replies.unknownCommand);
      return;
    }
    this.#lastVerb = verb;
    this.#count(command, space === -1 ? '' : text.slice(space + 1).trimStart());
  }

  #count(command: Command, argument: string): void {
    if (command.isMail !== true && this.#isOneTooMany()) this.#say(replies.tooManyCommands);
    else this.#carryOut(command, argument);
  }

  #isOneTooMany(): boolean {
    const { commandsWithoutMail } = this.options.limits;
    return ++this.#commandsWithoutMail > commandsWithoutMail && commandsWithoutMail > 0;
  }

  /** check → phase → proceed. */
  #carryOut(command: Command, argument: string): void {
    const request = command.check(this, argument);
    if (request instanceof Reply) {
      this.#refuse(request);
      return;
    }
    const proceed = (outcome: unknown) => {
      const reply = command.proceed(this, request, outcome);
      if (reply === undefined) return;
      if (reply.code >= 400)
        logRefusal(this, this.#lastVerb, command.forLog?.(this, argument) ?? argument, reply);
      this.#say(reply);
    };
    const run = command.ask?.(this, request);
    if (run === undefined) proceed(undefined);
    else this.#after(run, proceed);
  }

  /** Goes on with the outcome, at once if it is there. */
  #after<Outcome>(run: Run<Outcome>, goOn: (outcome: Outcome) => void): void {
    if (!(run instanceof PendingRun)) {
      goOn(run);
      return;
    }
    this.#isWaiting = true;
    this.#run = run;
    void run.outcome.then((outcome) => {
      this.#run = undefined;
      this.#isWaiting = false;
      if (this.#isClosing || this.#isClosed) return;
      try {
        goOn(outcome);
      } catch (error) {
        this.#fault(error);
      }
      this.#pump();
    });
  }

  #connected(outcome: ConnectOutcome): void {
    this.#isWaiting = false;
    if (outcome.kind === 'Accept') {
      this.#hasGreeted = true;
      this.state.override(outcome);
      const reply = outcomeToReply(
        connect,
        outcome,
        `${this.options.hostname} ${this.protocol === 'lmtp' ? 'LMTP' : 'ESMTP'}`,
      );
      this.#say(this.#host.isStopping ? replies.shuttingDown : reply);
    } else {
      const { code, enhanced, lines } = outcomeToReply(connect, outcome);
      const reply = new Reply(code, enhanced, lines, true);
      logRefusal(this, this.#lastVerb, '', reply);
      this.#say(reply);
    }
  }

  // --- A message ----------------------------------------------------------------------------------------------------

  #takeMessageBytes(input: MessageInput, step: InputStep): void {
    this.#expectInput();
    if (step.kind !== 'more') this.#lines.push(step.rest);
    if (step.kind === 'whole') {
      this.#finish(step.reception);
      return;
    }
    if (step.kind === 'chunk') this.#say(step.reply);
    else if (step.kind === 'refused') this.#refuseChunk(input, step.reply, step.isLast);
    const { storing } = input;
    if (storing === undefined) return;
    this.#isWaiting = true;
    void storing.then(() => {
      this.#isWaiting = false;
      this.#expectInput();
      this.#pump();
    });
  }

  #refuseChunk(input: MessageInput, reply: Reply, isLast: boolean): void {
    if (!input.isMessage) this.#input = undefined;
    logRefusal(this, this.#lastVerb, '', reply);
    if (isLast && this.protocol === 'lmtp' && this.transaction !== undefined) this.#sayForEach(reply);
    else if (reply.code >= 400) this.#refuse(reply);
    else this.#say(reply); // a proxy script's
    if (isLast && input.isMessage) this.endTransaction();
  }

  #finish(reception: MessageReception): void {
    this.#input = undefined;
    this.#finishing = reception;
    this.#messageDeadline = Number.POSITIVE_INFINITY;
    this.#lastVerb = 'EOD';
    this.#isWaiting = true;
    void reception.finish().then(
      (result) => this.#finished(result),
      (error: unknown) => {
        this.#isWaiting = false;
        this.#finishing = undefined;
        this.#fault(error);
        this.#pump();
      },
    );
  }

  #finished({ kind, reply, sizeBytes, queued }: ReceptionResult): void {
    this.#isWaiting = false;
    this.#finishing = undefined;
    if (kind === 'accepted') {
      this.messageCount++;
      this.#commandsWithoutMail = 0;
      logAccepted(this, sizeBytes, queued);
    } else if (kind === 'refused') {
      logRefusal(this, this.#lastVerb, '', reply);
    }
    if (this.#isClosing || this.#isClosed) {
      this.endTransaction();
      return;
    }
    if (this.protocol === 'lmtp') this.#sayForEach(reply);
    else this.#say(reply);
    this.endTransaction();
    this.#expectInput();
    this.#pump();
  }

  /** Drops what is under way for a client that is not there any more. */
  #abandon(reason: string): void {
    this.#run?.cancel(reason);
    this.#run = undefined;
    this.#input?.giveUp(reason);
    this.#input = undefined;
    this.#finishing?.giveUp(reason);
  }

  // --- Replies ------------------------------------------------------------------------------------------------------

  /** A wrong command: answered, and counted. */
  #refuse(reply: Reply): void {
    const { errorsPerConnection } = this.options.limits;
    this.#say(
      ++this.#errors >= errorsPerConnection && errorsPerConnection > 0 ? replies.tooManyErrors : reply,
    );
  }

  #say(reply: Reply): void {
    if (this.#isClosing) return;
    this.#wire.say(reply.toWire());
    if (this.options.verbose) logReply(this, reply);
    this.#lastReply = reply;
    this.#expectInput();
    if (reply.closes) this.#close('local');
  }

  /** LMTP answers a message once for each accepted recipient (RFC 2033 §4.2). */
  #sayForEach(reply: Reply): void {
    const open = reply.closes ? new Reply(reply.code, reply.enhanced, reply.lines) : reply;
    const count = this.transaction?.recipients.length ?? 0;
    for (let index = 1; index <= count; index++) this.#say(index === count ? reply : open);
  }

  /** Says a last reply from outside the loop. */
  #endWith(reply: Reply): void {
    this.#abandon('the session ends');
    this.#say(reply);
    this.#close('local');
  }

  /** After the last reply: our side ends, and the client has a while to take what was said and hang up. */
  #close(by: 'local' | 'remote'): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#closedBy = by;
    this.#lines.takeAll();
    this.#wire.end();
    this.#messageDeadline = Number.POSITIVE_INFINITY;
    this.#expectDrain();
  }

  /** From now on the client has so long to take what was said. */
  #expectDrain(): void {
    this.#deadline = this.#host.roughNow + this.options.timeouts.lingerSeconds;
  }

  /** From now on the client has so long for what comes next. */
  #expectInput(): void {
    const { timeouts } = this.options;
    let seconds = timeouts.commandSeconds;
    if (this.#input?.isReading === true) seconds = timeouts.dataSeconds;
    else if (this.transaction !== undefined) seconds = timeouts.transactionSeconds;
    else if (this.state.helo === undefined) seconds = timeouts.greetingSeconds;
    this.#deadline = this.#host.roughNow + seconds;
  }

  /** We are wrong: this session ends, the daemon goes on. */
  #fault(error: unknown): void {
    this.parts.log.error({ ...sessionFields(this), err: error }, 'internal error in an SMTP session');
    this.#endWith(replies.ourFault);
  }
}

function isQuit(line: { readonly text: string } | LineFault): boolean {
  return typeof line !== 'string' && /^quit *$/i.test(line.text);
}
