// Delivery for several configurations at once. A transport belongs to the configuration it was read from: its attempts are made
// with that one's keys, authorities and resolver, on connections that no other configuration uses.

import type { Address, AttemptReport, TryOptions } from '#hooks';
import type { Attempt, Deliverer, Destination, Transport, Turn } from '../delivery/deliverer.js';

type Attempts = Pick<Deliverer, 'resolve' | 'attempt'>;

/** The normal deliverer, and others for the transports of staged configurations. */
export class Deliverers implements Attempts {
  readonly #normal: Attempts;
  /** Held by its transports only, so that it goes with the last attempt. */
  readonly #others = new WeakMap<Transport, Attempts>();

  constructor(normal: Attempts) {
    this.#normal = normal;
  }

  /** Has a deliverer of their own make the attempts of these transports. */
  assign(transports: Iterable<Transport>, deliverer: Attempts): void {
    for (const transport of transports) this.#others.set(transport, deliverer);
  }

  resolve(
    transport: Transport,
    recipient: Address,
    options: TryOptions,
    turn?: Turn,
  ): Promise<Destination | AttemptReport> {
    return this.#of(transport).resolve(transport, recipient, options, turn);
  }

  attempt(attempt: Attempt, signal: AbortSignal): Promise<AttemptReport> {
    return this.#of(attempt.transport).attempt(attempt, signal);
  }

  #of(transport: Transport): Attempts {
    return this.#others.get(transport.base ?? transport) ?? this.#normal;
  }
}
