// What the parts of the queue stand on together: the table of messages, those that wait, the ledger, time, and the way back to
// the drive. Read it before `preparation.ts`, `attempts.ts`, `endings.ts` and `operator-wishes.ts`, which are the stations of a
// message; they know the floor and not each other.

import { messageIdToText } from '../spool/id-table.js';
import type { MessageChange, MessageId, QueuedMessage } from '../spool/spool.js';
import { Ledger } from './ledger.js';
import type { MessageQueueOptions } from './queue-options.js';
import { MessageTable } from './table/message-table.js';
import { Waiting } from './table/waiting.js';

/** What the floor asks of the drive. */
export interface Drive {
  /** Something may have become possible. */
  planTurn(): void;
  /** Something under way has ended. */
  settle(): void;
}

/** The common ground of the queue's parts. */
export class QueueFloor {
  readonly options: MessageQueueOptions;
  readonly table = new MessageTable();
  readonly waiting = new Waiting(this.table);
  readonly ledger: Ledger;
  readonly #drive: Drive;
  /** Nothing that comes back after this is acted upon. */
  isStopped = false;
  /** Asked before a message goes back to where it waits: true = somebody else has it now. */
  claim: (slot: number, isHeld: boolean) => boolean = () => false;
  readonly #forgetting: ((slot: number) => void)[] = [];

  constructor(options: MessageQueueOptions, drive: Drive) {
    this.options = options;
    this.#drive = drive;
    this.ledger = new Ledger({
      spool: options.spool,
      clock: options.clock,
      log: options.log,
      stateOf: (id) => this.#stateOf(id),
      onIdle: () => drive.settle(),
    });
  }

  now(): number {
    return this.options.clock.now();
  }

  planTurn(): void {
    this.#drive.planTurn();
  }

  settle(): void {
    this.#drive.settle();
  }

  /** Puts a message back to where it waits, or gives it to whoever has asked for it meanwhile. */
  place(slot: number, isHeld: boolean): void {
    if (!this.claim(slot, isHeld)) this.waiting.put(slot, isHeld, this.now());
  }

  /** Told before a message's row is freed. */
  onForget(listener: (slot: number) => void): void {
    this.#forgetting.push(listener);
  }

  /** Frees a message's row. */
  remove(slot: number): void {
    for (const forget of this.#forgetting) forget(slot);
    this.table.remove(slot);
  }

  /** A message's metadata as a script has set it is kept at once: what follows may fail. */
  takeMetadata(slot: number, metadata: Readonly<Record<string, string>> | undefined): void {
    if (metadata === undefined) return;
    this.table.change(slot, { metadata });
    this.ledger.save(this.table.idOf(slot), { metadata });
  }

  /** An error of ours about a message. */
  logError(message: QueuedMessage, error: unknown, text: string): void {
    this.options.log.error({ id: messageIdToText(message.id), err: error }, text);
  }

  /** All of a message's state that may have changed. */
  #stateOf(id: MessageId): MessageChange | undefined {
    const slot = this.table.find(id);
    return slot < 0 ? undefined : this.table.changeable(slot);
  }
}
