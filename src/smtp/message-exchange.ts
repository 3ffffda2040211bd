// A message as the session goes through it, from DATA or the first BDAT to the replies after its end: its bytes go into its
// reception (message-input.ts), its verdict comes from there (reception.ts), and in between the client waits.

import { mailboxToText } from '#stdlib';
import { isTold } from '../spool/spool.js';
import { DataReader } from './data-reader.js';
import { type ChunkRequest, type InputStep, MessageInput } from './message-input.js';
import type { MessageReader } from './message-reader.js';
import { protocolKeyword, receivedField } from './received-field.js';
import { MessageReception, type ReceptionResult, spoolErrorToReply } from './reception.js';
import { Reply } from './reply.js';
import type { Session } from './session.js';
import { logAccepted, logRefusal, sessionFields } from './session-log.js';

export class MessageExchange {
  readonly #session: Session;
  /** Takes its bytes, all of them or chunk by chunk. */
  #input: MessageInput | undefined;
  /** Has them all, and decides. */
  #finishing: MessageReception | undefined;
  /** For the whole message, on the monotonic clock. */
  #deadline = Number.POSITIVE_INFINITY;

  constructor(session: Session) {
    this.#session = session;
  }

  /** What comes next from the client belongs to the message. */
  get isReading(): boolean {
    return this.#input?.isReading === true;
  }

  /** It has begun with BDAT and is not whole. */
  get isInChunks(): boolean {
    return this.#input !== undefined;
  }

  /** It is whole and being decided on, or committed. */
  get isFinishing(): boolean {
    return this.#finishing !== undefined;
  }

  /** The client has had its time for it. */
  isOverdue(now: number): boolean {
    return now >= this.#deadline;
  }

  /** Prepares for the bytes after DATA. @returns why there will be none */
  begin(): Reply | undefined {
    const reception = this.#open(new DataReader());
    if (reception instanceof Reply) return reception;
    this.#input = MessageInput.ofData(reception);
    return undefined;
  }

  /** Prepares for the bytes behind BDAT; the reply comes after them. */
  expect(chunk: ChunkRequest): void {
    if (this.#input === undefined) {
      const { messageBytes } = this.#session.options.limits;
      this.#input =
        chunk.refusal === undefined || chunk.refusesMessage === true
          ? MessageInput.ofChunks((reader) => this.#open(reader), messageBytes)
          : MessageInput.ofNothing();
    }
    this.#input.expect(chunk);
  }

  /** Takes what came, while `isReading`. @returns whether there was anything to take */
  take(bytes: Buffer | undefined): boolean {
    const input = this.#input!;
    const step = input.feed(bytes);
    if (step === undefined) return false;
    this.#taken(input, step);
    return true;
  }

  /** Nobody waits for it any more. What is being committed already is finished all the same. */
  giveUp(reason: string): void {
    this.#input?.giveUp(reason);
    this.#input = undefined;
    this.#finishing?.giveUp(reason);
  }

  #open(reader: MessageReader): MessageReception | Reply {
    const { options, parts, state, protocol: spoken } = this.#session;
    const transaction = this.#session.transaction!;
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
      const context = { parts, options, state, hasSeparateReplies: spoken === 'lmtp' };
      const reception = new MessageReception(context, transaction, trace, reader);
      this.#deadline = this.#session.roughNow + options.timeouts.messageSeconds;
      return reception;
    } catch (error) {
      if (!isTold(error)) {
        parts.log.error(
          { ...sessionFields(this.#session), err: error },
          `the spool takes no message: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      return spoolErrorToReply(error);
    }
  }

  #taken(input: MessageInput, step: InputStep): void {
    const session = this.#session;
    session.expectInput();
    if (step.kind !== 'more') session.putBack(step.rest);
    if (step.kind === 'whole') {
      this.#finish(step.reception);
      return;
    }
    if (step.kind === 'chunk') session.say(step.reply);
    else if (step.kind === 'refused') this.#refuseChunk(input, step.reply, step.isLast);
    const { storing } = input;
    if (storing === undefined) return;
    session.wait();
    void storing.then(() => {
      session.goOn();
      session.expectInput();
      session.pump();
    });
  }

  #refuseChunk(input: MessageInput, reply: Reply, isLast: boolean): void {
    const session = this.#session;
    if (!input.isMessage) this.#input = undefined;
    logRefusal(session, session.dispatch.lastVerb, '', reply);
    if (isLast && session.protocol === 'lmtp' && session.transaction !== undefined) this.#sayForEach(reply);
    else if (reply.code >= 400) session.dispatch.refuse(reply);
    else session.say(reply); // a proxy script's
    if (isLast && input.isMessage) session.endTransaction();
  }

  #finish(reception: MessageReception): void {
    const session = this.#session;
    this.#input = undefined;
    this.#finishing = reception;
    this.#deadline = Number.POSITIVE_INFINITY;
    session.dispatch.lastVerb = 'EOD';
    session.wait();
    void reception.finish().then(
      (result) => this.#finished(result),
      (error: unknown) => {
        session.goOn();
        this.#finishing = undefined;
        session.fault(error);
        session.pump();
      },
    );
  }

  #finished(result: ReceptionResult): void {
    const session = this.#session;
    session.goOn();
    this.#finishing = undefined;
    this.#log(result);
    if (result.kind !== 'abandoned') session.parts.onMessage?.(codeOf(result));
    if (result.kind === 'accepted') {
      session.messageCount++;
      session.dispatch.messageAccepted();
    }
    if (session.isOver) {
      session.endTransaction();
      return;
    }
    if (session.protocol === 'lmtp') this.#sayForEach(result.reply, result.separate);
    else session.say(result.reply);
    session.endTransaction();
    session.expectInput();
    session.pump();
  }

  #log({ kind, reply, separate, sizeBytes, queued }: ReceptionResult): void {
    const session = this.#session;
    if (kind === 'accepted') logAccepted(session, sizeBytes, queued);
    if (separate === undefined) {
      if (kind === 'refused') logRefusal(session, session.dispatch.lastVerb, '', reply);
      return;
    }
    const recipients = session.transaction?.recipients ?? [];
    separate.forEach((own, index) => {
      const recipient = recipients[index];
      if (own.code < 400 || recipient === undefined) return;
      logRefusal(session, session.dispatch.lastVerb, mailboxToText(recipient.address), own);
    });
  }

  /** LMTP answers a message once for each accepted recipient (RFC 2033 §4.2). */
  #sayForEach(reply: Reply, separate?: readonly Reply[]): void {
    const session = this.#session;
    const open = reply.closes ? new Reply(reply.code, reply.enhanced, reply.lines) : reply;
    const count = session.transaction?.recipients.length ?? 0;
    for (let index = 0; index < count; index++)
      session.say(separate?.[index] ?? (index === count - 1 ? reply : open));
  }
}

/** The reply that counts: what some recipient got was accepted. */
function codeOf({ kind, reply, separate = [reply] }: ReceptionResult): number {
  return (
    (kind === 'accepted' ? separate.find(({ code }) => code < 400) : separate.find(({ code }) => code >= 400))
      ?.code ?? reply.code
  );
}
