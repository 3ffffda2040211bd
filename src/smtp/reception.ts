// A message on its way in: from the go-ahead after DATA to the reply after the final dot.
//
//   receiving ──final dot──► deciding ──Accept──► committing ──► replied
//       └───────────────────────┴── refused, too big, given up: nothing stays behind
//
// The 250 is a promise (RFC 5321 §6.1): it is made only after the spool has said that everything is durable.

import { type EodAccept, type EodOutcome, eod, type QueueRequest, type SessionState } from '#hooks';
import { EodMessage, MailDocument } from '#stdlib';
import { PendingRun } from '../scripting/smtp-hooks.js';
import { type IncomingMessage, type ReceivedMessage, SpoolError } from '../spool/spool.js';
import { DataReader } from './data-reader.js';
import { dsnOfEnvelope } from './extensions.js';
import type { SmtpServerOptions, SmtpServerParts } from './options.js';
import { replies } from './replies.js';
import { outcomeToReply, type Reply } from './reply.js';
import type { Transaction } from './transaction.js';

const HEADER_END = Buffer.from('\r\n\r\n');

/** What a reception needs of its session. */
export interface ReceptionContext {
  readonly parts: SmtpServerParts;
  readonly options: SmtpServerOptions;
  readonly state: SessionState;
}

/** The reply of the end-of-data, and whether a message was accepted with it. */
export interface ReceptionResult {
  readonly kind: 'accepted' | 'refused' | 'abandoned';
  readonly reply: Reply;
  readonly sizeBytes: number;
  /** How many recipients it was queued for. */
  readonly queued: number;
}

export class MessageReception {
  readonly #context: ReceptionContext;
  readonly #transaction: Transaction;
  readonly #reader = new DataReader();
  readonly #traceBytes: number;
  #incoming: IncomingMessage | undefined;
  /** The spool's wish to wait. */
  #storing: Promise<void> | undefined;
  #bytes = 0;
  /** Unix time of the final dot: the transaction's time. */
  #arrivedAt = 0;
  /** Why the message cannot be accepted, although it is still read to its end. */
  #refusal: Reply | undefined;
  #run: PendingRun<EodOutcome> | undefined;
  #isGivenUp = false;

  /** `trace` is the Received field. @throws SpoolError when the spool takes nothing */
  constructor(context: ReceptionContext, transaction: Transaction, trace: string) {
    this.#context = context;
    this.#transaction = transaction;
    this.#traceBytes = trace.length;
    this.#incoming = context.parts.spool.receive();
    this.#store(Buffer.from(trace, 'latin1'));
  }

  /** Bytes behind the final dot, once it has come. */
  get rest(): Buffer {
    return this.#reader.rest;
  }

  /** Settles when the spool can take more; undefined when it can now. */
  get storing(): Promise<void> | undefined {
    return this.#storing;
  }

  /** Takes the next bytes from the client. @returns whether the final dot was among them */
  feed(chunk: Buffer): boolean {
    const isOver = this.#reader.feed(chunk);
    const { piece } = this.#reader;
    if (piece.length > 0 && this.#refusal === undefined) {
      this.#bytes += piece.length;
      const { messageBytes } = this.#context.options.limits;
      if (messageBytes > 0 && this.#bytes > messageBytes) this.#refuse(replies.tooBig);
      else this.#store(piece);
    }
    return isOver;
  }

  /** Everything after the final dot. Call it once. Never rejects for trouble of the spool or a script. */
  async finish(): Promise<ReceptionResult> {
    this.#arrivedAt = this.#context.parts.clock.now();
    await this.#storing;
    if (this.#reader.hasLookAlike) this.#refuse(replies.bareLineEndInData);
    const incoming = this.#incoming;
    if (this.#isGivenUp) return abandoned;
    if (incoming === undefined) return refused(this.#refusal ?? replies.spoolTrouble);
    this.#incoming = undefined;
    let message: ReceivedMessage;
    try {
      message = await incoming.finish();
    } catch (error) {
      return refused(this.#spoolReply(error));
    }
    let isKept = false;
    try {
      const badHeader = this.#checkHeader(message);
      if (badHeader !== undefined) return refused(badHeader);
      const outcome = await this.#decide(message);
      if (this.#isGivenUp) return abandoned;
      if (outcome.kind !== 'Accept') return refused(outcomeToReply(eod, outcome));
      const text = `${eod.replies.Accept.text} ${this.#transaction.id}`;
      const reply = outcomeToReply(eod, outcome, text);
      const queued = outcome.queued.length;
      const accepted = { kind: 'accepted', reply, sizeBytes: message.sizeBytes, queued } as const;
      if (queued === 0) return accepted;
      isKept = true;
      try {
        await this.#commit(message, outcome);
      } catch (error) {
        return refused(this.#spoolReply(error));
      }
      return accepted;
    } finally {
      if (!isKept) message.discard();
    }
  }

  /** The session is over. What is not being committed already leaves nothing behind. */
  giveUp(reason: string): void {
    if (this.#isGivenUp) return;
    this.#isGivenUp = true;
    this.#discard();
    this.#run?.cancel(reason);
  }

  #store(bytes: Buffer): void {
    let wait: Promise<void> | undefined;
    try {
      wait = this.#incoming?.write(bytes);
    } catch (error) {
      this.#refuse(this.#spoolReply(error));
      return;
    }
    if (wait === undefined) return;
    const before = this.#storing;
    const storing: Promise<void> = Promise.all([before, wait]).then(
      () => this.#stored(storing),
      (error: unknown) => {
        this.#refuse(this.#spoolReply(error));
        this.#stored(storing);
      },
    );
    this.#storing = storing;
  }

  #stored(storing: Promise<void>): void {
    if (this.#storing === storing) this.#storing = undefined;
  }

  #refuse(reply: Reply): void {
    this.#refusal ??= reply;
    this.#discard();
  }

  #discard(): void {
    this.#incoming?.discard();
    this.#incoming = undefined;
  }

  /** Limits that are about the message itself (RFC 5321 §6.3 for hops). */
  #checkHeader(message: ReceivedMessage): Reply | undefined {
    const { limits } = this.#context.options;
    const found = message.head.indexOf(HEADER_END);
    if (found === -1 && !message.isComplete) return replies.headerTooBig;
    const end = found === -1 ? message.head.length : found;
    if (limits.headerBytes > 0 && found > limits.headerBytes) return replies.headerTooBig;
    const header = message.head.toString('latin1', this.#traceBytes - 1, end);
    if (limits.headerLines > 0 && end > limits.headerLines * 2 && countOf(header, /\n/g) > limits.headerLines)
      return replies.headerTooBig;
    if (limits.hops > 0 && countOf(header, /\nreceived[ \t]*:/gi) >= limits.hops) return replies.tooManyHops;
    return undefined;
  }

  async #decide(message: ReceivedMessage): Promise<EodOutcome> {
    const { parts, options, state } = this.#context;
    const hook = options.hooks.eod;
    if (hook === undefined) return { kind: 'Accept', queued: this.#queueForAll(message) };
    const mail = new EodMessage(new MailDocument(message), {
      id: this.#transaction.id,
      priority: state.priority,
      knowsTransport: parts.knowsTransport,
    });
    const run = parts.hooks.eod(hook, state, { kind: 'eod', mail }, this.#arrivedAt);
    if (!(run instanceof PendingRun)) return run;
    this.#run = run;
    const outcome = await run.outcome;
    this.#run = undefined;
    return outcome;
  }

  /** Without a script the message goes to every recipient as it is. */
  #queueForAll(message: ReceivedMessage): QueueRequest[] {
    const { reversePath, recipients } = this.#transaction;
    return recipients.map(({ address, transportId }, index) => ({
      number: index + 1,
      sender: reversePath,
      recipient: address,
      transportId,
      pieces: [{ kind: 'range', start: 0, end: message.sizeBytes }],
      metadata: {},
      hold: false,
      priority: this.#context.state.priority,
      delaySeconds: 0,
      quotas: [],
      dsn: dsnOfEnvelope(reversePath.params, address.params),
    }));
  }

  async #commit(message: ReceivedMessage, { queued }: EodAccept): Promise<void> {
    const { parts, options, state } = this.#context;
    const messages = await parts.spool.commit({
      id: this.#transaction.id,
      ts: this.#arrivedAt,
      serverId: options.id,
      senderIp: state.remoteIp,
      senderHelo: state.helo?.host ?? '',
      message,
      requests: queued,
    });
    parts.onQueued(messages);
  }

  #spoolReply(error: unknown): Reply {
    const { log } = this.#context.parts;
    log.error(
      { transaction: this.#transaction.id, server: this.#context.options.id, err: error },
      `the spool did not take a message: ${error instanceof Error ? error.message : String(error)}`,
    );
    return spoolErrorToReply(error);
  }
}

/** What the client is told of the spool's trouble. */
export function spoolErrorToReply(error: unknown): Reply {
  return error instanceof SpoolError && error.noSpace ? replies.noSpace : replies.spoolTrouble;
}

function refused(reply: Reply): ReceptionResult {
  return { kind: 'refused', reply, sizeBytes: 0, queued: 0 };
}

const abandoned: ReceptionResult = { kind: 'abandoned', reply: replies.ourFault, sizeBytes: 0, queued: 0 };

function countOf(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
