// The door: next hops for queued mail.

import type { Address, TryOptions } from '#hooks';
import type { Clock } from '../clock.js';
import type { Destination, Transport, Turn } from '../deliverer.js';
import type { Ending } from '../failure.js';
import { sourceFamilies } from '../sources.js';
import { chosenAtRandom, chosenBySeed } from './choice.js';
import { findDestination } from './find-destination.js';
import { type Names, systemNames } from './names.js';
import { nobody, type OwnHosts } from './own-hosts.js';
import { rememberingFailures } from './remembered-failures.js';
import { routeOf } from './route.js';

/** What the search works with; what is absent is the machine's own. */
export interface NextHopsOptions {
  readonly names?: (() => Names) | undefined;
  readonly own?: OwnHosts | undefined;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly random?: () => number;
}

/** Finds where messages go. */
export class NextHops {
  readonly #names: Names;
  readonly #own: OwnHosts;
  readonly #random: () => number;

  constructor({ names = () => systemNames, own = nobody, clock, random = Math.random }: NextHopsOptions) {
    this.#names = rememberingFailures(names, clock);
    this.#own = own;
    this.#random = random;
  }

  /** The next hop of a message for `recipient`, or why there is none. */
  async find(
    transport: Transport,
    recipient: Address,
    options: TryOptions,
    turn?: Turn,
  ): Promise<Destination | Ending> {
    const route = routeOf(transport, options, recipient.domain, sourceFamilies(transport, options));
    if (!('port' in route)) return route;
    const choice = turn === undefined ? chosenAtRandom(this.#random) : chosenBySeed(turn.seed, turn.retry);
    return findDestination(route, { names: this.#names, own: this.#own, choice });
  }
}
