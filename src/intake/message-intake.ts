// A message on its way in, whichever protocol brings it: its bytes go into the spool as they come, then the eod script
// decides, then what it queued is made durable.
//
//   receiving ──finish──► deciding ──Accept──► committing ──► accepted
//       └────────────────────┴── refused, too big, given up: nothing stays behind
//
// `accepted` is a promise (RFC 5321 §6.1): it is given only after the spool has said that everything is durable.

import type {
  Address,
  DeferOutcome,
  DsnParameters,
  EodAccept,
  EodFrame,
  EodOutcome,
  QueueRequest,
  Recipient,
  RejectOutcome,
  SessionState,
} from '#hooks';
import type { Clock } from '#lang';
import { EodMessage, MailDocument } from '#stdlib';
import type { Logger } from '../log/logger.js';
import { PendingRun, type SmtpHooks } from '../scripting/smtp-hooks.js';
import {
  type IncomingMessage,
  isTold,
  type ReceivedMessage,
  type Spool,
  SpoolError,
} from '../spool/spool.js';

const HEADER_END = Buffer.from('\r\n\r\n');

/** What may be said against a message as such; 0 = no limit. */
export interface MessageLimits {
  readonly messageBytes: number;
  readonly headerBytes: number;
  readonly headerLines: number;
  /** Received fields of a message before it counts as a loop. */
  readonly hops: number;
}

/** What an intake needs of the server it belongs to. */
export interface IntakeContext {
  readonly parts: {
    readonly spool: Pick<Spool, 'receive' | 'commit'>;
    readonly hooks: Pick<SmtpHooks, 'eod'>;
    readonly log: Logger;
    readonly clock: Clock;
    /** Whether the configuration has that transport. */
    readonly knowsTransport: (id: string) => boolean;
    /** Hands committed messages to the queue. */
    readonly onQueued: (messages: Awaited<ReturnType<Spool['commit']>>) => void;
    /** The staged configuration that these parts are of; its messages remember it. */
    readonly stageKey?: string;
  };
  readonly options: {
    readonly id: string;
    readonly hooks: { readonly eod?: string | undefined };
    readonly limits: MessageLimits;
  };
  readonly state: SessionState;
}

/** From whom to whom; it may become known after the message's bytes. */
export interface Envelope {
  /** The transaction's id. */
  readonly id: string;
  readonly reversePath: Address;
  readonly recipients: readonly Recipient[];
  /** What the sender wants to hear of one recipient, where no script queues. */
  readonly dsnOf?: (recipient: Address) => DsnParameters;
  /** For how long it is to be held, where no script queues. */
  readonly delaySeconds?: number;
  /** The message may hold UTF-8 in its header (RFC 6531); every queued copy must know. */
  readonly hasUtf8?: boolean;
  /** What the eod script is told of an HTTP submission. */
  readonly submission?: EodFrame['submission'];
  /** Each recipient has a reply of its own (LMTP). */
  readonly hasSeparateReplies?: boolean;
}

/** Why a message is not taken, beside a script's decision. `no-space` and `spool-trouble` pass. */
export type IntakeTrouble =
  | 'too-big'
  | 'header-too-big'
  | 'too-many-hops'
  /** A lone dot between bare line ends: other servers may take it for the end of the message. */
  | 'false-end'
  | 'no-space'
  | 'spool-trouble';

/** What became of the message. */
export type IntakeResult =
  | {
      readonly kind: 'accepted';
      readonly outcome: EodAccept;
      readonly sizeBytes: number;
      /** How many recipients it was queued for. */
      readonly queued: number;
    }
  /** By the script. */
  | { readonly kind: 'refused'; readonly outcome: RejectOutcome | DeferOutcome }
  | { readonly kind: 'troubled'; readonly trouble: IntakeTrouble }
  | { readonly kind: 'abandoned' };

/** One message being taken in. */
export class MessageIntake {
  readonly #context: IntakeContext;
  readonly #traceBytes: number;
  #incoming: IncomingMessage | undefined;
  /** The spool's wish to wait. */
  #storing: Promise<void> | undefined;
  #bytes = 0;
  /** Unix time of the last byte: the transaction's time. */
  #arrivedAt = 0;
  #trouble: IntakeTrouble | undefined;
  #run: PendingRun<EodOutcome> | undefined;
  #isGivenUp = false;

  /** `trace` is the Received field. @throws SpoolError when the spool takes nothing */
  constructor(context: IntakeContext, trace: string) {
    this.#context = context;
    this.#traceBytes = trace.length;
    this.#incoming = context.parts.spool.receive();
    this.#store(Buffer.from(trace, 'latin1'));
  }

  /** Settles when the spool can take more; undefined when it can now. */
  get storing(): Promise<void> | undefined {
    return this.#storing;
  }

  /** Why the message cannot be accepted any more, although it may still be read to its end. */
  get trouble(): IntakeTrouble | undefined {
    return this.#trouble;
  }

  /** Takes the message's next bytes. The buffer is not used again by the caller. */
  take(piece: Buffer): void {
    if (piece.length === 0 || this.#trouble !== undefined) return;
    this.#bytes += piece.length;
    const { messageBytes } = this.#context.options.limits;
    if (messageBytes > 0 && this.#bytes > messageBytes) this.refuse('too-big');
    else this.#store(piece);
  }

  /** The message will not be accepted; the first reason counts. */
  refuse(trouble: IntakeTrouble): void {
    this.#trouble ??= trouble;
    this.#discard();
  }

  /** Everything after the last byte. Call it once. Never rejects for trouble of the spool or a script. */
  async finish(envelope: Envelope): Promise<IntakeResult> {
    const message = await this.receive();
    return message === undefined ? this.#endedEarly() : this.decide(message, envelope);
  }

  /**
   * The first half of `finish`: the message whole, not yet promised to anybody; undefined when there is none to decide on,
   * and `decide` says why.
   */
  async receive(): Promise<ReceivedMessage | undefined> {
    this.#arrivedAt = this.#context.parts.clock.now();
    await this.#storing;
    const incoming = this.#incoming;
    if (this.#isGivenUp || this.#trouble !== undefined || incoming === undefined) return undefined;
    this.#incoming = undefined;
    try {
      return await incoming.finish();
    } catch (error) {
      this.#trouble = this.#spoolTrouble(error);
      return undefined;
    }
  }

  /** The second half of `finish`. The message is discarded unless it is committed. */
  async decide(message: ReceivedMessage | undefined, envelope: Envelope): Promise<IntakeResult> {
    if (message === undefined) return this.#endedEarly();
    let isKept = false;
    try {
      if (this.#isGivenUp) return abandoned;
      const badHeader = this.#checkHeader(message);
      if (badHeader !== undefined) return troubled(badHeader);
      const outcome = await this.#ask(message, envelope);
      if (this.#isGivenUp) return abandoned;
      if (outcome.kind !== 'Accept') return { kind: 'refused', outcome };
      const queued = outcome.queued.length;
      const accepted = { kind: 'accepted', outcome, sizeBytes: message.sizeBytes, queued } as const;
      if (queued === 0) return accepted;
      isKept = true;
      try {
        await this.#commit(message, envelope, outcome);
      } catch (error) {
        return troubled(this.#spoolTrouble(error));
      }
      return accepted;
    } finally {
      if (!isKept) message.discard();
    }
  }

  /** Nobody waits for it any more. What is not being committed already leaves nothing behind. */
  giveUp(reason: string): void {
    if (this.#isGivenUp) return;
    this.#isGivenUp = true;
    this.#discard();
    this.#run?.cancel(reason);
  }

  #endedEarly(): IntakeResult {
    return this.#isGivenUp ? abandoned : troubled(this.#trouble ?? 'spool-trouble');
  }

  #store(bytes: Buffer): void {
    let wait: Promise<void> | undefined;
    try {
      wait = this.#incoming?.write(bytes);
    } catch (error) {
      this.refuse(this.#spoolTrouble(error));
      return;
    }
    if (wait === undefined) return;
    const before = this.#storing;
    const storing: Promise<void> = Promise.all([before, wait]).then(
      () => this.#stored(storing),
      (error: unknown) => {
        this.refuse(this.#spoolTrouble(error));
        this.#stored(storing);
      },
    );
    this.#storing = storing;
  }

  #stored(storing: Promise<void>): void {
    if (this.#storing === storing) this.#storing = undefined;
  }

  #discard(): void {
    this.#incoming?.discard();
    this.#incoming = undefined;
  }

  /** Limits that are about the message itself (RFC 5321 §6.3 for hops). */
  #checkHeader(message: ReceivedMessage): IntakeTrouble | undefined {
    const { limits } = this.#context.options;
    const found = message.head.indexOf(HEADER_END);
    if (found === -1 && !message.isComplete) return 'header-too-big';
    const end = found === -1 ? message.head.length : found;
    if (limits.headerBytes > 0 && found > limits.headerBytes) return 'header-too-big';
    const header = message.head.toString('latin1', this.#traceBytes - 1, end);
    if (limits.headerLines > 0 && end > limits.headerLines * 2 && countOf(header, /\n/g) > limits.headerLines)
      return 'header-too-big';
    if (limits.hops > 0 && countOf(header, /\nreceived[ \t]*:/gi) >= limits.hops) return 'too-many-hops';
    return undefined;
  }

  async #ask(message: ReceivedMessage, envelope: Envelope): Promise<EodOutcome> {
    const { parts, options, state } = this.#context;
    const hook = options.hooks.eod;
    if (hook === undefined) return { kind: 'Accept', queued: this.#queueForAll(message, envelope) };
    const mail = new EodMessage(new MailDocument(message), {
      id: envelope.id,
      priority: state.priority,
      knowsTransport: parts.knowsTransport,
    });
    const { submission, recipients, hasSeparateReplies = false } = envelope;
    const frame: EodFrame = {
      kind: 'eod',
      mail,
      ...(submission === undefined ? undefined : { submission }),
      ...(hasSeparateReplies ? { separateReplies: recipients.length } : undefined),
    };
    const run = parts.hooks.eod(hook, state, frame, this.#arrivedAt);
    if (!(run instanceof PendingRun)) return run;
    this.#run = run;
    const outcome = await run.outcome;
    this.#run = undefined;
    return outcome;
  }

  /** Without a script the message goes to every recipient as it is. */
  #queueForAll(message: ReceivedMessage, envelope: Envelope): QueueRequest[] {
    const { reversePath, recipients, dsnOf, delaySeconds = 0 } = envelope;
    return recipients.map(({ address, transportId }, index) => ({
      number: index + 1,
      sender: reversePath,
      recipient: address,
      transportId,
      pieces: [{ kind: 'range', start: 0, end: message.sizeBytes }],
      metadata: {},
      hold: false,
      priority: this.#context.state.priority,
      delaySeconds,
      quotas: [],
      dsn: dsnOf?.(address) ?? {},
    }));
  }

  async #commit(message: ReceivedMessage, envelope: Envelope, { queued }: EodAccept): Promise<void> {
    const { id, hasUtf8 = false } = envelope;
    const { parts, options, state } = this.#context;
    const messages = await parts.spool.commit({
      id,
      ts: this.#arrivedAt,
      serverId: options.id,
      senderIp: state.remoteIp,
      senderHelo: state.helo?.host ?? '',
      ...(parts.stageKey === undefined ? undefined : { stageKey: parts.stageKey }),
      message,
      requests: hasUtf8 ? queued.map(withSmtpUtf8) : queued,
    });
    parts.onQueued(messages);
  }

  #spoolTrouble(error: unknown): IntakeTrouble {
    const { parts, options, state } = this.#context;
    if (!isTold(error)) {
      parts.log.error(
        { transaction: state.transactionId, server: options.id, err: error },
        `the spool did not take a message: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    return spoolErrorToTrouble(error);
  }
}

/** What the spool's error means for the sender. */
export function spoolErrorToTrouble(error: unknown): 'no-space' | 'spool-trouble' {
  return error instanceof SpoolError && error.noSpace ? 'no-space' : 'spool-trouble';
}

/** Scripts queue with a sender without parameters; delivery looks for this one. */
function withSmtpUtf8(request: QueueRequest): QueueRequest {
  const { sender } = request;
  return { ...request, sender: { ...sender, params: { ...sender.params, SMTPUTF8: '' } } };
}

const abandoned: IntakeResult = { kind: 'abandoned' };

function troubled(trouble: IntakeTrouble): IntakeResult {
  return { kind: 'troubled', trouble };
}

function countOf(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
