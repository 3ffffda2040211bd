// From due to ACTIVE: the predelivery hook decides, and the next hop is looked up. Both happen before a message may be picked up,
// so that the policies know where it would go (queue-and-config 1.2).

import type { AttemptReport, PredeliveryOutcome, QueueOptions, TryOptions } from '#hooks';
import type { Destination, Transport, TransportSources } from '../delivery/deliverer.js';
import { sourcesOf } from '../delivery/sources.js';
import type { QueuedMessage } from '../spool/spool.js';
import { decideQueue, expectationOfEnd } from './decision.js';
import { brokenReport, type Endings } from './endings.js';
import type { QueueFloor } from './floor.js';
import type { Notices } from './notices.js';
import { SharedDestinations } from './shared-destinations.js';
import { reachableFrom } from './source-choice.js';
import { Stage } from './table/message-table.js';
import { factsOf, type Trial } from './trial.js';

/** Prepares messages for their attempts. */
export class Preparation {
  readonly #floor: QueueFloor;
  readonly #endings: Endings;
  readonly #notices: Notices;
  readonly #ready: (slot: number, trial: Trial) => void;
  readonly #destinations = new SharedDestinations();
  /** Messages in it. */
  count = 0;
  /** Those of them whose next hop is being looked up. */
  resolving = 0;

  /** `ready` takes a message that may be picked up. */
  constructor(
    floor: QueueFloor,
    endings: Endings,
    notices: Notices,
    ready: (slot: number, trial: Trial) => void,
  ) {
    this.#floor = floor;
    this.#endings = endings;
    this.#notices = notices;
    this.#ready = ready;
  }

  /** Begins with a message that is due. */
  begin(slot: number): void {
    this.#floor.table.setStage(slot, Stage.Preparing);
    this.count++;
    void this.#prepare(slot).finally(() => {
      this.count--;
      this.#floor.planTurn();
      this.#floor.settle();
    });
  }

  /** Never rejects. */
  async #prepare(slot: number): Promise<unknown> {
    const { table, options } = this.#floor;
    const message = table.message(slot);
    if (this.#notices.hasToldEnd(message)) return this.#endings.finishBroken(slot);
    const outcome = await this.#askPredelivery(message);
    if (this.#floor.isStopped) return;
    this.#floor.takeMetadata(slot, outcome.metadata);
    const transport = options.transport(message.transportId, message.stageKey);
    switch (outcome.kind) {
      case 'Queue':
        return this.#queue(slot, outcome.options, message, transport, outcome.options.reason ?? '');
      case 'Bounce':
      case 'Delete': {
        const dsn = outcome.kind === 'Bounce' ? outcome.dsn : outcome.notice;
        const expectation = expectationOfEnd(outcome.kind, message, transport, dsn);
        const reason = outcome.reason ?? `${outcome.kind}() in predelivery`;
        const context = 'context' in outcome ? outcome.context : null;
        return this.#endings.finish(slot, {
          message,
          expectation,
          reason,
          context,
          ...(dsn && { notice: dsn }),
          ...(transport && { transport }),
        });
      }
      case 'Try': {
        const { notice, context } = outcome;
        const wish = notice === undefined ? outcome.options : { ...outcome.options, notice };
        return transport === undefined
          ? this.#failWithoutTransport(slot, message, wish, context)
          : this.#resolve(slot, message, transport, wish, context);
      }
      default:
        return assertNever(outcome);
    }
  }

  /** How many are still in the hook, or in their look-up, decides who may come next. */
  #look(change: 1 | -1): void {
    this.resolving += change;
    this.#floor.planTurn();
    this.#floor.settle();
  }

  async #askPredelivery(message: QueuedMessage): Promise<PredeliveryOutcome> {
    try {
      return await this.#floor.options.hooks.predelivery(message);
    } catch (error) {
      this.#floor.logError(message, error, 'predelivery failed, trying in 300 s');
      return { kind: 'Queue', options: waitUncounted('predelivery script error') };
    }
  }

  #queue(
    slot: number,
    options: QueueOptions,
    message: QueuedMessage,
    transport: Transport | undefined,
    reason: string,
  ): Promise<unknown> {
    const decision = decideQueue(options, message, transport, reason, {
      now: this.#floor.now(),
      transportOf: (id) => this.#floor.options.transport(id, message.stageKey),
    });
    return this.#endings.carryOut(slot, decision, { message, reason, ...(transport && { transport }) });
  }

  /**
   * A transport that a reload took away, or that a staged configuration had: a slip of ours and so temporary, like an attempt that
   * failed. When its retries are used up the message goes on hold (decision.ts).
   */
  #failWithoutTransport(
    slot: number,
    message: QueuedMessage,
    options: TryOptions,
    context: unknown,
  ): Promise<unknown> {
    const text = `the transport "${message.transportId}" is not configured`;
    this.#floor.logError(message, undefined, text);
    const report: AttemptReport = {
      error: { temporary: true, type: 'config', message: text },
      durationSeconds: 0,
    };
    return this.#endings.finishAttempt(slot, undefined, options, report, context, undefined);
  }

  async #resolve(
    slot: number,
    message: QueuedMessage,
    transport: Transport,
    options: TryOptions,
    context: unknown,
  ): Promise<unknown> {
    const recipient = options.recipient ?? message.recipient;
    let found: Destination | AttemptReport;
    this.#look(1);
    try {
      found = await this.#floor.options.deliverer.resolve(transport, recipient, options, {
        seed: message.id.transaction,
        retry: message.retry,
      });
    } catch (error) {
      found = brokenReport(error);
    } finally {
      this.#look(-1);
    }
    if (this.#floor.isStopped) return;
    if ('remoteMx' in found) found = reachable(found, sourcesOf(transport, options));
    if (!('remoteMx' in found)) {
      const { settings } = this.#floor.options;
      const facts = { ...factsOf(message, options, undefined), localip: '' };
      const known = settings?.(transport, facts, message.stageKey) ?? transport;
      return this.#endings.finishAttempt(slot, known, options, found, context, undefined);
    }
    // Wanted by an operator meanwhile: what was found may no longer be what is wanted.
    if (this.#floor.claim(slot, false)) return;
    this.#ready(slot, { options, context, transport, destination: this.#destinations.share(found) });
  }
}

/** The next hop with the addresses that we can send to. Those of the other family are not asked for: this is a second look. */
function reachable(found: Destination, sources: TransportSources): Destination | AttemptReport {
  const addresses = reachableFrom(sources, found.addresses);
  if (addresses.length === found.addresses.length) return found;
  const [first] = addresses;
  if (first !== undefined) return { ...found, remoteMx: first.remoteMx, addresses };
  const message = `${found.remoteMx} has no address of a family that we send from`;
  return { error: { temporary: true, type: 'dns', dns: 'ipfamily', message }, durationSeconds: 0 };
}

/** A wait that says nothing about the message. */
function waitUncounted(reason: string): QueueOptions {
  return { hold: false, delaySeconds: 300, incrementRetry: false, resetRetry: false, reason };
}

function assertNever(value: never): never {
  throw new Error(`unknown ${JSON.stringify(value)}`);
}
