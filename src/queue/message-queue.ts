// The life of queued messages: when each is tried, and what becomes of it (queue-and-config 1.2).
//
//     accept ─► HOLD | DEFER | preparation ─► DEFER | HOLD                          (Queue)
//                                 │  └──────► endings                               (Bounce, Delete)
//                                 └─ Try ───► next hop ─► ACTIVE ─► pick-up ─► attempts ─► endings
//     endings ─► done | DEFER | HOLD
//
// Everything is driven from one place, `#turn`: it takes what is due, starts hooks, picks messages up, each up to a number, and
// then lets the event loop go on. So a hundred thousand messages that fall due at once are a backlog and not a standstill.
//
// What it keeps: a message leaves the spool only when it was delivered or somebody who may decide it wants it deleted. What is
// written about it (retry count, hold, reason) is written after the fact and may be lost by a crash: then an attempt is made again,
// never one too few. A write that fails is repeated until it succeeds.

import type { ConnectionFacts } from '../delivery/connections.js';
import type { SourceChoice } from '../delivery/deliverer.js';
import type { Obstacle } from '../policy/counter.js';
import type { PolicyConfig } from '../policy/policy-config.js';
import type { MessageId, QueuedMessage } from '../spool/spool.js';
import { Attempts } from './attempts.js';
import { Endings } from './endings.js';
import { QueueFloor } from './floor.js';
import type { HoldUp } from './hold-up.js';
import { Notices } from './notices.js';
import { type OperatorWish, OperatorWishes, type WishResult } from './operator-wishes.js';
import { PassingMessage, type SeenInQueue } from './passing-message.js';
import { Preparation } from './preparation.js';
import type { MessageQueueOptions } from './queue-options.js';
import type { QueueStatistics } from './queue-statistics.js';
import { type QueueState, Stage } from './table/message-table.js';
import type { Quotas } from './table/quotas.js';
import { SubQueues } from './table/sub-queues.js';
import { factsOf, type Trial } from './trial.js';

export type { OperatorWish, WishResult } from './operator-wishes.js';
export type { SeenInQueue, SeenMessage } from './passing-message.js';
export type { MessageQueueOptions } from './queue-options.js';

/** Messages that one turn of the event loop moves on, of each kind. */
const SLICE = 200;
/** The same, of messages that are sorted by new policies. */
const SORT_SLICE = 1000;
/** Between two looks whether the spool can be written to again. */
const SPOOL_SECONDS = 1;
/** The same of one spool folder of several: each of its messages that are due is looked at. */
const FOLDER_SECONDS = 5;
/** The longest sleep: the wall clock may be set meanwhile. */
const LONGEST_SLEEP_SECONDS = 60;
/** How long attempts that were given up may take to come back. */
const ABORT_SECONDS = 5;

/** A message with the state that lists show. */
export interface ListedMessage {
  readonly message: QueuedMessage;
  readonly state: QueueState;
  /** What is known of its next hop; of a message in ACTIVE that has been prepared, and in SENDING. */
  readonly trial?: Trial;
  /** What holds it back; in ACTIVE. */
  readonly obstacle?: Obstacle;
  /** When its attempt began (Unix seconds); in SENDING. */
  readonly sendingSince?: number;
  /** Where its attempt comes from; in SENDING. */
  readonly source?: SourceChoice;
  /** By which connection it goes; in SENDING, once there is one. */
  readonly connection?: ConnectionFacts;
}

/** Orders and drives all queued messages. */
export class MessageQueue {
  readonly #options: MessageQueueOptions;
  readonly #concurrency: number;
  readonly #preparingLimit: number;
  readonly #resolvingLimit: number;
  readonly #finishingLimit: number;
  readonly #floor: QueueFloor;
  readonly #subQueues: SubQueues;
  readonly #trials: (Trial | undefined)[] = [];
  readonly #notices: Notices;
  readonly #endings: Endings;
  readonly #preparation: Preparation;
  readonly #attempts: Attempts;
  readonly #wishes: OperatorWishes;
  /** Messages that came so far. */
  #accepted = 0;
  /** Some messages lie in a spool folder that cannot be written to. */
  #isPartly = false;
  #isTurnPlanned = false;
  #wakeTime = Number.POSITIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;
  #phase: 'waiting' | 'running' | 'stopping' = 'waiting';
  #onIdle: (() => void) | undefined;

  constructor(options: MessageQueueOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency ?? 10_000;
    this.#preparingLimit = options.preparing ?? 500;
    this.#resolvingLimit = options.resolving ?? 10_000;
    this.#finishingLimit = options.finishing ?? 1000;
    this.#floor = new QueueFloor(options, {
      planTurn: () => this.#planTurn(),
      settle: () => this.#settle(),
    });
    this.#subQueues = new SubQueues(this.#floor.table, options.policy, () => this.#planTurn());
    this.#notices = new Notices(this.#floor, (messages) => this.accept(messages));
    this.#endings = new Endings(this.#floor, this.#notices);
    this.#preparation = new Preparation(this.#floor, this.#endings, this.#notices, (slot, trial) =>
      this.#enter(slot, trial),
    );
    this.#attempts = new Attempts(this.#floor, this.#endings);
    this.#wishes = new OperatorWishes(this.#floor, this.#endings, (slot) => this.#takeOut(slot));
  }

  /** Takes messages that are in the spool: found at start, or just committed. */
  accept(messages: Iterable<QueuedMessage>): void {
    for (const message of messages) {
      if (this.#phase === 'waiting') this.#notices.found(message);
      this.#floor.place(this.#floor.table.add(message), message.hold);
      this.#accepted++;
    }
    this.#planTurn();
  }

  /** Begins to deliver. */
  start(): void {
    this.#phase = 'running';
    if (this.#notices.hasFound) this.#endHeld();
    this.#planTurn();
  }

  /** What is on hold is not prepared, where others are found to be at their end (an operator's bounce before a crash). */
  #endHeld(): void {
    const { table } = this.#floor;
    for (const slot of table.slots()) {
      if (table.stage(slot) !== Stage.Held) continue;
      if (!this.#notices.hasToldEnd({ id: table.idOf(slot), retry: 0 })) continue;
      this.#takeOut(slot);
      void this.#endings.finishBroken(slot);
    }
  }

  /**
   * Stops: nothing new is begun, what is under way may end within the grace, then it is given up. A message whose attempt was
   * given up stays in the spool as it was; the attempt does not count.
   */
  async stop(graceSeconds: number): Promise<void> {
    this.#phase = 'stopping';
    this.#cancelTimer?.();
    await this.#idleWithin(graceSeconds);
    this.#attempts.abort();
    await this.#idleWithin(ABORT_SECONDS);
    this.#floor.isStopped = true;
    await this.#floor.ledger.close();
    // A postdelivery hook that hangs must not bring a delivered message back.
    const delivered = this.#endings.delivered().map((id) => this.#options.spool.remove(id));
    for (const outcome of await Promise.allSettled(delivered)) {
      if (outcome.status === 'rejected') {
        this.#options.log.error(
          { err: outcome.reason },
          'a delivered message stays in the spool and may come twice',
        );
      }
    }
  }

  /** How many messages are in each state. */
  counts(): Record<QueueState, number> {
    return this.#floor.table.counts();
  }

  /** How many messages there are. */
  get size(): number {
    return this.#floor.table.size;
  }

  /** All messages. It may be left and gone on with later: each message that stays is seen once. */
  *list(): Generator<ListedMessage> {
    for (const slot of this.#floor.table.slots()) yield this.#listed(slot);
  }

  /**
   * All messages pass by: it is one object, which is another message at the next step. Left and gone on with as `list`; `find` gives
   * one to keep.
   */
  *look(): Generator<SeenInQueue> {
    const passing = new PassingMessage({
      table: this.#floor.table,
      attempts: this.#attempts,
      subQueues: this.#subQueues,
      trialOf: (slot) => this.#trials[slot],
    });
    for (const slot of this.#floor.table.slots()) {
      passing.moveTo(slot);
      yield passing;
    }
  }

  /** One message. */
  find(id: MessageId): ListedMessage | undefined {
    const slot = this.#floor.table.find(id);
    return slot < 0 ? undefined : this.#listed(slot);
  }

  /** The notification that such a message has ended, while it is in the queue: one that is, was told of, and would not be again. */
  noticeOfEnd(id: MessageId): MessageId | undefined {
    return this.#notices.ofEnd(id);
  }

  /** What the quotas hold. */
  get quotas(): Pick<Quotas, 'of' | 'list' | 'size'> {
    return this.#floor.table.quotas;
  }

  /** What the queue has counted (control-api 10). */
  statistics(): QueueStatistics {
    const { table } = this.#floor;
    const { DEFER, HOLD, UPDATE, UNKNOWN, SENDING } = table.counts();
    const active = (priority: 0 | 1) =>
      table.countOf(Stage.Due, priority) + table.countOf(Stage.Ready, priority);
    return {
      accepted: this.#accepted,
      due: table.countOf(Stage.Due),
      preparing: table.countOf(Stage.Preparing),
      resolving: this.#preparation.resolving,
      activeByPriority: [active(0), active(1)],
      defer: DEFER,
      hold: HOLD,
      update: UPDATE,
      pending: UNKNOWN,
      sending: SENDING,
      attempts: this.#attempts.total,
      concurrency: this.#concurrency,
      pickup: this.#subQueues.counters,
      verdicts: this.#endings.verdicts,
      counters: this.#options.policy.counterCount,
      obstacles: this.#subQueues.obstacleCount,
      quotas: table.quotas.size,
    };
  }

  /** Why a message is where it is. */
  holdUp(id: MessageId): HoldUp | undefined {
    const { table } = this.#floor;
    const slot = table.find(id);
    return slot < 0 ? undefined : this.#holdUpOf(slot, table.stage(slot));
  }

  /** Does what an operator wants of a message. @throws SpoolError when it cannot be written: then nothing has changed. */
  wish(id: MessageId, wish: OperatorWish): Promise<WishResult> {
    return this.#wishes.make(id, wish);
  }

  /** Moves a waiting message out to where `save` puts it. @throws what `save` throws: then nothing has changed. */
  unload(
    id: MessageId,
    save: (message: QueuedMessage) => Promise<void>,
  ): Promise<'done' | 'busy' | 'unknown'> {
    return this.#wishes.unload(id, save);
  }

  /** New policies; what waits is sorted anew. */
  reconfigure(policies: PolicyConfig): void {
    if (!this.#options.policy.reconfigure(policies)) return;
    this.#subQueues.regroup();
    this.#planTurn();
  }

  /**
   * A staged configuration has ended: its messages that wait to be picked up, perhaps for long, are prepared anew. What is in a
   * hook or on its way goes on.
   */
  reconsider(stageKey: string): void {
    const { table } = this.#floor;
    for (const slot of table.slots()) {
      if (table.stage(slot) !== Stage.Ready || table.stageKey(slot) !== stageKey) continue;
      this.#takeOut(slot);
      this.#floor.place(slot, false);
    }
    this.#planTurn();
  }

  // The drive.

  #planTurn(): void {
    if (this.#isTurnPlanned || this.#phase !== 'running') return;
    this.#isTurnPlanned = true;
    this.#options.clock.nextTurn(() => {
      this.#isTurnPlanned = false;
      if (this.#phase === 'running') this.#turn();
    });
  }

  #turn(): void {
    const { waiting } = this.#floor;
    const now = this.#floor.now();
    waiting.advance(now, SLICE);
    this.#sortAnew();
    // What is sent now could not be noted as sent: a crash would bring it back.
    if (!this.#options.spool.isWritable()) {
      this.#sleepUntil(now + SPOOL_SECONDS);
      return;
    }
    this.#isPartly = this.#options.spool.isPartlyWritable();
    for (let i = 0; i < SLICE && this.#mayPrepare(); i++) {
      const slot = waiting.shiftDue();
      if (!this.#isPostponed(slot)) this.#preparation.begin(slot);
    }
    for (let i = 0; i < SLICE && this.#maySend(); i++) if (!this.#sendNext()) break;
    const next = waiting.nextTime;
    if (
      this.#subQueues.isUnsorted ||
      this.#mayPrepare() ||
      this.#maySend() ||
      (next !== undefined && next <= now)
    )
      this.#planTurn();
    else this.#sleepUntil(next);
  }

  /** After new policies, as many messages as are some milliseconds' work. */
  #sortAnew(): void {
    if (!this.#subQueues.isUnsorted) return;
    this.#subQueues.sort(SORT_SLICE, (slot) => this.#factsOf(slot, this.#trials[slot]!));
  }

  #mayPrepare(): boolean {
    const { count, resolving } = this.#preparation;
    return (
      this.#floor.waiting.hasDue &&
      count - resolving < this.#preparingLimit &&
      resolving < this.#resolvingLimit &&
      this.#attempts.finishing < this.#finishingLimit
    );
  }

  #maySend(): boolean {
    return (
      this.#subQueues.isReady &&
      this.#attempts.count < this.#concurrency &&
      this.#attempts.finishing < this.#finishingLimit
    );
  }

  /** One timer for all that is deferred. */
  #sleepUntil(time: number | undefined): void {
    if (time === undefined || (this.#cancelTimer !== undefined && this.#wakeTime <= time)) return;
    this.#cancelTimer?.();
    this.#wakeTime = time;
    const seconds = Math.min(Math.max(0, time - this.#floor.now()), LONGEST_SLEEP_SECONDS);
    this.#cancelTimer = this.#options.clock.setTimer(seconds, () => {
      this.#cancelTimer = undefined;
      this.#planTurn();
    });
  }

  // ACTIVE.

  #enter(slot: number, trial: Trial): void {
    this.#trials[slot] = trial;
    this.#floor.table.setStage(slot, Stage.Ready);
    this.#subQueues.add(slot, this.#factsOf(slot, trial));
  }

  /** The one pick-up point; false when nothing may go. */
  #sendNext(): boolean {
    const picked = this.#subQueues.pickUp();
    if (picked === undefined) return false;
    const trial = this.#trials[picked.slot]!;
    this.#trials[picked.slot] = undefined;
    if (this.#isPostponed(picked.slot)) picked.ticket.release();
    else this.#attempts.begin(picked, trial);
    return true;
  }

  /** Of several spool folders one cannot be written to: what lies there waits, and the rest goes on. */
  #isPostponed(slot: number): boolean {
    const { table } = this.#floor;
    if (!this.#isPartly || this.#options.spool.isWritable(table.idOf(slot))) return false;
    table.setStage(slot, Stage.Finishing);
    // Of no interest to the disk: there it is due.
    table.change(slot, { nextTry: this.#floor.now() + FOLDER_SECONDS });
    this.#floor.place(slot, false);
    return true;
  }

  #factsOf(slot: number, { options, destination }: Trial): ReturnType<typeof factsOf> {
    return factsOf(this.#floor.table.message(slot), options, destination);
  }

  /** Takes a waiting message out of wherever it waits; false when it is being worked on. */
  #takeOut(slot: number): boolean {
    if (this.#floor.waiting.takeOut(slot)) return true;
    if (this.#floor.table.stage(slot) !== Stage.Ready) return false;
    this.#subQueues.remove(slot);
    this.#trials[slot] = undefined;
    return true;
  }

  #listed(slot: number): ListedMessage {
    const { table } = this.#floor;
    const underWay = this.#attempts.of(slot);
    const trial = underWay?.trial ?? this.#trials[slot];
    const obstacle = this.#subQueues.obstacleOf(slot);
    return {
      message: table.message(slot),
      state: table.state(slot),
      ...(trial === undefined ? undefined : { trial }),
      ...(obstacle === undefined ? undefined : { obstacle }),
      ...(underWay === undefined ? undefined : { sendingSince: underWay.since }),
      ...(underWay?.source === undefined ? undefined : { source: underWay.source }),
      ...(underWay?.connection === undefined ? undefined : { connection: underWay.connection }),
    };
  }

  #holdUpOf(slot: number, stage: Stage): HoldUp {
    const { table } = this.#floor;
    switch (stage) {
      case Stage.Held:
        return { kind: 'held' };
      case Stage.Deferred:
        return { kind: 'deferred', until: table.nextTry(slot) };
      case Stage.Due:
        return { kind: 'due', waiting: table.countOf(Stage.Due) };
      case Stage.Preparing:
        return { kind: 'preparing' };
      case Stage.Ready: {
        const obstacle = this.#subQueues.obstacleOf(slot);
        if (obstacle !== undefined) return { kind: 'policy', obstacle: obstacle.facts };
        const isFull = this.#attempts.count >= this.#concurrency;
        return isFull ? { kind: 'concurrency', limit: this.#concurrency } : { kind: 'ready' };
      }
      case Stage.Sending:
        return { kind: 'sending', since: this.#attempts.of(slot)?.since ?? this.#floor.now() };
      case Stage.Finishing:
        return { kind: 'finishing' };
      default:
        return { kind: 'updating' };
    }
  }

  // Stopping.

  get #isIdle(): boolean {
    // Look-ups may take long and leave nothing behind: the next start makes them again.
    const preparing = this.#preparation.count - this.#preparation.resolving;
    const working = preparing + this.#attempts.count + this.#attempts.finishing + this.#wishes.count;
    return working === 0 && this.#floor.ledger.isIdle;
  }

  #settle(): void {
    if (this.#onIdle !== undefined && this.#isIdle) this.#onIdle();
  }

  #idleWithin(seconds: number): Promise<void> {
    if (this.#isIdle) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#onIdle = undefined;
        resolve();
      };
      const cancel = this.#options.clock.setTimer(seconds, end);
      this.#onIdle = end;
    });
  }
}
