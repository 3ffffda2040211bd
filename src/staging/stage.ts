// One staged configuration, from its deployment to its last connection.
//
//   living ──time, cancel, another one──► ended ──last connection gone──► released
//
// While it lives it takes new connections and decides about its messages in the queue. Once it has ended it only serves the
// connections that it has; nothing but those holds it then.

import type { StageConditions, Traffic } from './traffic.js';

/** A connection that was given to a staged configuration. */
export interface StageTicket<Work> {
  readonly work: Work;
  /** The connection is over. May be called twice. */
  close(): void;
}

/** What is fixed at deployment. */
export interface StageTerms<Work> {
  /** What the caller named it; what it shows in the status. */
  readonly id: string;
  /** Its own, unlike the id: what its messages remember. */
  readonly key: string;
  readonly conditions: StageConditions;
  readonly traffic: Traffic;
  readonly work: Work;
  /** On the monotonic clock. */
  readonly startedAt: number;
}

/** A staged configuration; `Work` is what connections run on. */
export class Stage<Work> implements StageTerms<Work> {
  readonly id: string;
  readonly key: string;
  readonly conditions: StageConditions;
  readonly traffic: Traffic;
  readonly work: Work;
  readonly startedAt: number;
  readonly #onReleased: () => void;
  #connections = 0;
  #openConnections = 0;
  #hasEnded = false;

  /** `onReleased` is called once, when it has ended and its last connection is gone. */
  constructor(terms: StageTerms<Work>, onReleased: (stage: Stage<Work>) => void) {
    this.id = terms.id;
    this.key = terms.key;
    this.conditions = terms.conditions;
    this.traffic = terms.traffic;
    this.work = terms.work;
    this.startedAt = terms.startedAt;
    this.#onReleased = () => onReleased(this);
  }

  /** Connections so far. */
  get connections(): number {
    return this.#connections;
  }

  /** Connections now. */
  get openConnections(): number {
    return this.#openConnections;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** When its time is over, on the monotonic clock. */
  get endsAt(): number {
    return this.startedAt + (this.conditions.time ?? Number.POSITIVE_INFINITY);
  }

  /** It has had all the connections that it may have; it lives on for those and their messages. */
  get isFull(): boolean {
    return this.#connections >= (this.conditions.count ?? Number.POSITIVE_INFINITY);
  }

  /** Takes a connection. */
  open(): StageTicket<Work> {
    this.#connections++;
    this.#openConnections++;
    let isOpen = true;
    return {
      work: this.work,
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        this.#openConnections--;
        this.#releaseIfDone();
      },
    };
  }

  /** Takes no more connections, and its messages are no longer its own. Once. */
  end(): void {
    this.#hasEnded = true;
    this.#releaseIfDone();
  }

  #releaseIfDone(): void {
    if (this.#hasEnded && this.#openConnections === 0) this.#onReleased();
  }
}
