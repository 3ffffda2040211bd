// One submission, from the first byte of its body to its answer.
//
//   reading ──form complete──► deciding ──► answered
//      └─ bad form, too big, too slow, client gone: nothing stays behind
//
// The parts may come in any order: the trace field, which goes first, needs nothing of `options`.

import { createHash, type Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type HttpSubmission, type ReverseNameFacts, SessionState, type TlsFacts } from '#hooks';
import { HslArray, type Value } from '#lang';
import { mailboxToText } from '#stdlib';
import type { ApiKey } from '../config/submission.js';
import {
  type Envelope,
  type IntakeResult,
  type IntakeTrouble,
  MessageIntake,
  spoolErrorToTrouble,
} from '../intake/message-intake.js';
import { printable } from '../log/printable.js';
import type { Ends } from '../smtp/edge/arrival.js';
import { receivedField } from '../smtp/received-field.js';
import { type ReceivedMessage, SpoolError } from '../spool/spool.js';
import { type Answer, isFinal, resultToAnswer } from './answer.js';
import { type FormReading, type PartName, type PartTaker, readForm } from './form.js';
import type { IdempotentAnswers } from './idempotency.js';
import { LineEnds } from './line-ends.js';
import type { SubmissionServerOptions, SubmissionServerParts } from './options.js';
import { RequestProblem } from './request-problem.js';
import { readOptions, type SubmittedOptions } from './submitted-options.js';

/** Where a request came from. */
export interface ClientFacts {
  readonly connectionId: string;
  readonly ends: Ends;
  readonly tls: TlsFacts | undefined;
  /** Who it is by reverse DNS, where that is wanted; never rejects. */
  readonly reverseName: Promise<ReverseNameFacts> | undefined;
}

/** What a submission is given. */
export interface SubmissionContext {
  /** Those of the moment it began; a reload changes nothing for it. */
  readonly options: SubmissionServerOptions;
  readonly parts: SubmissionServerParts;
  readonly answers: IdempotentAnswers;
  readonly client: ClientFacts;
  readonly apiKey: ApiKey;
  readonly idempotencyKey: string | undefined;
  readonly contentType: string;
}

/** An answer, and whether it was given before. */
export interface GivenAnswer {
  readonly answer: Answer;
  readonly isRepeated: boolean;
}

/** More than parts and their header fields take of a body, beside what is in them. */
const mostFormBytes = 64 * 1024;

/** The largest body a server reads; undefined when messages have no limit. */
export function mostBodyBytes({ limits }: SubmissionServerOptions): number | undefined {
  return limits.messageBytes === 0 ? undefined : limits.messageBytes + limits.optionsBytes + mostFormBytes;
}

export class Submission {
  readonly #context: SubmissionContext;
  readonly #request: IncomingMessage;
  readonly #state: SessionState;
  readonly #began: number;
  #form: FormReading | undefined;
  #intake: MessageIntake | undefined;
  #options: SubmittedOptions | undefined;
  /** Of what was submitted; only with an Idempotency-Key. */
  #optionsHash: Hash | undefined;
  #messageHash: Hash | undefined;
  #bodyBytes = 0;
  #lastBytesAt: number;
  #isGivenUp = false;
  /** For the log. */
  #logged: Readonly<Record<string, unknown>> = {};

  constructor(context: SubmissionContext, request: IncomingMessage) {
    const { client, options, parts } = context;
    this.#context = context;
    this.#request = request;
    this.#began = parts.clock.monotonic();
    this.#lastBytesAt = this.#began;
    this.#state = new SessionState(
      { ...client.ends, id: client.connectionId, serverId: options.id },
      parts.newId,
    );
    if (client.tls !== undefined) this.#state.secured(client.tls);
  }

  /** Fields of its log line. */
  get logFields(): Readonly<Record<string, unknown>> {
    return { transaction: this.#state.transactionId, ...this.#logged };
  }

  /** Accepted, and queued for nobody. */
  get isDropped(): boolean {
    return this.#logged['queued'] === 0;
  }

  /** Takes the body and decides. @throws RequestProblem when there is nothing to decide on */
  async carryOut(): Promise<GivenAnswer> {
    try {
      await this.#findName();
      await this.#read();
      return await this.#decide();
    } catch (error) {
      this.#intake?.giveUp('the submission is refused');
      const trouble = this.#troubleOf(error);
      if (trouble === undefined) throw error;
      return { answer: this.#answerTo({ kind: 'troubled', trouble }), isRepeated: false };
    }
  }

  /** Trouble of the intake before the message was whole; undefined for anything else. */
  #troubleOf(error: unknown): IntakeTrouble | undefined {
    if (error instanceof TroubledIntake) return this.#intake?.trouble;
    if (!(error instanceof SpoolError)) return undefined;
    const { options, parts } = this.#context;
    if (!error.isTold)
      parts.log.error({ server: options.id, err: error }, `the spool takes no message: ${error.message}`);
    return spoolErrorToTrouble(error);
  }

  /** Acts on silence; `now` is on the monotonic clock. */
  sweep(now: number): void {
    const { idleSeconds } = this.#context.options.timeouts;
    if (this.#form === undefined || now < this.#lastBytesAt + idleSeconds) return;
    this.#form.stop(
      new RequestProblem(408, `nothing came for ${idleSeconds} seconds`, { Connection: 'close' }),
    );
  }

  /** The client is gone. What is not being committed already leaves nothing behind. */
  giveUp(reason: string): void {
    this.#isGivenUp = true;
    this.#intake?.giveUp(reason);
    this.#form?.stop(new RequestProblem(400, reason));
  }

  /** The name is in the trace field, which goes before the first byte of the message. */
  async #findName(): Promise<void> {
    const { reverseName } = this.#context.client;
    if (reverseName === undefined) return;
    this.#state.lookedUp(await reverseName);
    if (this.#isGivenUp) throw new RequestProblem(400, 'the client has gone');
  }

  // --- Reading ------------------------------------------------------------------------------------------------------

  async #read(): Promise<void> {
    const { contentType, idempotencyKey } = this.#context;
    if (idempotencyKey !== undefined) {
      this.#optionsHash = createHash('sha256');
      this.#messageHash = createHash('sha256');
    }
    this.#form = readForm(
      this.#request,
      contentType,
      (name) => this.#openPart(name),
      (count) => this.#countBytes(count),
    );
    await this.#form.done;
    this.#form = undefined;
  }

  #countBytes(count: number): void {
    const { options, parts } = this.#context;
    this.#bodyBytes += count;
    this.#lastBytesAt = parts.clock.monotonic();
    const most = mostBodyBytes(options);
    if (most !== undefined && this.#bodyBytes > most)
      throw new RequestProblem(413, `the request is larger than ${most} bytes`);
  }

  #openPart(name: PartName): PartTaker {
    return name === 'options' ? this.#optionsTaker() : this.#messageTaker();
  }

  #optionsTaker(): PartTaker {
    const { options, parts } = this.#context;
    const { optionsBytes, recipients: mostRecipients } = options.limits;
    const chunks: Buffer[] = [];
    let size = 0;
    return {
      take: (piece) => {
        size += piece.length;
        if (size > optionsBytes)
          throw new RequestProblem(413, `the part "options" is larger than ${optionsBytes} bytes`);
        chunks.push(piece);
        return undefined;
      },
      end: () => {
        const whole = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
        this.#optionsHash?.update(whole);
        const { transportId } = options;
        this.#options = readOptions(whole, {
          mostRecipients,
          transportId,
          knowsTransport: parts.knowsTransport,
        });
        return undefined;
      },
    };
  }

  #messageTaker(): PartTaker {
    const intake = this.#openIntake();
    const lineEnds = new LineEnds();
    let isEmpty = true;
    const check = (): void => {
      if (intake.trouble !== undefined) throw new TroubledIntake();
    };
    const take = (piece: Buffer): Promise<void> | undefined => {
      this.#messageHash?.update(piece);
      intake.take(piece);
      check();
      return intake.storing?.then(check);
    };
    return {
      take: (piece) => {
        isEmpty &&= piece.length === 0;
        return take(lineEnds.feed(piece));
      },
      end: () => {
        if (isEmpty) throw new RequestProblem(400, 'the part "rfc822" is empty');
        return take(lineEnds.end());
      },
    };
  }

  #openIntake(): MessageIntake {
    const { options, parts } = this.#context;
    const state = this.#state;
    const trace = receivedField({
      helo: undefined,
      remotePtr: state.remotePtr,
      remoteIp: state.remoteIp,
      hostname: options.hostname,
      protocol: 'HTTP',
      transactionId: state.transactionId,
      unixSeconds: parts.clock.now(),
    });
    this.#intake = new MessageIntake({ parts, options, state }, trace);
    return this.#intake;
  }

  // --- Deciding -----------------------------------------------------------------------------------------------------

  async #decide(): Promise<GivenAnswer> {
    const submitted = this.#options;
    const intake = this.#intake;
    if (submitted === undefined) throw new RequestProblem(400, 'the part "options" is missing');
    if (intake === undefined) throw new RequestProblem(400, 'the part "rfc822" is missing');
    const message = await intake.receive();
    if (this.#optionsHash === undefined || this.#messageHash === undefined)
      return { answer: await this.#judge(intake, message, submitted), isRepeated: false };
    const fingerprint = `${this.#optionsHash.digest('hex')} ${this.#messageHash.digest('hex')}`;
    return this.#judgeOnce(intake, message, submitted, fingerprint);
  }

  /** The same as before, if this was submitted before; two of the same at once are one. */
  async #judgeOnce(
    intake: MessageIntake,
    message: ReceivedMessage | undefined,
    submitted: SubmittedOptions,
    fingerprint: string,
  ): Promise<GivenAnswer> {
    const { answers, apiKey, idempotencyKey, options } = this.#context;
    const key = `${apiKey.sha256.toString('hex')} ${idempotencyKey}`;
    for (;;) {
      const claim = answers.claim(key, fingerprint, options.idempotency);
      if (claim.kind === 'mismatch') {
        message?.discard();
        throw new RequestProblem(422, 'this Idempotency-Key was used with other content');
      }
      if (claim.kind === 'repeated') {
        const answer = await claim.answer;
        if (answer === undefined && !this.#isGivenUp) continue;
        message?.discard();
        if (answer === undefined) throw new RequestProblem(400, 'the submission was given up');
        return { answer, isRepeated: true };
      }
      let answer: Answer | undefined;
      try {
        answer = await this.#judge(intake, message, submitted);
        return { answer, isRepeated: false };
      } finally {
        claim.settle(answer !== undefined && isFinal(answer) ? answer : undefined);
      }
    }
  }

  async #judge(
    intake: MessageIntake,
    message: ReceivedMessage | undefined,
    { sender, recipients, metadata }: SubmittedOptions,
  ): Promise<Answer> {
    const state = this.#state;
    state.begin(sender);
    for (const recipient of recipients) state.addRecipient(recipient);
    const envelope: Envelope = {
      id: state.transactionId,
      reversePath: sender,
      recipients,
      submission: this.#forScripts(metadata),
    };
    const result = await intake.decide(message, envelope);
    if (result.kind === 'accepted')
      this.#logged = {
        sender: printable(mailboxToText(sender)),
        size: result.sizeBytes,
        queued: result.queued,
      };
    return this.#answerTo(result);
  }

  /** @throws RequestProblem when there is no verdict on the message */
  #answerTo(result: IntakeResult): Answer {
    const { messageBytes } = this.#context.options.limits;
    return resultToAnswer(result, this.#state.transactionId, messageBytes);
  }

  /** `$arguments["metadata"]` and `["http"]`. */
  #forScripts(metadata: Value): HttpSubmission {
    const { apiKey, client } = this.#context;
    const { remoteIp, proxyIp, proxyTlv } = client.ends;
    const { method = '', url = '', headers } = this.#request;
    const fields = HslArray.empty();
    for (const [name, value] of Object.entries(headers))
      if (!secretFields.has(name) && value !== undefined)
        fields.set(name, typeof value === 'string' ? value : value.join(', '));
    const http = HslArray.empty();
    http.set('method', method);
    http.set('path', url.split('?', 1)[0]!);
    http.set('headers', fields);
    http.set('remoteip', remoteIp);
    if (proxyIp !== undefined) http.set('proxyip', proxyIp);
    if (proxyTlv !== undefined) http.set('proxytlv', proxyTlv);
    if (apiKey.id !== undefined) http.set('apikey', Buffer.from(apiKey.id, 'utf8').toString('latin1'));
    return { metadata, http };
  }
}

/** Header fields that no script sees, because scripts log. */
const secretFields: ReadonlySet<string> = new Set(['x-api-key', 'authorization', 'cookie']);

/** The intake says why. */
class TroubledIntake extends Error {}
