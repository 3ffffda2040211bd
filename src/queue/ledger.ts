// What the queue writes about its messages in the spool. Nothing waits for these writes; one that fails (a full disk, most of all) is
// repeated until it succeeds, with the state that the message has by then.

import { messageIdToText } from '../spool/id-table.js';
import { isTold, type MessageChange, type MessageId, type Spool } from '../spool/spool.js';
import type { QueueClock } from './clock.js';
import type { QueueLog } from './queue-log.js';

/** Between two tries. */
const REPAIR_SECONDS = 5;

/** What the ledger needs. */
export interface LedgerOptions {
  readonly spool: Pick<Spool, 'update' | 'remove'>;
  readonly clock: QueueClock;
  readonly log: QueueLog;
  /** All of a message's state that may have changed; absent when it is no longer in the queue. */
  readonly stateOf: (id: MessageId) => MessageChange | undefined;
  /** Called when nothing is being written any more. */
  readonly onIdle: () => void;
}

/** A write to repeat. */
interface Repair {
  readonly id: MessageId;
  /** Present when the message is to be taken out. */
  readonly erased?: () => void;
}

/** Writes to the spool in the background. */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #repairs = new Map<string, Repair>();
  #writing = 0;
  #isClosed = false;
  #cancelTimer: (() => void) | undefined;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#writing === 0;
  }

  /** Writes a change. */
  save(id: MessageId, change: MessageChange): void {
    void this.#write({ id }, () => this.#options.spool.update(id, change));
  }

  /** Takes a message that is done out of the spool; `erased` is called when that is durable. */
  erase(id: MessageId, erased: () => void): Promise<void> {
    return this.#write({ id, erased }, async () => {
      await this.#options.spool.remove(id);
      erased();
    });
  }

  /** Repeats once more what has failed, and stops. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer?.();
    await this.#repeat();
  }

  /** Never rejects. */
  async #write(repair: Repair, write: () => Promise<void>): Promise<void> {
    const name = messageIdToText(repair.id);
    this.#writing++;
    try {
      await write();
    } catch (error) {
      if (!isTold(error)) {
        this.#options.log.error(
          { id: name, err: error },
          repair.erased === undefined
            ? 'cannot write the state of a message to the spool yet, trying again'
            : 'cannot take a message that is done out of the spool yet, trying again',
        );
      }
      // A change that was refused later than the removal does not take its place: the message would come back.
      if (repair.erased !== undefined || this.#repairs.get(name)?.erased === undefined)
        this.#repairs.set(name, repair);
      this.#planRepeat();
    }
    this.#writing--;
    if (this.#writing === 0) this.#options.onIdle();
  }

  #planRepeat(): void {
    if (this.#isClosed || this.#cancelTimer !== undefined) return;
    this.#cancelTimer = this.#options.clock.setTimer(REPAIR_SECONDS, () => {
      this.#cancelTimer = undefined;
      void this.#repeat();
    });
  }

  async #repeat(): Promise<void> {
    const repairs = [...this.#repairs.values()];
    this.#repairs.clear();
    await Promise.all(
      repairs.map(({ id, erased }) => {
        if (erased !== undefined) return this.erase(id, erased);
        const state = this.#options.stateOf(id);
        return state === undefined
          ? undefined
          : this.#write({ id }, () => this.#options.spool.update(id, state));
      }),
    );
  }
}
