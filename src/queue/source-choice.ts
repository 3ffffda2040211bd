// Which address of ours a message leaves from, chosen when it is picked up and nowhere else (queue-and-config 1.4): in turns, so
// that an address listed twice gets twice the share, or, for warm-up, the first one that may be used.
//
// One is chosen for each family, from the addresses of that family, since a destination may have both and the second is what is
// left when the first does not answer. A policy that limits or suspends an address says so by `isUsable`: the message is only
// stopped when nothing is left.

import { isIPv6 } from 'node:net';
import type { SourceAddress } from '#hooks';
import type { HopAddress, SourceChoice, TransportSources } from '../delivery/deliverer.js';
import { isUsable as hasAny } from '../delivery/sources.js';

/** Lists whose turn is remembered: beyond it, they begin anew. */
const MOST_LISTS = 1000;

/** How to choose. */
export interface SourceWish {
  readonly sources: TransportSources;
  /** Not in turns: the first usable one. */
  readonly takesFirst: boolean;
  readonly isNonlocal: boolean;
}

/** Where an attempt comes from, and where it may go from there. */
export interface ChosenSource {
  readonly source: SourceChoice;
  readonly addresses: readonly HopAddress[];
}

/** Chooses source addresses and remembers whose turn it is. */
export class SourceTurns {
  /** Place in each list, which is known by its content: scripts make a new one for each message. */
  readonly #turns = new Map<string, number>();

  /** The sources for a destination, or `undefined` when none of those that it needs may be used now. */
  choose(
    { sources, takesFirst, isNonlocal }: SourceWish,
    addresses: readonly HopAddress[],
    isUsable: (source: SourceAddress) => boolean = () => true,
  ): ChosenSource | undefined {
    const source: { ipv4?: SourceAddress; ipv6?: SourceAddress } = {};
    const stopped = new Set<keyof typeof source>();
    for (const family of ['ipv4', 'ipv6'] as const) {
      const list = sources[family];
      if (typeof list === 'boolean' || !addresses.some(({ ip }) => familyOf(ip) === family)) continue;
      const chosen = this.#next(list, takesFirst, isUsable);
      if (chosen === undefined) stopped.add(family);
      else source[family] = chosen;
    }
    const reachable =
      stopped.size === 0 ? addresses : addresses.filter(({ ip }) => !stopped.has(familyOf(ip)));
    if (reachable.length === 0) return undefined;
    return { source: isNonlocal ? { ...source, isNonlocal } : source, addresses: reachable };
  }

  #next(
    list: readonly SourceAddress[],
    takesFirst: boolean,
    isUsable: (source: SourceAddress) => boolean,
  ): SourceAddress | undefined {
    // Most lists have one entry, and then nobody's turn has to be remembered.
    if (takesFirst || list.length < 2) return list.find(isUsable);
    const key = JSON.stringify(list);
    const start = this.#turns.get(key) ?? 0;
    for (let step = 0; step < list.length; step++) {
      const at = (start + step) % list.length;
      if (!isUsable(list[at]!)) continue;
      this.#remember(key, (at + 1) % list.length);
      return list[at];
    }
    return undefined;
  }

  #remember(key: string, turn: number): void {
    // Taken out and put back, so that the first of the map is the one that was not asked for longest.
    this.#turns.delete(key);
    if (this.#turns.size >= MOST_LISTS) this.#turns.delete(this.#turns.keys().next().value!);
    this.#turns.set(key, turn);
  }
}

/** The addresses of a destination that can be reached from these sources, in their order. */
export function reachableFrom(
  sources: TransportSources,
  addresses: readonly HopAddress[],
): readonly HopAddress[] {
  const { ipv4, ipv6 } = sources;
  if (hasAny(ipv4) && hasAny(ipv6)) return addresses;
  return addresses.filter(({ ip }) => hasAny(sources[familyOf(ip)]));
}

/** The family of an address. */
export function familyOf(ip: string): 'ipv4' | 'ipv6' {
  return isIPv6(ip) ? 'ipv6' : 'ipv4';
}
