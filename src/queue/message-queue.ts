// The life of queued messages: when each is tried, and what becomes of it (queue-and-config 1.2).
//
//     accept ─► HOLD | DEFER | predelivery ─► DEFER | HOLD                          (Queue)
//                                 │  └──────► postdelivery                          (Bounce, Delete)
//                                 └─ Try ───► next hop ─► ACTIVE ─► pick-up ─► attempt ─► postdelivery
//     postdelivery ─► done | DEFER | HOLD
//
// Everything is driven from one place, `#turn`: it takes what is due, starts hooks, picks messages up, each up to a number, and
// then lets the event loop go on. So a hundred thousand messages that fall due at once are a backlog and not a standstill.
//
// What it keeps: a message leaves the spool only when it was delivered or somebody who may decide it wants it deleted. What is
// written about it (retry count, hold, reason) is written after the fact and may be lost by a crash: then an attempt is made again,
// never one too few. A write that fails is repeated until it succeeds.

import type {
  AttemptReport,
  PostdeliveryOutcome,
  PredeliveryOutcome,
  QueueOptions,
  TryOptions,
} from '#hooks';
import type { Deliverer, Destination, Transport, Verdict } from '../delivery/deliverer.js';
import type { PickupGroup, PickupPolicy } from '../policy/pickup-policy.js';
import type { PolicyConfig, PolicyFacts } from '../policy/policy-config.js';
import { messageIdToText } from '../spool/id-table.js';
import type { MessageChange, MessageId, QueuedMessage, Spool } from '../spool/spool.js';
import type { QueueClock } from './clock.js';
import {
  type Decision,
  decide,
  decideQueue,
  diagnosticOf,
  type Expectation,
  expectationAfter,
  expectationOfEnd,
} from './decision.js';
import { Ledger } from './ledger.js';
import { MessageTable, type QueueState, Stage } from './message-table.js';
import type { QueueHooks } from './queue-hooks.js';
import { logAttempt, logDecision, type QueueLog } from './queue-log.js';
import { type PickedUp, SubQueues } from './sub-queues.js';
import { Waiting } from './waiting.js';

/** Messages that one turn of the event loop moves on, of each kind. */
const SLICE = 200;
/** The longest sleep: the wall clock may be set meanwhile. */
const LONGEST_SLEEP_SECONDS = 60;
/** How long attempts that were given up may take to come back. */
const ABORT_SECONDS = 5;

/** What the queue works with. */
export interface MessageQueueOptions {
  readonly spool: Pick<Spool, 'update' | 'remove' | 'open'>;
  readonly deliverer: Pick<Deliverer, 'resolve' | 'attempt'>;
  readonly hooks: QueueHooks;
  /** What a report means (src/delivery/failure.ts). */
  readonly judge: (report: AttemptReport) => Verdict;
  /** A transport as it is configured now, for messages of that staged configuration. */
  readonly transport: (id: string, stageKey: string | undefined) => Transport | undefined;
  readonly policy: PickupPolicy;
  readonly clock: QueueClock;
  readonly log: QueueLog;
  /** Attempts at once, over all destinations (queues.concurrency). */
  readonly concurrency?: number;
  /** Messages at once in the predelivery hook or in the look-up of their next hop. */
  readonly preparing?: number;
  /** Messages at once in the postdelivery hook; beyond it nothing is picked up. */
  readonly finishing?: number;
}

/** A message with the state that lists show. */
export interface ListedMessage {
  readonly message: QueuedMessage;
  readonly state: QueueState;
}

/** What came of an operator's wish: `working` = a hook or an attempt has it now, ask again. */
export type WishResult = 'done' | 'unknown' | 'working' | 'not-held' | 'held';

/** What predelivery and the look-up have found for the coming attempt. */
interface Trial {
  readonly options: TryOptions;
  readonly context: unknown;
  readonly transport: Transport;
  readonly destination: Destination;
}

/** What is known when postdelivery is asked. */
interface Ending {
  readonly expectation: Expectation;
  readonly reason: string;
  readonly context: unknown;
  readonly report?: AttemptReport;
  readonly group?: PickupGroup;
  readonly transport?: Transport;
}

/** Orders and drives all queued messages. */
export class MessageQueue {
  readonly #options: MessageQueueOptions;
  readonly #concurrency: number;
  readonly #preparingLimit: number;
  readonly #finishingLimit: number;
  readonly #table = new MessageTable();
  readonly #waiting = new Waiting(this.#table);
  readonly #subQueues: SubQueues;
  readonly #trials: (Trial | undefined)[] = [];
  readonly #attempts = new Map<number, AbortController>();
  readonly #ledger: Ledger;
  /** Delivered, while postdelivery still runs. */
  readonly #delivered = new Set<number>();
  #preparing = 0;
  #finishing = 0;
  #wishes = 0;
  #isTurnPlanned = false;
  #wakeTime = Number.POSITIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;
  #phase: 'waiting' | 'running' | 'stopping' | 'stopped' = 'waiting';
  #onIdle: (() => void) | undefined;

  constructor(options: MessageQueueOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency ?? 10_000;
    this.#preparingLimit = options.preparing ?? 500;
    this.#finishingLimit = options.finishing ?? 1000;
    this.#subQueues = new SubQueues(this.#table, options.policy, () => this.#planTurn());
    this.#ledger = new Ledger({
      spool: options.spool,
      clock: options.clock,
      log: options.log,
      stateOf: (id) => this.#stateOf(id),
      onIdle: () => this.#settle(),
    });
  }

  /** Takes messages that are in the spool: found at start, or just committed. */
  accept(messages: Iterable<QueuedMessage>): void {
    for (const message of messages) this.#place(this.#table.add(message), message.hold);
    this.#planTurn();
  }

  /** Begins to deliver. */
  start(): void {
    this.#phase = 'running';
    this.#planTurn();
  }

  /**
   * Stops: nothing new is begun, what is under way may end within the grace, then it is given up. A message whose attempt was
   * given up stays in the spool as it was; the attempt does not count.
   */
  async stop(graceSeconds: number): Promise<void> {
    this.#phase = 'stopping';
    this.#cancelTimer?.();
    await this.#idleWithin(graceSeconds);
    for (const attempt of this.#attempts.values()) attempt.abort();
    await this.#idleWithin(ABORT_SECONDS);
    this.#phase = 'stopped';
    await this.#ledger.close();
    // A postdelivery hook that hangs must not bring a delivered message back.
    const delivered = [...this.#delivered].map((slot) => this.#options.spool.remove(this.#table.idOf(slot)));
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
    return this.#table.counts();
  }

  /** How many messages there are. */
  get size(): number {
    return this.#table.size;
  }

  /** All messages. It may be left and gone on with later: each message that stays is seen once. */
  *list(): Generator<ListedMessage> {
    for (const slot of this.#table.slots()) yield this.#listed(slot);
  }

  /** One message. */
  find(id: MessageId): ListedMessage | undefined {
    const slot = this.#table.find(id);
    return slot < 0 ? undefined : this.#listed(slot);
  }

  /** Puts a waiting message on hold. @throws SpoolError */
  hold(id: MessageId, reason: string): Promise<WishResult> {
    return this.#wish(id, false, { hold: true, nextTry: 0, reason }, true);
  }

  /** Lets a held message go on: it is tried now. @throws SpoolError */
  release(id: MessageId): Promise<WishResult> {
    return this.#wish(id, true, { hold: false, nextTry: 0, reason: '' }, false);
  }

  /** Tries a deferred message now. The result for one that is ACTIVE already is `done`. @throws SpoolError */
  retryNow(id: MessageId): Promise<WishResult> {
    const slot = this.#table.find(id);
    const stage = slot < 0 ? undefined : this.#table.stage(slot);
    if (stage === Stage.Due || stage === Stage.Ready) return Promise.resolve('done');
    return this.#wish(id, false, { nextTry: 0 }, false);
  }

  /** New policies; what waits is sorted anew. */
  reconfigure(policies: PolicyConfig): void {
    this.#options.policy.reconfigure(policies);
    this.#subQueues.regroup((slot) => this.#factsOf(this.#table.message(slot), this.#trials[slot]!));
    this.#planTurn();
  }

  /**
   * A staged configuration has ended: its messages that wait to be picked up, perhaps for long, are prepared anew. What is in a
   * hook or on its way goes on.
   */
  reconsider(stageKey: string): void {
    for (const slot of this.#table.slots()) {
      if (this.#table.stage(slot) !== Stage.Ready || this.#table.stageKey(slot) !== stageKey) continue;
      this.#takeOut(slot);
      this.#place(slot, false);
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
    const now = this.#options.clock.now();
    this.#waiting.advance(now, SLICE);
    for (let i = 0; i < SLICE && this.#mayPrepare(); i++) this.#prepareNext();
    for (let i = 0; i < SLICE && this.#maySend(); i++) {
      const picked = this.#subQueues.pickUp();
      if (picked === undefined) break;
      this.#send(picked);
    }
    const next = this.#waiting.nextTime;
    if (this.#mayPrepare() || this.#maySend() || (next !== undefined && next <= now)) this.#planTurn();
    else this.#sleepUntil(next);
  }

  #mayPrepare(): boolean {
    return (
      this.#waiting.hasDue && this.#preparing < this.#preparingLimit && this.#finishing < this.#finishingLimit
    );
  }

  #maySend(): boolean {
    return (
      this.#subQueues.isReady &&
      this.#attempts.size < this.#concurrency &&
      this.#finishing < this.#finishingLimit
    );
  }

  /** One timer for all that is deferred. */
  #sleepUntil(time: number | undefined): void {
    if (time === undefined || (this.#cancelTimer !== undefined && this.#wakeTime <= time)) return;
    this.#cancelTimer?.();
    this.#wakeTime = time;
    const seconds = Math.min(Math.max(0, time - this.#options.clock.now()), LONGEST_SLEEP_SECONDS);
    this.#cancelTimer = this.#options.clock.setTimer(seconds, () => {
      this.#cancelTimer = undefined;
      this.#planTurn();
    });
  }

  // Wishes of an operator.

  async #wish(
    id: MessageId,
    isForHeld: boolean,
    change: MessageChange,
    isHeldThen: boolean,
  ): Promise<WishResult> {
    const slot = this.#table.find(id);
    if (slot < 0) return 'unknown';
    const wasHeld = this.#table.stage(slot) === Stage.Held;
    if (wasHeld !== isForHeld) return wasHeld ? 'held' : this.#isWaiting(slot) ? 'not-held' : 'working';
    if (!this.#takeOut(slot)) return 'working';
    this.#table.setStage(slot, Stage.Updating);
    this.#wishes++;
    try {
      await this.#options.spool.update(id, change);
      this.#table.change(slot, change);
      this.#place(slot, isHeldThen);
    } catch (error) {
      this.#place(slot, wasHeld);
      throw error;
    } finally {
      this.#wishes--;
      this.#planTurn();
      this.#settle();
    }
    return 'done';
  }

  /** Takes a waiting message out of wherever it waits; false when it is being worked on. */
  #takeOut(slot: number): boolean {
    if (this.#waiting.takeOut(slot)) return true;
    if (this.#table.stage(slot) !== Stage.Ready) return false;
    this.#subQueues.remove(slot);
    this.#trials[slot] = undefined;
    return true;
  }

  #place(slot: number, isHeld: boolean): void {
    this.#waiting.put(slot, isHeld, this.#now());
  }

  #isWaiting(slot: number): boolean {
    const state = this.#table.state(slot);
    return state === 'ACTIVE' || state === 'DEFER';
  }

  #listed(slot: number): ListedMessage {
    return { message: this.#table.message(slot), state: this.#table.state(slot) };
  }

  // From due to ACTIVE.

  #prepareNext(): void {
    const slot = this.#waiting.shiftDue();
    this.#table.setStage(slot, Stage.Preparing);
    this.#preparing++;
    void this.#prepare(slot).finally(() => {
      this.#preparing--;
      this.#planTurn();
      this.#settle();
    });
  }

  /** Never rejects. */
  async #prepare(slot: number): Promise<void> {
    const message = this.#table.message(slot);
    const outcome = await this.#askPredelivery(message);
    if (this.#phase === 'stopped') return;
    this.#takeMetadata(slot, outcome.metadata);
    const transport = this.#options.transport(message.transportId, message.stageKey);
    switch (outcome.kind) {
      case 'Queue': {
        const reason = outcome.options.reason ?? '';
        return this.#carryOut(slot, decideQueue(outcome.options, message, transport, reason, this.#now()));
      }
      case 'Bounce':
      case 'Delete': {
        const expectation = expectationOfEnd(outcome.kind);
        const reason = outcome.reason ?? `${outcome.kind}() in predelivery`;
        const context = 'context' in outcome ? outcome.context : null;
        return this.#finish(slot, { expectation, reason, context, ...(transport && { transport }) });
      }
      case 'Try':
        if (transport === undefined) return this.#waitForTransport(slot, message);
        return this.#resolve(slot, transport, outcome.options, outcome.context);
      default:
        return assertNever(outcome);
    }
  }

  async #askPredelivery(message: QueuedMessage): Promise<PredeliveryOutcome> {
    try {
      return await this.#options.hooks.predelivery(message);
    } catch (error) {
      this.#options.log.error(
        { id: messageIdToText(message.id), err: error },
        'predelivery failed, trying in 300 s',
      );
      return { kind: 'Queue', options: waitUncounted('predelivery script error') };
    }
  }

  /** A transport that a reload took away is a slip of ours: the message waits for it, uncounted. */
  #waitForTransport(slot: number, message: QueuedMessage): Promise<void> {
    const reason = `the transport "${message.transportId}" is not configured`;
    this.#options.log.error({ id: messageIdToText(message.id) }, `${reason}; the message waits for it`);
    return this.#carryOut(slot, decideQueue(waitUncounted(reason), message, undefined, reason, this.#now()));
  }

  async #resolve(slot: number, transport: Transport, options: TryOptions, context: unknown): Promise<void> {
    const message = this.#table.message(slot);
    const recipient = options.recipient ?? message.recipient;
    let found: Destination | AttemptReport;
    try {
      found = await this.#options.deliverer.resolve(transport, recipient, options);
    } catch (error) {
      found = brokenReport(error);
    }
    if (this.#phase === 'stopped') return;
    if (!('remoteMx' in found)) return this.#finishAttempt(slot, transport, found, context, undefined);
    const trial: Trial = { options, context, transport, destination: found };
    this.#trials[slot] = trial;
    this.#table.setStage(slot, Stage.Ready);
    this.#subQueues.add(slot, this.#factsOf(message, trial));
  }

  #factsOf(message: QueuedMessage, { options, destination }: Trial): PolicyFacts {
    return {
      tenantid: message.tenantId ?? '',
      jobid: options.jobId ?? message.jobId ?? '',
      transportid: message.transportId,
      grouping: '',
      remoteip: destination.addresses[0]?.ip ?? '',
      remotemx: destination.remoteMx,
      recipientdomain: (options.recipient ?? message.recipient).domain,
    };
  }

  // From ACTIVE to the end of the attempt.

  #send(picked: PickedUp): void {
    const { slot } = picked;
    const trial = this.#trials[slot]!;
    this.#trials[slot] = undefined;
    this.#table.setStage(slot, Stage.Sending);
    const abort = new AbortController();
    this.#attempts.set(slot, abort);
    void this.#attempt(picked, trial, abort.signal);
  }

  /** Never rejects. */
  async #attempt({ slot, group, ticket }: PickedUp, trial: Trial, signal: AbortSignal): Promise<void> {
    const message = this.#table.message(slot);
    const { options, transport, destination, context } = trial;
    let report: AttemptReport;
    try {
      report = await this.#options.deliverer.attempt(
        {
          id: message.id,
          sender: options.sender ?? message.sender,
          recipient: options.recipient ?? message.recipient,
          transport,
          options,
          destination,
          message: this.#options.spool.open(message.id),
        },
        signal,
      );
    } catch (error) {
      this.#options.log.error({ id: messageIdToText(message.id), err: error }, 'an attempt broke off');
      report = brokenReport(error);
    }
    this.#attempts.delete(slot);
    ticket.release();
    if (this.#phase === 'stopped' || (signal.aborted && this.#options.judge(report) === 'deferred')) {
      // Given up: it is in the spool as it was before.
      this.#table.setStage(slot, Stage.Finishing);
    } else {
      this.#finishing++;
      await this.#finishAttempt(slot, transport, report, context, group);
      this.#finishing--;
    }
    this.#planTurn();
    this.#settle();
  }

  #finishAttempt(
    slot: number,
    transport: Transport,
    report: AttemptReport,
    context: unknown,
    group: PickupGroup | undefined,
  ): Promise<void> {
    const message = this.#table.message(slot);
    const verdict = this.#options.judge(report);
    const expectation = expectationAfter(verdict, message, transport, this.#now());
    const reason = diagnosticOf(report).diagnosticCode;
    logAttempt(this.#options.log, message, verdict, reason, report);
    return this.#finish(slot, { expectation, reason, context, report, transport, ...(group && { group }) });
  }

  /** Asks postdelivery and does what comes of it. */
  async #finish(slot: number, ending: Ending): Promise<void> {
    this.#table.setStage(slot, Stage.Finishing);
    const message = this.#table.message(slot);
    const { expectation, transport, reason } = ending;
    if (expectation.action === undefined) this.#delivered.add(slot);
    const outcome = await this.#askPostdelivery(message, ending);
    if (this.#phase === 'stopped') return;
    this.#delivered.delete(slot);
    this.#takeMetadata(slot, outcome.metadata);
    await this.#carryOut(slot, decide(outcome, expectation, message, transport, reason, this.#now()));
  }

  async #askPostdelivery(message: QueuedMessage, ending: Ending): Promise<PostdeliveryOutcome> {
    const { expectation, report, group, context, reason } = ending;
    const { expired, action } = expectation;
    const diagnostic = report === undefined ? endedByScript(reason) : diagnosticOf(report);
    try {
      return await this.#options.hooks.postdelivery(
        message,
        {
          retry: message.retry,
          expired,
          ...(action === undefined ? undefined : { action, dsn: diagnostic }),
          ...(report === undefined ? undefined : { attempt: report }),
          ...(group === undefined
            ? undefined
            : {
                grouping: group.facts.grouping,
                policy: { tags: [], policies: this.#options.policy.report(group) },
              }),
        },
        context,
      );
    } catch (error) {
      this.#options.log.error(
        { id: messageIdToText(message.id), err: error },
        'postdelivery failed, the default holds',
      );
      return { kind: 'Default' };
    }
  }

  /** A message's metadata as a script has set it is kept at once: what follows may fail. */
  #takeMetadata(slot: number, metadata: Readonly<Record<string, string>> | undefined): void {
    if (metadata === undefined) return;
    this.#table.change(slot, { metadata });
    this.#ledger.save(this.#table.idOf(slot), { metadata });
  }

  // Decisions.

  async #carryOut(slot: number, decision: Decision): Promise<void> {
    const id = this.#table.idOf(slot);
    logDecision(this.#options.log, this.#table.message(slot), decision);
    switch (decision.kind) {
      case 'done':
        // Not awaited for ever: a removal that fails is repeated, and the message is not touched until it succeeds.
        return this.#ledger.erase(id, () => this.#table.remove(slot));
      case 'defer':
        this.#table.change(slot, decision.change);
        this.#place(slot, false);
        return this.#ledger.save(id, decision.change);
      case 'hold':
        this.#table.change(slot, decision.change);
        this.#place(slot, true);
        return this.#ledger.save(id, decision.change);
      default:
        return assertNever(decision);
    }
  }

  /** All of a message's state that may have changed. */
  #stateOf(id: MessageId): MessageChange | undefined {
    const slot = this.#table.find(id);
    if (slot < 0) return undefined;
    const { hold, retry, nextTry, reason = '', transportId, metadata, quotas } = this.#table.message(slot);
    return { hold, retry, nextTry, reason, transportId, metadata, quotas };
  }

  // Stopping.

  get #isIdle(): boolean {
    const working = this.#preparing + this.#attempts.size + this.#finishing + this.#wishes;
    return working === 0 && this.#ledger.isIdle;
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

  #now(): number {
    return this.#options.clock.now();
  }
}

/** A wait that says nothing about the message. */
function waitUncounted(reason: string): QueueOptions {
  return { hold: false, delaySeconds: 300, incrementRetry: false, resetRetry: false, reason };
}

function endedByScript(reason: string): {
  readonly diagnosticType: 'x-error';
  readonly diagnosticCode: string;
} {
  return { diagnosticType: 'x-error', diagnosticCode: reason };
}

/** Something that never rejects did: a mistake of ours, and so temporary. */
function brokenReport(error: unknown): AttemptReport {
  const message = error instanceof Error ? error.message : String(error);
  return { error: { temporary: true, message, type: 'config' }, durationSeconds: 0 };
}

function assertNever(value: never): never {
  throw new Error(`unknown ${JSON.stringify(value)}`);
}
