// What operators want of single messages: hold, release, try now or later, bounce, delete, change (control-api 4.3).
//
// A message that waits is taken out, the change is written while it shows as UPDATE, and it is put back where it belongs then.
// A message in a hook or an attempt is not touched: the wish waits until that has ended and is dropped when the message went with
// it. So nothing is ever both delivered and bounced. Such a wish does not outlive the process.

import type { DsnOptions } from '#hooks';
import { messageIdToText } from '../spool/id-table.js';
import { type MessageChange, type MessageId, type QueuedMessage, SpoolError } from '../spool/spool.js';
import { expectationOfEnd } from './decision.js';
import type { Endings } from './endings.js';
import type { QueueFloor } from './floor.js';
import { Stage } from './table/message-table.js';

/** What somebody wants of a message. */
export type OperatorWish =
  /** Goes on hold; a reason takes the place of the old one. */
  | { readonly kind: 'hold'; readonly reason?: string }
  /** Goes on, at once, if it was on hold. */
  | { readonly kind: 'release' }
  /** Is tried now, from hold too. */
  | { readonly kind: 'retry' }
  /** Is tried at that time (Unix seconds), from hold too. */
  | { readonly kind: 'defer'; readonly until: number }
  /** Ends as undeliverable; postdelivery is asked. */
  | { readonly kind: 'bounce'; readonly reason: string; readonly dsn?: DsnOptions }
  /** Ends and nobody is told; postdelivery is asked. */
  | { readonly kind: 'delete'; readonly reason: string }
  /** Is another message from now on; one that waits in ACTIVE is prepared anew. */
  | { readonly kind: 'set'; readonly change: MessageChange };

/**
 * What came of a wish. `later`: a hook or an attempt has the message; the wish is carried out when that has ended and the message
 * is still there.
 */
export type WishResult = 'done' | 'later' | 'unknown';

/** Carries wishes out. */
export class OperatorWishes {
  readonly #floor: QueueFloor;
  readonly #endings: Endings;
  readonly #takeOut: (slot: number) => boolean;
  /** For messages that are being worked on, in order. */
  readonly #pending = new Map<number, OperatorWish[]>();
  /** Wishes that are being carried out. */
  count = 0;

  /** `takeOut` takes a message out of wherever it waits; false when it does not. */
  constructor(floor: QueueFloor, endings: Endings, takeOut: (slot: number) => boolean) {
    this.#floor = floor;
    this.#endings = endings;
    this.#takeOut = takeOut;
    floor.claim = (slot, isHeld) => this.#claim(slot, isHeld);
    floor.onForget((slot) => this.#pending.delete(slot));
  }

  /** @throws SpoolError when the change cannot be written: then the message is where it was. */
  async make(id: MessageId, wish: OperatorWish): Promise<WishResult> {
    const { table } = this.#floor;
    const slot = table.find(id);
    if (slot < 0) return 'unknown';
    const stage = table.stage(slot);
    if (isFulfilled(stage, wish)) return 'done';
    if (!this.#takeOut(slot)) {
      const pending = this.#pending.get(slot);
      if (pending === undefined) this.#pending.set(slot, [wish]);
      else pending.push(wish);
      return 'later';
    }
    await this.#carryOut(slot, stage === Stage.Held, wish);
    return 'done';
  }

  /**
   * Takes a waiting message out for good once `save` has put it somewhere else (control-api 4.4): until then it is in the spool,
   * and from then on in both, or there alone. `busy`: a hook or an attempt has it. @throws what `save` throws, and the message is
   * where it was
   */
  async unload(
    id: MessageId,
    save: (message: QueuedMessage) => Promise<void>,
  ): Promise<'done' | 'busy' | 'unknown'> {
    const { table, ledger } = this.#floor;
    const slot = table.find(id);
    if (slot < 0) return 'unknown';
    const message = table.message(slot);
    if (!this.#takeOut(slot)) return 'busy';
    table.setStage(slot, Stage.Updating);
    this.count++;
    try {
      await save(message);
      await ledger.erase(id, () => this.#floor.remove(slot));
      return 'done';
    } catch (error) {
      this.#floor.place(slot, message.hold);
      throw error;
    } finally {
      this.count--;
      this.#floor.planTurn();
      this.#floor.settle();
    }
  }

  /** The next wish for a message that would go and wait now. */
  #claim(slot: number, isHeld: boolean): boolean {
    const pending = this.#pending.get(slot);
    if (pending === undefined) return false;
    const wish = pending.shift()!;
    if (pending.length === 0) this.#pending.delete(slot);
    const id = messageIdToText(this.#floor.table.idOf(slot));
    this.#carryOut(slot, isHeld, wish).catch((error: unknown) => {
      this.#floor.options.log.error({ id, err: error, wish: wish.kind }, 'a wish could not be carried out');
    });
    return true;
  }

  async #carryOut(slot: number, isHeld: boolean, wish: OperatorWish): Promise<void> {
    this.#floor.table.setStage(slot, Stage.Updating);
    this.count++;
    try {
      if (wish.kind === 'bounce' || wish.kind === 'delete') await this.#end(slot, isHeld, wish);
      else await this.#change(slot, isHeld, changeOf(wish));
    } finally {
      this.count--;
      this.#floor.planTurn();
      this.#floor.settle();
    }
  }

  /** Without `$context` and attempt: predelivery did not run for this. */
  async #end(
    slot: number,
    isHeld: boolean,
    wish: Extract<OperatorWish, { kind: 'bounce' | 'delete' }>,
  ): Promise<void> {
    const { table, options } = this.#floor;
    const message = table.message(slot);
    const transport = options.transport(message.transportId, message.stageKey);
    const expectation =
      wish.kind === 'bounce'
        ? expectationOfEnd('Bounce', message, transport, wish.dsn)
        : expectationOfEnd('Delete', message, transport);
    if (!isHeld && expectation.notice !== undefined) await this.#markEnding(slot, wish.reason);
    const done = await this.#endings.finish(slot, {
      message,
      expectation,
      reason: wish.reason,
      context: undefined,
      waited: isHeld ? 'held' : 'deferred',
      ...(transport && { transport }),
    });
    if (done !== undefined && done.kind !== 'done' && done.problem !== undefined)
      throw new SpoolError(`the sender cannot be told: ${done.problem}`, false, { isTold: true });
  }

  /**
   * On the disk it is on hold while its sender is being told: if the process dies before it is taken out, the notification may be
   * gone by the time that a deferred message would be tried again, and it would be delivered after all.
   */
  async #markEnding(slot: number, reason: string): Promise<void> {
    try {
      await this.#floor.options.spool.update(this.#floor.table.idOf(slot), { hold: true, reason });
    } catch (error) {
      this.#floor.place(slot, false);
      const problem = error instanceof Error ? error.message : String(error);
      throw new SpoolError(`the sender cannot be told: ${problem}`, false, { isTold: true });
    }
  }

  async #change(slot: number, wasHeld: boolean, change: MessageChange): Promise<void> {
    const { table, options } = this.#floor;
    try {
      await options.spool.update(table.idOf(slot), change);
    } catch (error) {
      this.#floor.place(slot, wasHeld);
      throw error;
    }
    table.change(slot, change);
    this.#floor.place(slot, change.hold ?? wasHeld);
  }
}

/** Nothing has to be done for it: it is being tried, or it is about to be. */
function isFulfilled(stage: Stage, wish: OperatorWish): boolean {
  // Where it will wait is being decided, or written.
  if (stage === Stage.Finishing || stage === Stage.Updating || stage === Stage.Held) return false;
  return wish.kind === 'release' || (wish.kind === 'retry' && stage !== Stage.Deferred);
}

function changeOf(wish: Exclude<OperatorWish, { kind: 'bounce' | 'delete' }>): MessageChange {
  switch (wish.kind) {
    case 'hold':
      return { hold: true, nextTry: 0, ...(wish.reason !== undefined && { reason: wish.reason }) };
    case 'release':
      return { hold: false, nextTry: 0, reason: '' };
    case 'retry':
      return { hold: false, nextTry: 0 };
    case 'defer':
      return { hold: false, nextTry: wish.until };
    case 'set':
      return wish.change;
    default:
      return assertNever(wish);
  }
}

function assertNever(value: never): never {
  throw new Error(`unknown ${JSON.stringify(value)}`);
}
