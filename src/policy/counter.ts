// One counter: what one entry of a policy (say, one remotemx) has in flight. It is an obstacle to others while it is full.

import type { Thresholds } from './policy-config.js';

/** What keeps a message from being picked up. The policy tells when it may be gone (`PickupPolicy.onRoom`). */
export interface Obstacle {
  /** True when one more could pass now. */
  hasRoom(): boolean;
}

/** The deliveries in flight of one entry. */
export class Counter implements Obstacle {
  /** The entry, unique over all policies. */
  readonly key: string;
  /** Groups that count here; at 0, and with nothing in flight, the counter may go. */
  groups = 0;
  #limit: number;
  #used = 0;

  constructor(key: string, thresholds: Thresholds | undefined) {
    this.key = key;
    this.#limit = limitOf(thresholds);
  }

  get used(): number {
    return this.#used;
  }

  /** New limits; what is in flight stays counted. */
  limit(thresholds: Thresholds | undefined): void {
    this.#limit = limitOf(thresholds);
  }

  hasRoom(): boolean {
    return this.#used < this.#limit;
  }

  take(): void {
    this.#used++;
  }

  giveBack(): void {
    this.#used--;
  }
}

function limitOf(thresholds: Thresholds | undefined): number {
  return thresholds?.concurrency || Number.POSITIVE_INFINITY;
}
