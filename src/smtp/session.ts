// One SMTP connection, from greeting to close.
//
//   (TLS) ──► approach ──► commands ⇄ message (after DATA, BDAT) ──► closing ──► closed
//                ▲          │
//                └─ XCLIENT ┴─► TLS (after STARTTLS), and commands again
//
// Here is what all of that shares: input and output, what is waited for, deadlines, the end. What is done before the greeting
// is in approach.ts, with a line in dispatch.ts, with a message in message-exchange.ts.
//
// Input is read in one place, `pump`: it takes command lines or message bytes as long as there are some and nothing is
// being waited for (a script, the spool, the client's window). Replies are collected and written once per turn, so a
// pipelined group is answered with one packet (RFC 2920 §3.2).
//
// There is no timer in a session: the server asks each one now and then whether its deadline is over (`sweep`).

import type { Socket } from 'node:net';
import { type Address, type Recipient, SessionState, type TlsFacts } from '#hooks';
import { printable } from '../log/printable.js';
import { PendingRun, type Run } from '../scripting/smtp-hooks.js';
import { Approach } from './approach.js';
import { Authentication, longestLineBytes } from './authentication.js';
import { Dispatch } from './dispatch.js';
import { type Arrival, isLoopback } from './edge/arrival.js';
import { anotherClient, type XclientRequest } from './edge/xclient.js';
import { sessionEnding } from './ending.js';
import { LineReader } from './line-reader.js';
import { MessageExchange } from './message-exchange.js';
import type { ChunkRequest } from './message-input.js';
import type { SmtpServerOptions, SmtpServerParts } from './options.js';
import { replies } from './replies.js';
import type { Reply } from './reply.js';
import { logRefusal, logReply, sessionFields } from './session-log.js';
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
  /** Takes the lines. */
  readonly dispatch = new Dispatch(this);
  /** Extensions of the last EHLO. */
  announced: readonly string[] = [];
  /** Messages accepted so far. */
  messageCount = 0;
  /** On the monotonic clock. */
  readonly startedAt: number;
  transaction: Transaction | undefined;

  readonly #host: SessionHost;
  readonly #arrival: Arrival;
  readonly #wire: Wire;
  readonly #lines: LineReader;
  readonly #turn = () => this.pump();
  /** Until the greeting. */
  #approach: Approach | undefined = new Approach(this);
  /** From DATA or the first BDAT of a transaction to its end. */
  #message: MessageExchange | undefined;
  #run: PendingRun<unknown> | undefined;

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
  #deadline: number;
  #lastReply: Reply | undefined;
  #closedBy: 'local' | 'remote' = 'remote';

  constructor(host: SessionHost, socket: Socket, arrival: Arrival) {
    const { options, parts } = host;
    this.#host = host;
    this.startedAt = host.roughNow;
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

  /** No more transactions may begin. */
  get isStopping(): boolean {
    return this.#host.isStopping;
  }

  /** Seconds on the monotonic clock, at most a sweep old. */
  get roughNow(): number {
    return this.#host.roughNow;
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

  /** The last reply is said, or nobody is there to hear one. */
  get isOver(): boolean {
    return this.#isClosing || this.#isClosed;
  }

  /** The connection begins. */
  start(): void {
    if (this.#arrival.isTlsFirst) {
      this.#shakeHands();
      return;
    }
    this.#wire.open();
    this.#approach?.begin();
    this.pump();
  }

  // --- What the approach does ---------------------------------------------------------------------------------------

  /** The greeting; commands may come. */
  welcome(greeting: Reply): void {
    this.#isWaiting = false;
    this.#approach = undefined;
    this.say(this.#host.isStopping ? replies.shuttingDown : greeting);
  }

  /** A refusal instead, which closes. */
  turnAway(refusal: Reply): void {
    this.#isWaiting = false;
    logRefusal(this, this.dispatch.lastVerb, '', refusal);
    this.say(refusal);
  }

  /** The next thing happens by itself, when so many seconds are over. */
  expectNothingFor(seconds: number): void {
    this.#deadline = this.parts.clock.monotonic() + seconds;
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
    this.#message?.giveUp('the transaction is over');
    this.#message = undefined;
    this.transaction = undefined;
    this.state.endTransaction();
  }

  /** A message has begun with BDAT. */
  get isInChunks(): boolean {
    return this.#message?.isInChunks === true;
  }

  /** Prepares for the message's bytes; the reply is the go-ahead, or why not. */
  beginReception(): Reply {
    const message = new MessageExchange(this);
    const refusal = message.begin();
    if (refusal !== undefined) {
      this.endTransaction();
      return refusal;
    }
    this.#message = message;
    return replies.goAhead;
  }

  /** Prepares for the bytes behind BDAT; the reply comes after them. */
  beginChunk(chunk: ChunkRequest): void {
    this.#message ??= new MessageExchange(this);
    this.#message.expect(chunk);
    this.expectInput();
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
    this.dispatch.startOver();
    this.#isWaiting = true;
    this.state = anotherClient(this.state, request, this.parts.newId);
    this.#approach = new Approach(this);
    // A name that was told is not looked up.
    if (request.name === undefined) this.#approach.lookUpName();
    else this.#approach.askConnect();
  }

  // --- What the server does -----------------------------------------------------------------------------------------

  /** Acts on deadlines; `now` is on the monotonic clock. */
  sweep(now: number): void {
    const isOverdue = !this.#isClosing && this.#message?.isOverdue(now) === true;
    if (now < this.#deadline && !isOverdue) return;
    if (this.#isClosing || this.#wire.isBlocked || this.#wire.isShakingHands) {
      this.#wire.destroy();
      return;
    }
    if (this.#approach?.isDelaying === true) {
      this.#approach.endDelay();
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
    if (this.#approach !== undefined && !this.state.isEarlyTalker) this.state.talkedEarly();
    // The next turn is asked for already: more input does not make it come sooner.
    if (this.#approach?.isDelaying === true) this.#approach.endDelay();
    else if (this.#isYielding) this.#watchInput();
    else this.pump();
  }

  peerEnded(): void {
    this.pump();
  }

  drained(): void {
    if (!this.#isClosing) this.expectInput();
    this.pump();
  }

  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#abandon('the connection is closed');
    this.#host.ended(this);
    const hook = this.options.hooks.disconnect;
    if (hook === undefined) return;
    const ending = sessionEnding(this.#closedBy, this.#lastReply, this.dispatch.lastVerb, this.#wire.error);
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
    this.dispatch.startOver();
    this.state.secured(facts);
    const refusal = certificateRefusal(policy, facts.peerCertificate);
    this.dispatch.barred = refusal;
    if (refusal !== undefined) logRefusal(this, 'STARTTLS', '', refusal);
    if (this.#approach === undefined) {
      this.#isWaiting = false;
      this.expectInput();
    } else if (refusal === undefined) {
      this.#approach.begin();
    } else {
      this.#endWith(refusal);
    }
    this.pump();
  }

  // --- Taking input -------------------------------------------------------------------------------------------------

  /** Takes what has come, says what is to be said, and stops or goes on reading. */
  pump(): void {
    // A script that does not wait calls back from inside: the loop that is running goes on by itself.
    if (this.#isPumping || this.#isClosed) return;
    this.#isPumping = true;
    try {
      this.#takeInput();
    } catch (error) {
      this.fault(error);
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
      if (this.#message?.isReading === true) {
        if (!this.#message.take(this.#lines.takeAll())) return;
        continue;
      }
      const line = this.#lines.next();
      if (line === undefined) {
        if (this.#lines.skippedBytes > this.options.limits.endlessLineBytes) this.say(replies.endlessLine);
        return;
      }
      this.dispatch.take(line);
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
    if (this.#message?.isFinishing !== true) this.#close('remote');
  }

  /** Bytes behind the end of a message, or of a chunk: lines again. */
  putBack(bytes: Buffer): void {
    this.#lines.push(bytes);
  }

  // --- Waiting ------------------------------------------------------------------------------------------------------

  /** No input is taken until `goOn`. */
  wait(): void {
    this.#isWaiting = true;
  }

  goOn(): void {
    this.#isWaiting = false;
  }

  /** Goes on with the outcome, at once if it is there. */
  after<Outcome>(run: Run<Outcome>, goOn: (outcome: Outcome) => void): void {
    if (!(run instanceof PendingRun)) {
      goOn(run);
      return;
    }
    this.#isWaiting = true;
    this.#run = run;
    void run.outcome.then((outcome) => {
      this.#run = undefined;
      this.#isWaiting = false;
      if (this.isOver) return;
      try {
        goOn(outcome);
      } catch (error) {
        this.fault(error);
      }
      this.pump();
    });
  }

  /** Drops what is under way for a client that is not there any more. */
  #abandon(reason: string): void {
    this.#run?.cancel(reason);
    this.#run = undefined;
    this.#message?.giveUp(reason);
  }

  // --- Replies, and the end -----------------------------------------------------------------------------------------

  /** Goes out at the end of the turn. */
  say(reply: Reply): void {
    if (this.#isClosing) return;
    this.#wire.say(reply.toWire());
    if (this.options.verbose) logReply(this, reply);
    this.#lastReply = reply;
    this.expectInput();
    if (reply.closes) this.#close('local');
  }

  /** Says a last reply from outside the loop. */
  #endWith(reply: Reply): void {
    this.#abandon('the session ends');
    this.say(reply);
    this.#close('local');
  }

  /** After the last reply: our side ends, and the client has a while to take what was said and hang up. */
  #close(by: 'local' | 'remote'): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#closedBy = by;
    this.#lines.takeAll();
    this.#wire.end();
    this.#expectDrain();
  }

  /** We are wrong: this session ends, the daemon goes on. */
  fault(error: unknown): void {
    this.parts.log.error({ ...sessionFields(this), err: error }, 'internal error in an SMTP session');
    this.#endWith(replies.ourFault);
  }

  // --- Time ---------------------------------------------------------------------------------------------------------

  /** From now on the client has so long to take what was said. */
  #expectDrain(): void {
    this.#deadline = this.#host.roughNow + this.options.timeouts.lingerSeconds;
  }

  /** From now on the client has so long for what comes next. */
  expectInput(): void {
    const { timeouts } = this.options;
    let seconds = timeouts.commandSeconds;
    if (this.#message?.isReading === true) seconds = timeouts.dataSeconds;
    else if (this.transaction !== undefined) seconds = timeouts.transactionSeconds;
    else if (this.state.helo === undefined) seconds = timeouts.greetingSeconds;
    this.#deadline = this.#host.roughNow + seconds;
  }
}
