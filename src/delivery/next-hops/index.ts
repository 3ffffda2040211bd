// The door: next hops for queued mail.

import { isIPv6 } from 'node:net';
import type { Address, TryOptions } from '#hooks';
import type { Clock } from '../clock.js';
import type { Attempt, Destination, Transport, Turn } from '../deliverer.js';
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

/** Older answers are asked for again before they are used. */
const OLD_MS = 10 * 60 * 1000;
const MINUTE_MS = 60 * 1000;

/** Finds where messages go. */
export class NextHops {
  readonly #names: Names;
  readonly #own: OwnHosts;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #random: () => number;

  constructor({ names = () => systemNames, own = nobody, clock, random = Math.random }: NextHopsOptions) {
    this.#names = rememberingFailures(names, clock);
    this.#own = own;
    this.#clock = clock;
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
    const found = await findDestination(route, { names: this.#names, own: this.#own, choice });
    if (!('addresses' in found)) return found;
    const now = this.#clock.nowMs();
    // To the minute: the queue keeps equal destinations of many messages once.
    return { ...found, foundAtMs: now - (now % MINUTE_MS) };
  }

  /**
   * The destination of an attempt as it is now. One that was found long ago is looked up again (for as long as they hold the
   * resolver knows the answers); a domain that takes no mail any more is told. While nobody can say anything, what was found
   * before is good enough. Addresses of a family that was not among them are left out: the attempt has no source for it.
   */
  async current({
    id,
    transport,
    recipient,
    options,
    destination,
  }: Pick<Attempt, 'id' | 'transport' | 'recipient' | 'options' | 'destination'>): Promise<
    Destination | Ending
  > {
    const { foundAtMs } = destination;
    if (foundAtMs === undefined || this.#clock.nowMs() - foundAtMs < OLD_MS) return destination;
    const found = await this.find(transport, recipient, options, { seed: id.transaction, retry: 0 });
    if (!('addresses' in found)) return found.error?.temporary === false ? found : destination;
    const families = new Set(destination.addresses.map(({ ip }) => isIPv6(ip)));
    const addresses = found.addresses.filter(({ ip }) => families.has(isIPv6(ip)));
    return addresses.length === 0 ? destination : { ...found, remoteMx: addresses[0]!.remoteMx, addresses };
  }
}
