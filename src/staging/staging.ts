// Live staging (queue-and-config 9.1): a second running configuration for a part of the traffic. Here is which connections it
// gets and how long it lives; what a configuration is made of comes from the daemon (staged-configuration.ts), and who may
// deploy one is the affair of whoever calls.
//
// There is at most one that lives. Deployments are carried out one after another, each wholly or not at all: while one is being
// read and compiled the former goes on, and if it is refused the former stays.

import type { Logger } from '../log/logger.js';
import { Stage, type StageTicket } from './stage.js';
import { type StageStatus, statusOf } from './status.js';
import { type ConnectionOrigin, readTraffic, type StageConditions } from './traffic.js';

/** A configuration to be staged. */
export interface Deployment {
  /** A name for people; it may be used again. */
  readonly id: string;
  /** The whole smtpd-app.yaml. */
  readonly config: string;
  readonly conditions?: StageConditions;
  /** Ends with this: `connectionbound` gives the signal of the control connection that deploys. */
  readonly boundTo?: AbortSignal;
}

/** What came of a deployment. */
export type DeployResult =
  | { readonly kind: 'deployed'; readonly warnings: string }
  /** For a person, with file, line and column. Nothing has changed. */
  | { readonly kind: 'refused'; readonly problems: string };

/** A configuration that connections can run on. */
export interface StagedWork {
  /** It has ended. What still runs on it goes on. */
  close(): Promise<void>;
}

/** A deployment read, checked and compiled, or what is wrong with it. */
export type Preparation<Work> =
  | { readonly kind: 'ready'; readonly work: Work; readonly warnings: string }
  | { readonly kind: 'refused'; readonly problems: string };

/** What staging works with. */
export interface StagingParts<Work extends StagedWork> {
  /** Seconds that only go forward. */
  readonly now: () => number;
  /** Calls once after so many seconds, unless the result is called before. It may be early. */
  readonly after: (seconds: number, call: () => void) => () => void;
  /** 0 to below 1. */
  readonly random: () => number;
  /** A new key of a staged configuration. */
  readonly newKey: () => string;
  /** The servers that may be named in conditions. */
  readonly serverIds: readonly string[];
  /** Reads a configuration as a reload does. */
  readonly prepare: (deployment: Deployment, key: string) => Promise<Preparation<Work>>;
  /** Another one lives now, or none. */
  readonly onLiving: (work: Work | undefined) => void;
  /** Messages that remember this key are no longer decided about by what was staged. */
  readonly onEnded: (key: string) => void;
  readonly log: Pick<Logger, 'info' | 'error'>;
}

/** The longest name: it is shown in one line. */
const LONGEST_ID = 200;

/** Staged configurations: the one that lives, and those whose connections are not over yet. */
export class Staging<Work extends StagedWork> {
  readonly #parts: StagingParts<Work>;
  #living: Stage<Work> | undefined;
  /** Takes the living one's timer and signal away. */
  #disarm: () => void = () => {};
  readonly #ended = new Set<Stage<Work>>();
  readonly #closing = new Set<Promise<void>>();
  /** Settles when the deployments so far are through. */
  #lastDeployment: Promise<unknown> = Promise.resolve();
  /** Deployments that wait or are being compiled know by it that they were cancelled. */
  #cancellations = 0;
  #isClosed = false;

  constructor(parts: StagingParts<Work>) {
    this.#parts = parts;
  }

  /** What lives. */
  get living(): Work | undefined {
    return this.#stillLiving()?.work;
  }

  /** Ended ones that still have connections. */
  get endedWithConnections(): number {
    return this.#ended.size;
  }

  /** Stages a configuration in the place of the former. Rejects only for a mistake of ours. */
  deploy(deployment: Deployment): Promise<DeployResult> {
    const cancellations = this.#cancellations;
    const deployed = this.#lastDeployment.then(() => this.#deploy(deployment, cancellations));
    this.#lastDeployment = deployed.catch(() => {});
    return deployed;
  }

  /** How the living one does; undefined when there is none. */
  status(): StageStatus | undefined {
    const stage = this.#stillLiving();
    return stage === undefined ? undefined : statusOf(stage, this.#parts.now());
  }

  /** Ends the living one, and what is still being deployed. @returns whether one lived */
  cancel(reason = 'it was cancelled'): boolean {
    this.#cancellations++;
    const stage = this.#stillLiving();
    if (stage !== undefined) this.#endWithoutSuccessor(stage, reason);
    return stage !== undefined;
  }

  /** Decides about a new connection, once: the ticket of the staged configuration that it runs under, to its end. */
  choose(connection: ConnectionOrigin): StageTicket<Work> | undefined {
    const stage = this.#stillLiving();
    if (stage === undefined || stage.isFull || !stage.traffic(connection)) return undefined;
    const { probability } = stage.conditions;
    if (probability !== undefined && this.#parts.random() >= probability) return undefined;
    return stage.open();
  }

  /** What decides about a message that came by the staged configuration of that key; undefined when that lives no more. */
  workOf(key: string | undefined): Work | undefined {
    if (key === undefined || this.#living?.key !== key) return undefined;
    return this.#stillLiving()?.work;
  }

  /** Ends everything; resolves when what was ended is closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.cancel('the server stops');
    await this.#lastDeployment;
    await Promise.all(this.#closing);
  }

  async #deploy(deployment: Deployment, cancellations: number): Promise<DeployResult> {
    const { id, conditions = {}, boundTo } = deployment;
    const { serverIds, newKey, prepare, log } = this.#parts;
    const badId = problemOfId(id);
    const read = readTraffic(conditions, serverIds);
    const problems = [...(badId === undefined ? [] : [badId]), ...('problems' in read ? read.problems : [])];
    if (problems.length > 0 || !('traffic' in read)) return refused(problems.join('\n'));

    const key = newKey();
    const prepared = await prepare(deployment, key);
    if (prepared.kind === 'refused') return prepared;
    const { work, warnings } = prepared;
    if (this.#isClosed || cancellations !== this.#cancellations || boundTo?.aborted === true) {
      this.#close(work);
      const why = boundTo?.aborted === true ? 'its control connection was closed' : 'it was cancelled';
      return refused(`the staged configuration ${JSON.stringify(id)} did not begin: ${why} before`);
    }
    const former = this.#stillLiving();
    if (former !== undefined) this.#end(former, `${JSON.stringify(id)} takes its place`);
    this.#begin(
      new Stage({ id, key, conditions, traffic: read.traffic, work, startedAt: this.#parts.now() }, (stage) =>
        this.#released(stage),
      ),
      boundTo,
    );
    this.#parts.onLiving(work);
    log.info({ stage: id, key, conditions }, 'a staged configuration takes connections');
    return { kind: 'deployed', warnings };
  }

  #begin(stage: Stage<Work>, boundTo: AbortSignal | undefined): void {
    this.#living = stage;
    let stopTimer = () => {};
    const { time } = stage.conditions;
    // A timer may be early, or shorter than was asked for: it only makes sure that somebody looks.
    const look = () => {
      if (this.#stillLiving() === stage) setTimer();
    };
    const setTimer = () => {
      stopTimer = this.#parts.after(Math.max(0, stage.endsAt - this.#parts.now()), look);
    };
    if (time !== undefined) setTimer();
    const onAbort = () =>
      this.#endWithoutSuccessor(stage, 'the control connection that deployed it is closed');
    boundTo?.addEventListener('abort', onAbort, { once: true });
    this.#disarm = () => {
      stopTimer();
      boundTo?.removeEventListener('abort', onAbort);
    };
  }

  /** The living one, unless its time is over: nobody depends on when a timer comes. */
  #stillLiving(): Stage<Work> | undefined {
    const stage = this.#living;
    if (stage === undefined || this.#parts.now() < stage.endsAt) return stage;
    this.#endWithoutSuccessor(stage, 'its time is over');
    return undefined;
  }

  #endWithoutSuccessor(stage: Stage<Work>, reason: string): void {
    this.#end(stage, reason);
    this.#parts.onLiving(undefined);
  }

  #end(stage: Stage<Work>, reason: string): void {
    this.#disarm();
    this.#disarm = () => {};
    this.#living = undefined;
    this.#ended.add(stage);
    const { id, key, connections, openConnections } = stage;
    this.#parts.log.info(
      { stage: id, key, reason, connections, open: openConnections },
      'a staged configuration has ended',
    );
    stage.end();
    this.#close(stage.work);
    this.#parts.onEnded(key);
  }

  #released(stage: Stage<Work>): void {
    this.#ended.delete(stage);
  }

  #close(work: Work): void {
    const closing = work
      .close()
      .catch((error: unknown) => {
        this.#parts.log.error({ err: error }, 'a staged configuration was not closed');
      })
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

function refused(problems: string): DeployResult {
  return { kind: 'refused', problems };
}

function problemOfId(id: string): string | undefined {
  if (id.length > 0 && id.length <= LONGEST_ID && !/[\x00-\x1f\x7f]/.test(id)) return undefined;
  return `id: found ${JSON.stringify(id.slice(0, 60))}; expected a name of 1 to ${LONGEST_ID} characters, none of them a control character`;
}
