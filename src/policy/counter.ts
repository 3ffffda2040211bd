// One counter: what one entry of a policy (say, one remotemx) has in flight. It is an obstacle to others while it is full.

import type { Thresholds } from './policy-config.js';

/** What keeps a message from being picked up. The policy tells when it may be gone (`PickupPolicy.onRoom`). */
export interface Obstacle {
  /** True when one more could pass now. */
  hasRoom(): boolean;
  /** What it is, for the operator. */
  readonly facts?: ObstacleFacts | undefined;
}

/** An obstacle in words. */
export interface ObstacleFacts {
  /** The threshold that is reached. */
  readonly threshold: 'concurrency';
  /** The entry: fields of the policy with their values. */
  readonly entry: Readonly<Record<string, string>>;
  readonly used: number;
  readonly limit: number;
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

  get facts(): ObstacleFacts {
    return { threshold: 'concurrency', entry: entryOf(this.key), used: this.#used, limit: this.#limit };
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

/** The fields and values of a key: the names in one line, and in the next each value with its length before it. */
function entryOf(key: string): Readonly<Record<string, string>> {
  const end = key.indexOf('\n');
  const entry: Record<string, string> = {};
  let at = end + 1;
  for (const field of key.slice(0, end).split(' ')) {
    const colon = key.indexOf(':', at);
    const length = Number(key.slice(at, colon));
    entry[field] = key.slice(colon + 1, colon + 1 + length);
    at = colon + 2 + length;
  }
  return entry;
}
