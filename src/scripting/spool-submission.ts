// Messages that scripts make (`MIME()->queue()`, `MailMessage->queue()` outside of eod) on their way into the queue. The promise is
// the one of end-of-data: the id is given when the message is durable, and what has an id is delivered or spoken of.

import type { MessageSource, QueueRequest, Submission, SubmittedId } from '#stdlib';
import { piecesReader } from '../delivery/pieces-reader.js';
import type { Logger } from '../log/logger.js';
import { isTold, type QueuedMessage, type ReceivedMessage, type Spool, SpoolError } from '../spool/spool.js';

export interface SpoolSubmissionOptions {
  readonly spool: Pick<Spool, 'receive' | 'commit'>;
  /** Hands durable messages to the queue. */
  readonly accept: (messages: readonly QueuedMessage[]) => void;
  readonly knowsTransport: (id: string) => boolean;
  /** A new transaction id. */
  readonly newId: () => string;
  /** Unix time. */
  readonly now: () => number;
  readonly log: Pick<Logger, 'debug' | 'error'>;
}

/** The configuration that a script runs under. */
interface Origin {
  readonly knowsTransport: (id: string) => boolean;
  readonly stageKey?: string;
}

/** Each message is a transaction of its own, from no server and no client. */
export class SpoolSubmission implements Submission {
  readonly #options: SpoolSubmissionOptions;
  readonly #underWay = new Set<Promise<unknown>>();
  #isStopped = false;

  constructor(options: SpoolSubmissionOptions) {
    this.#options = options;
  }

  submit(source: MessageSource, request: QueueRequest): Promise<SubmittedId | { readonly problem: string }> {
    return this.#submit(source, request, this.#options);
  }

  /** The same for scripts of a staged configuration. */
  forStage(stageKey: string, knowsTransport: (id: string) => boolean): Submission {
    return { submit: (source, request) => this.#submit(source, request, { knowsTransport, stageKey }) };
  }

  async #submit(
    source: MessageSource,
    request: QueueRequest,
    origin: Origin,
  ): Promise<SubmittedId | { readonly problem: string }> {
    if (this.#isStopped) return { problem: 'the server is stopping' };
    if (!origin.knowsTransport(request.transportId))
      return { problem: `there is no transport "${request.transportId}" in the configuration` };
    const submitted = this.#store(source, request, origin);
    this.#underWay.add(submitted);
    try {
      return await submitted;
    } catch (error) {
      return { problem: this.#problemOf(error) };
    } finally {
      this.#underWay.delete(submitted);
    }
  }

  /** Takes no more; resolves when what was begun is durable or refused. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.allSettled(this.#underWay);
  }

  async #store(source: MessageSource, request: QueueRequest, { stageKey }: Origin): Promise<SubmittedId> {
    const { spool, accept, newId, now, log } = this.#options;
    const id = newId();
    const message = await this.#write(source, request);
    const range = { kind: 'range', start: 0, end: message.sizeBytes } as const;
    const messages = await spool.commit({
      id,
      ts: now(),
      serverId: '',
      senderIp: '',
      senderHelo: '',
      ...(stageKey === undefined ? undefined : { stageKey }),
      message,
      requests: [{ ...request, number: 1, pieces: [range] }],
    });
    accept(messages);
    log.debug(
      { transaction: id, transport: request.transportId, size: message.sizeBytes },
      'a script queued a message',
    );
    return { transaction: id, queue: 1 };
  }

  async #write(source: MessageSource, { pieces }: QueueRequest): Promise<ReceivedMessage> {
    const incoming = this.#options.spool.receive();
    try {
      for await (const chunk of piecesReader(source, pieces).chunks()) {
        const storing = incoming.write(chunk);
        if (storing !== undefined) await storing;
      }
      return await incoming.finish();
    } catch (error) {
      incoming.discard();
      throw error;
    }
  }

  #problemOf(error: unknown): string {
    const why = error instanceof Error ? error.message : String(error);
    if (!isTold(error))
      this.#options.log.error({ err: error }, `the spool did not take a message of a script: ${why}`);
    return error instanceof SpoolError && error.noSpace
      ? 'there is no space left for messages'
      : 'the message could not be stored';
  }
}
