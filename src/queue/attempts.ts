// From pick-up to the end of the attempt: what is under way now. An attempt never rejects; whatever happens is a report.

import type { AttemptReport } from '#hooks';
import type { ConnectionFacts } from '../delivery/connections.js';
import type { Attempt, SourceChoice } from '../delivery/deliverer.js';
import { sourcesOf } from '../delivery/sources.js';
import type { MessageReader, QueuedMessage } from '../spool/spool.js';
import { brokenReport, type Endings } from './endings.js';
import type { QueueFloor } from './floor.js';
import { familyOf, SourceTurns } from './source-choice.js';
import { Stage } from './table/message-table.js';
import type { PickedUp } from './table/sub-queues.js';
import { factsOf, type Trial } from './trial.js';
import { WatchedReader } from './watched-reader.js';

/** An attempt that is being made. */
interface UnderWay {
  readonly abort: AbortController;
  /** Unix seconds. */
  readonly since: number;
  readonly trial: Trial;
  /** Where it comes from; known as soon as the attempt is made up. */
  source?: SourceChoice;
  /** Its connection of this moment. */
  connection?: ConnectionFacts;
}

/** The attempts that are being made. */
export class Attempts {
  readonly #floor: QueueFloor;
  readonly #endings: Endings;
  readonly #turns = new SourceTurns();
  readonly #underWay = new Map<number, UnderWay>();
  /** Attempts that have ended and whose postdelivery is asked. */
  finishing = 0;
  /** Attempts that were begun so far. */
  total = 0;

  constructor(floor: QueueFloor, endings: Endings) {
    this.#floor = floor;
    this.#endings = endings;
  }

  /** Attempts that are being made. */
  get count(): number {
    return this.#underWay.size;
  }

  /** The attempt of a message that is SENDING. */
  of(slot: number): Omit<UnderWay, 'abort'> | undefined {
    return this.#underWay.get(slot);
  }

  /** Begins one. */
  begin(picked: PickedUp, trial: Trial): void {
    const { slot } = picked;
    this.#floor.table.setStage(slot, Stage.Sending);
    const abort = new AbortController();
    this.total++;
    const underWay: UnderWay = { abort, since: this.#floor.now(), trial };
    this.#underWay.set(slot, underWay);
    void this.#attempt(picked, underWay);
  }

  /** Gives all of them up. */
  abort(): void {
    for (const { abort } of this.#underWay.values()) abort.abort();
  }

  /** Never rejects. */
  async #attempt({ slot, group, ticket }: PickedUp, underWay: UnderWay): Promise<void> {
    const { options: parts, table } = this.#floor;
    const {
      trial,
      abort: { signal },
    } = underWay;
    const message = table.message(slot);
    let { transport } = trial;
    let reader: WatchedReader | undefined;
    let report: AttemptReport;
    try {
      reader = new WatchedReader(parts.spool.open(message.id));
      const attempt = this.#attemptOf(message, underWay, reader);
      ({ transport } = attempt);
      if (attempt.source !== undefined) underWay.source = attempt.source;
      report = await parts.deliverer.attempt(attempt, signal);
    } catch (error) {
      this.#floor.logError(message, error, 'an attempt broke off');
      report = brokenReport(error);
    }
    this.#underWay.delete(slot);
    ticket.release();
    const verdict = parts.judge(report);
    if (this.#floor.isStopped || (signal.aborted && verdict === 'deferred')) {
      // Given up: it is in the spool as it was before.
      table.setStage(slot, Stage.Finishing);
      if (verdict === 'delivered') await this.#removeLate(message);
    } else {
      this.finishing++;
      if (reader?.damage !== undefined) await this.#endings.holdDamaged(slot, reader.damage);
      else await this.#endings.finishAttempt(slot, transport, trial.options, report, trial.context, group);
      this.finishing--;
    }
    this.#floor.planTurn();
    this.#floor.settle();
  }

  /** Delivered after the queue has stopped waiting for it: it must not come again at the next start, if that can still be had. */
  async #removeLate(message: QueuedMessage): Promise<void> {
    try {
      await this.#floor.options.spool.remove(message.id);
    } catch (error) {
      this.#floor.logError(message, error, 'a delivered message stays in the spool and may come twice');
    }
  }

  /** All that is decided at pick-up: the source, and with it the settings of the destination. */
  #attemptOf(message: QueuedMessage, underWay: UnderWay, reader: MessageReader): Attempt {
    const parts = this.#floor.options;
    const { options, transport, destination } = underWay.trial;
    const wish = {
      sources: sourcesOf(transport, options),
      takesFirst: options.takesFirstSource ?? false,
      isNonlocal: options.isSourceNonlocal ?? false,
    };
    const chosen = this.#turns.choose(wish, destination.addresses);
    if (chosen === undefined) throw new Error('a message was picked up that no address may send');
    const { source, addresses } = chosen;
    const localip = source[familyOf(addresses[0]!.ip)]?.ip ?? '';
    const facts = { ...factsOf(message, options, destination), localip };
    return {
      id: message.id,
      // As it was received, whatever Try puts in its place: what its parameters ask of every hop stays asked.
      sender: message.sender,
      saslUsername: message.saslUsername,
      recipient: options.recipient ?? message.recipient,
      transport: parts.settings?.(transport, facts, message.stageKey) ?? transport,
      options,
      destination: addresses === destination.addresses ? destination : { ...destination, addresses },
      source,
      dsn: { ...message.dsn, ...options.dsn },
      ageSeconds: Math.max(0, this.#floor.now() - message.ts),
      message: reader,
      onConnection: (connection) => {
        underWay.connection = connection;
      },
    };
  }
}
