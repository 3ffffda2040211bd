// From the end of an attempt, or of a message, to what becomes of it: postdelivery is asked, the decision (decision.ts) is carried
// out. Nothing here rejects: a hook that breaks leaves the default, a write that fails is the ledger's to repeat.

import type { AttemptReport, DsnOptions, PostdeliveryOutcome, TryOptions } from '#hooks';
import type { Transport } from '../delivery/deliverer.js';
import type { PickupGroup } from '../policy/pickup-policy.js';
import type { MessageId, QueuedMessage } from '../spool/spool.js';
import { type Decision, decide, type Expectation, expectationAfter, withEarlierNotice } from './decision.js';
import { type Diagnostic, diagnosticOf, diagnosticWithoutAttempt, keptReason } from './diagnostic.js';
import type { QueueFloor } from './floor.js';
import { dsnInEffect, type NoticePlan } from './notice-plan.js';
import { FAILURE_RETRY_SECONDS, type Notices } from './notices.js';
import { logAttempt, logDecision } from './queue-log.js';
import { Stage } from './table/message-table.js';

/** What has happened to a message. */
export interface Story {
  /** As it was tried: with the DSN parameters that were in effect. */
  readonly message: QueuedMessage;
  readonly reason: string;
  readonly report?: AttemptReport;
  readonly transport?: Transport;
  /** Nobody tried it: it goes back to where it waited when it cannot end. */
  readonly waited?: 'held' | 'deferred';
}

/** What is known when postdelivery is asked. */
export interface Ending extends Story {
  readonly expectation: Expectation;
  /** What predelivery left; undefined when it did not run. */
  readonly context: unknown;
  readonly group?: PickupGroup;
  /** What Try said of the attempt. */
  readonly options?: TryOptions;
  /** How predelivery wants the notification to look. */
  readonly notice?: DsnOptions;
}

/** How attempts have ended. */
export interface Verdicts {
  readonly delivered: number;
  /** The message was to be tried again. */
  readonly delayed: number;
  /** There was nothing more to be tried. */
  readonly failed: number;
}

/** Ends attempts and messages. */
export class Endings {
  readonly #floor: QueueFloor;
  readonly #notices: Notices;
  /** Delivered, while postdelivery still runs or the sender is being told. */
  readonly #delivered = new Set<number>();
  readonly #verdicts = { delivered: 0, delayed: 0, failed: 0 };

  constructor(floor: QueueFloor, notices: Notices) {
    this.#floor = floor;
    this.#notices = notices;
  }

  /** How attempts have ended so far, look-ups without a next hop among them. */
  get verdicts(): Readonly<Verdicts> {
    return this.#verdicts;
  }

  /** Messages that are delivered and not out of the queue yet. */
  delivered(): readonly MessageId[] {
    return [...this.#delivered].map((slot) => this.#floor.table.idOf(slot));
  }

  /** An attempt has ended, or there is no next hop to make one at. */
  finishAttempt(
    slot: number,
    transport: Transport | undefined,
    options: TryOptions,
    report: AttemptReport,
    context: unknown,
    group: PickupGroup | undefined,
  ): Promise<unknown> {
    const { judge, log } = this.#floor.options;
    const queued = this.#floor.table.message(slot);
    const message = options.dsn === undefined ? queued : { ...queued, dsn: dsnInEffect(queued.dsn, options) };
    const verdict = judge(report);
    const now = this.#floor.now();
    const success = options.dsn?.success;
    const { notice } = options;
    const expectation = expectationAfter(verdict, message, transport, now, report, success, notice);
    const reason = keptReason(diagnosticOf(report).diagnosticCode);
    logAttempt(log, message, verdict, reason, report);
    if (expectation.action === undefined) this.#verdicts.delivered++;
    else if (expectation.action === 'QUEUE') this.#verdicts.delayed++;
    else this.#verdicts.failed++;
    return this.finish(slot, {
      message,
      expectation,
      reason,
      context,
      report,
      ...(transport && { transport }),
      options,
      ...(notice && { notice }),
      ...(group && { group }),
    });
  }

  /** A message whose bytes are damaged is never sent and cannot be told of whole: a person has to look at it. */
  holdDamaged(slot: number, { message: reason }: Error): Promise<unknown> {
    this.#floor.logError(this.#floor.table.message(slot), undefined, `${reason}; it goes on hold`);
    return this.carryOut(slot, { kind: 'hold', change: { hold: true, nextTry: 0, reason } });
  }

  /** A message was told of as ended before a crash, and only was not taken out of the spool: that is done now. */
  finishBroken(slot: number): Promise<unknown> {
    const reason = 'its end was told of before the last stop';
    return this.carryOut(slot, { kind: 'done', how: 'bounced', reason });
  }

  /** Asks postdelivery and does what comes of it. */
  async finish(slot: number, ending: Ending): Promise<Decision | undefined> {
    const { table, options } = this.#floor;
    table.setStage(slot, Stage.Finishing);
    const { message, expectation, transport, reason } = ending;
    if (expectation.action === undefined) this.#delivered.add(slot);
    const outcome = withEarlierNotice(await this.#askPostdelivery(ending), ending.notice);
    if (this.#floor.isStopped) return undefined;
    this.#floor.takeMetadata(slot, outcome.metadata);
    const decision = decide(outcome, expectation, message, transport, reason, {
      now: this.#floor.now(),
      postmaster: options.postmaster?.(),
      transportOf: (id) => options.transport(id, message.stageKey),
    });
    return this.carryOut(slot, decision, ending, expectation.expired);
  }

  /**
   * Does what was decided. The sender is told first, if that is part of it; without a story there is nothing to tell.
   * @returns what was done in the end; undefined when the queue has stopped
   */
  async carryOut(
    slot: number,
    wanted: Decision,
    story?: Story,
    isExpired = false,
  ): Promise<Decision | undefined> {
    const { table, ledger, options } = this.#floor;
    const id = table.idOf(slot);
    const { notice } = wanted;
    const isSilent = notice === undefined || story === undefined;
    const decision = isSilent ? wanted : await this.#tell(wanted, notice, story, isExpired);
    if (this.#floor.isStopped) return undefined;
    table.setStage(slot, Stage.Finishing);
    this.#delivered.delete(slot);
    logDecision(options.log, table.message(slot), decision);
    switch (decision.kind) {
      case 'done':
        // Not awaited for ever: a removal that fails is repeated, and the message is not touched until it succeeds.
        await ledger.erase(id, () => this.#floor.remove(slot));
        return decision;
      case 'defer':
      case 'hold': {
        const isHeld = decision.kind === 'hold';
        // What waited may have been on hold, or be marked so on the disk while it was ending (operator-wishes.ts).
        const { waited } = story ?? {};
        const change = waited === undefined ? decision.change : { ...decision.change, hold: isHeld };
        if (decision.notice?.kind === 'delayed' && (change.retry ?? 0) <= table.retry(slot))
          this.#notices.staysAtRetry(slot);
        table.change(slot, change);
        ledger.save(id, change);
        this.#floor.place(slot, isHeld);
        return decision;
      }
      default:
        return assertNever(decision);
    }
  }

  /**
   * Tells the sender, before anything else is done. A failure that cannot be told of is no end yet: the message stays, and all is
   * decided anew in a minute; one that somebody wanted to end goes back to where it waited. A delay is not made up for: the message goes on waiting, and the next news is of its end.
   */
  async #tell(
    decision: Decision,
    plan: NoticePlan,
    { message, report, reason, transport, waited }: Story,
    isExpired: boolean,
  ): Promise<Decision> {
    const notice = {
      plan,
      message,
      diagnostic: diagnosticOfEnding(reason, report, isExpired),
      isExpired,
      report,
      transport,
    };
    if (decision.kind === 'done' && decision.how === 'delivered') {
      await this.#notices.tellSuccess(notice);
      return decision;
    }
    const refused = await this.#notices.tell(notice);
    if (refused === undefined || decision.kind !== 'done' || plan.isForPostmaster === true) return decision;
    const { problem } = refused;
    const why = `${reason} (the sender cannot be told yet: ${problem})`;
    if (waited === 'held') return { kind: 'hold', change: { hold: true, nextTry: 0, reason: why }, problem };
    const soon = this.#floor.now() + FAILURE_RETRY_SECONDS;
    const nextTry = waited === 'deferred' ? Math.max(soon, message.nextTry) : soon;
    return { kind: 'defer', change: { nextTry, reason: why }, problem };
  }

  async #askPostdelivery(ending: Ending): Promise<PostdeliveryOutcome> {
    const { message, options = {}, expectation, report, group, context, reason } = ending;
    const { expired, action, notice } = expectation;
    try {
      return await this.#floor.options.hooks.postdelivery(
        asTried(message, options),
        {
          retry: message.retry,
          expired,
          ...(action === undefined ? undefined : { action }),
          ...(action === undefined && notice === undefined
            ? undefined
            : {
                dsn: {
                  ...diagnosticOfEnding(reason, report, expired),
                  ...(notice && { action: notice.kind }),
                  id: this.#notices.idOf(message, notice?.kind ?? 'failed'),
                },
              }),
          ...(report === undefined ? undefined : { attempt: report }),
          ...(group === undefined
            ? undefined
            : {
                grouping: group.facts.grouping,
                policy: { tags: [], policies: this.#floor.options.policy.report(group) },
              }),
        },
        context,
      );
    } catch (error) {
      this.#floor.logError(message, error, 'postdelivery failed, the default holds');
      return { kind: 'Default' };
    }
  }
}

/** The message as its attempt had it (hooks 13): what Try said for this attempt only is in it. */
function asTried(message: QueuedMessage, { sender, recipient, jobId }: TryOptions): QueuedMessage {
  return {
    ...message,
    ...(sender && { sender }),
    ...(recipient && { recipient }),
    ...(jobId !== undefined && { jobId }),
  };
}

function diagnosticOfEnding(
  reason: string,
  report: AttemptReport | undefined,
  isExpired: boolean,
): Diagnostic {
  return report === undefined ? diagnosticWithoutAttempt(reason) : diagnosticOf(report, isExpired);
}

/** Something that never rejects did: a mistake of ours, and so temporary. */
export function brokenReport(error: unknown): AttemptReport {
  const message = error instanceof Error ? error.message : String(error);
  return { error: { temporary: true, message, type: 'config' }, durationSeconds: 0 };
}

function assertNever(value: never): never {
  throw new Error(`unknown ${JSON.stringify(value)}`);
}
