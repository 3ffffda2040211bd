// A message as SMTP brings it: from the go-ahead after DATA, or the first BDAT, to the reply after its end. Here the
// verdict becomes a reply, or in LMTP one for each recipient; what happens to the message itself is
// ../intake/message-intake.ts.

import { type EodAccept, eod, type ReplyWish, type SessionState } from '#hooks';
import {
  type IntakeResult,
  type IntakeTrouble,
  MessageIntake,
  spoolErrorToTrouble,
} from '../intake/message-intake.js';
import type { MessageReader } from './message-reader.js';
import type { SmtpServerOptions, SmtpServerParts } from './options.js';
import { delayOfEnvelope, dsnOfEnvelope } from './parameters.js';
import { replies } from './replies.js';
import { outcomeToReply, type Reply } from './reply.js';
import type { Transaction } from './transaction.js';

/** What a reception needs of its session. */
export interface ReceptionContext {
  readonly parts: SmtpServerParts;
  readonly options: SmtpServerOptions;
  readonly state: SessionState;
  /** Each recipient has a reply of its own (LMTP). */
  readonly hasSeparateReplies: boolean;
}

/** What became of a message, in words for the client. */
export interface ReceptionResult {
  readonly kind: 'accepted' | 'refused' | 'abandoned';
  readonly reply: Reply;
  /** Where recipients have replies of their own and a script gave some: those of all, in their order. */
  readonly separate?: readonly Reply[];
  readonly sizeBytes: number;
  /** How many recipients it was queued for. */
  readonly queued: number;
}

export class MessageReception {
  readonly #transaction: Transaction;
  readonly #reader: MessageReader;
  readonly #unixSeconds: () => number;
  readonly #intake: MessageIntake;
  readonly #hasSeparateReplies: boolean;

  /** `trace` is the Received field. @throws SpoolError when the spool takes nothing */
  constructor(context: ReceptionContext, transaction: Transaction, trace: string, reader: MessageReader) {
    this.#transaction = transaction;
    this.#reader = reader;
    this.#unixSeconds = () => context.parts.clock.now();
    this.#intake = new MessageIntake(context, trace);
    this.#hasSeparateReplies = context.hasSeparateReplies;
  }

  /** Why the message cannot be accepted any more, although it may still be read to its end. */
  get refusal(): Reply | undefined {
    const { trouble } = this.#intake;
    return trouble === undefined ? undefined : troubleReplies[trouble];
  }

  /** Bytes behind the end, once it has come. */
  get rest(): Buffer {
    return this.#reader.rest;
  }

  /** Settles when the spool can take more; undefined when it can now. */
  get storing(): Promise<void> | undefined {
    return this.#intake.storing;
  }

  /** Takes the next bytes from the client. @returns whether the end of the message or the chunk was among them */
  feed(chunk: Buffer): boolean {
    const isOver = this.#reader.feed(chunk);
    this.#intake.take(this.#reader.piece);
    return isOver;
  }

  /** Everything after the last byte. Call it once. Never rejects for trouble of the spool or a script. */
  async finish(): Promise<ReceptionResult> {
    this.#reader.end?.();
    if (this.#reader.hasLookAlike) this.#intake.refuse('false-end');
    const { id, reversePath, recipients, hasUtf8 } = this.#transaction;
    const result = await this.#intake.finish({
      id,
      reversePath,
      recipients,
      dsnOf: (recipient) => dsnOfEnvelope(reversePath.params, recipient.params),
      delaySeconds: delayOfEnvelope(reversePath.params, this.#unixSeconds()),
      hasUtf8,
      hasSeparateReplies: this.#hasSeparateReplies,
    });
    return intakeToReception(result, id);
  }

  /** The session is over. What is not being committed already leaves nothing behind. */
  giveUp(reason: string): void {
    this.#intake.giveUp(reason);
  }
}

function intakeToReception(result: IntakeResult, transactionId: string): ReceptionResult {
  switch (result.kind) {
    case 'accepted':
      return acceptance(result.outcome, transactionId, result.sizeBytes, result.queued);
    case 'refused':
      return refused(outcomeToReply(eod, result.outcome));
    case 'troubled':
      return refused(troubleReplies[result.trouble]);
    case 'abandoned':
      return { kind: 'abandoned', reply: replies.ourFault, sizeBytes: 0, queued: 0 };
  }
}

function acceptance(
  outcome: EodAccept,
  transactionId: string,
  sizeBytes: number,
  queued: number,
): ReceptionResult {
  const text = `${eod.replies.Accept.text} ${transactionId}`;
  const reply = outcomeToReply(eod, outcome, text);
  const { recipients } = outcome;
  if (recipients === undefined) return { kind: 'accepted', reply, sizeBytes, queued };
  const separate = recipients.map((wish) =>
    wish === undefined ? reply : recipientReply(wish, outcome, text),
  );
  // What no recipient got was not accepted, whatever else the script did with it.
  const kind = separate.some(({ code }) => code < 400) ? 'accepted' : 'refused';
  return { kind, reply, separate, sizeBytes, queued };
}

/** The reply for one recipient (RFC 2033 §4.2). A refusal has the defaults of Reject and Defer. */
function recipientReply(wish: ReplyWish, outcome: EodAccept, text: string): Reply {
  const { code = 250 } = wish;
  if (code < 400) return outcomeToReply(eod, { ...outcome, ...wish }, text);
  return outcomeToReply(eod, { kind: code < 500 ? 'Defer' : 'Reject', ...wish });
}

const troubleReplies: Readonly<Record<IntakeTrouble, Reply>> = {
  'too-big': replies.tooBig,
  'header-too-big': replies.headerTooBig,
  'too-many-hops': replies.tooManyHops,
  'false-end': replies.bareLineEndInData,
  'no-space': replies.noSpace,
  'spool-trouble': replies.spoolTrouble,
};

/** What the client is told of the spool's trouble. */
export function spoolErrorToReply(error: unknown): Reply {
  return troubleReplies[spoolErrorToTrouble(error)];
}

function refused(reply: Reply): ReceptionResult {
  return { kind: 'refused', reply, sizeBytes: 0, queued: 0 };
}
