// Telling senders, as far as it is the queue's affair: a notification is in the spool before its message is touched, and one that
// is there already is not made again. How it looks and how it gets into the spool comes in from outside (src/dsn).
//
// The id of a notification follows from the message and from what it tells. So after a crash between the two writes the message,
// tried again or not, is found to have been told of as long as its notification is still in the queue. One that was delivered
// meanwhile is no longer known, and is made again; but what takes a message out of the spool is written before its notification can
// be picked up, so that only a disk that refuses this write for so long gets there.

import type { AttemptReport } from '#hooks';
import type { Transport } from '../delivery/deliverer.js';
import { messageIdToText } from '../spool/id-table.js';
import type { MessageId, QueuedMessage } from '../spool/spool.js';
import type { Diagnostic } from './diagnostic.js';
import type { QueueFloor } from './floor.js';
import { isNull, type NoticeKind, type NoticePlan } from './notice-plan.js';

/** Everything that a notification is made of. */
export interface Notice {
  readonly id: MessageId;
  readonly plan: NoticePlan;
  /** What it is about; its `dsn` is what was in effect. */
  readonly message: QueuedMessage;
  readonly diagnostic: Diagnostic;
  /** Absent: no attempt was made. */
  readonly report?: AttemptReport | undefined;
  /** The message's own, for the defaults that it gives notifications. */
  readonly transport?: Pick<Transport, 'dsnFrom' | 'dsnSubject'> | undefined;
  /** It was tried until no more. */
  readonly isExpired?: boolean;
}

/** Makes notifications. */
export interface Notifier {
  /**
   * The id of the notification: always the same for the same message and the same news. `repeats`: how many delays were told at
   * which the message did not get on to its next retry.
   */
  idOf(message: Pick<QueuedMessage, 'id' | 'retry'>, kind: NoticeKind, repeats?: number): MessageId;
  /** Whether the id can be one that `idOf` gives. */
  isOfNotice(id: MessageId): boolean;
  /** Puts it into the spool; what it is there when this resolves, nothing when it would come round. @throws SpoolError */
  make(notice: Notice): Promise<readonly QueuedMessage[]>;
}

/** Notifications being made at once: each holds a message of up to 1 MiB. */
const AT_ONCE = 16;
/** A success that cannot be told of is tried again so often, at such intervals. */
const SUCCESS_TRIES = 12;
const SUCCESS_RETRY_SECONDS = 5;
/** Until a failure that cannot be told of is tried again. */
export const FAILURE_RETRY_SECONDS = 60;

/** Has notifications made. */
export class Notices {
  readonly #floor: QueueFloor;
  readonly #accept: (messages: readonly QueuedMessage[]) => void;
  readonly #waiting: (() => void)[] = [];
  #making = 0;
  /** A notification was among the messages found at start. */
  #hasFound = false;
  /**
   * Delays told that left the retry count where it was, by slot, of the few messages that have any. A restart forgets them: the
   * first such delay after it has the name of the first before.
   */
  readonly #repeats = new Map<number, number>();

  /** `accept` takes messages that are in the spool. */
  constructor(floor: QueueFloor, accept: (messages: readonly QueuedMessage[]) => void) {
    this.#floor = floor;
    this.#accept = accept;
    floor.onForget((slot) => this.#repeats.delete(slot));
  }

  /** Messages were found in the spool at start. */
  found(message: QueuedMessage): void {
    this.#hasFound ||= isNull(message.sender) && this.#floor.options.notifier.isOfNotice(message.id);
  }

  /** The id of the notification that would be made. */
  idOf(message: Pick<QueuedMessage, 'id' | 'retry'>, kind: NoticeKind): MessageId {
    const repeats = kind === 'delayed' ? this.#repeats.get(this.#floor.table.find(message.id)) : undefined;
    return this.#floor.options.notifier.idOf(message, kind, repeats);
  }

  /**
   * Whether the message has come to its end before a crash, and only was not taken out of the spool any more: its sender has been
   * told so.
   */
  hasToldEnd(message: Pick<QueuedMessage, 'id' | 'retry'>): boolean {
    return this.#hasFound && this.#isThere(this.idOf(message, 'failed'));
  }

  /** The notification of a message's end, while it is in the queue. */
  ofEnd(id: MessageId): MessageId | undefined {
    const notice = this.idOf({ id, retry: 0 }, 'failed');
    return this.#isThere(notice) ? notice : undefined;
  }

  /** A delay was told of, and the message is to stay at its retry count, or goes back to a lower one. */
  staysAtRetry(slot: number): void {
    this.#repeats.set(slot, (this.#repeats.get(slot) ?? 0) + 1);
  }

  /** Whether there can be messages that have come to their end so. */
  get hasFound(): boolean {
    return this.#hasFound;
  }

  /** Tells; resolves to what is wrong when the spool does not take it. Never rejects. */
  async tell(notice: Omit<Notice, 'id'>): Promise<{ readonly problem: string } | undefined> {
    const { message, plan } = notice;
    const { log, notifier } = this.#floor.options;
    const id = this.idOf(message, plan.kind);
    const fields = { id: messageIdToText(message.id), dsn: messageIdToText(id), action: plan.kind };
    if (this.#isThere(id)) {
      log.info(fields, 'the sender has been told already');
      return undefined;
    }
    if (this.#making >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#making++;
    try {
      const made = await notifier.make({ ...notice, id });
      if (made.length === 0) return undefined;
      this.#accept(made);
      const { localPart, domain } = plan.recipient;
      const to = `${localPart}@${domain}`;
      log.info({ ...fields, transport: plan.transportId, to }, `notification: ${plan.kind}`);
      return undefined;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      log.error({ ...fields, err: error }, 'the sender cannot be told yet');
      return { problem };
    } finally {
      this.#making--;
      this.#waiting.shift()?.();
    }
  }

  /** Tells of a success. The message is delivered and cannot wait for it for ever: after a minute it is not told of. */
  async tellSuccess(notice: Omit<Notice, 'id'>): Promise<void> {
    for (let tries = 1; !this.#floor.isStopped; tries++) {
      if ((await this.tell(notice)) === undefined) return;
      if (tries === SUCCESS_TRIES) break;
      await new Promise<void>((resolve) => {
        this.#floor.options.clock.setTimer(SUCCESS_RETRY_SECONDS, resolve);
      });
    }
    const id = messageIdToText(notice.message.id);
    this.#floor.options.log.error({ id }, 'the sender is not told that the message was delivered');
  }

  #isThere(id: MessageId): boolean {
    return this.#floor.table.find(id) >= 0;
  }
}
