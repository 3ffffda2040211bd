// Who may come in: how many connections there are, of whom, and how fast new ones come. Asked for every connection that is
// accepted, so it must be cheap under a flood and must not grow with it.
//
// An IPv6 client usually has a whole /64 to choose addresses from, so what is counted for one address is counted for its
// /64. A client that lies in one of the listed networks is judged by that entry alone, so that friends can be let in
// without limit and others held shorter.
//
// Limits are given with every question: connections of two configurations may be counted side by side.

import { addressToBytes, isInNetwork, type Network, parseNetwork } from '#stdlib';

/** Limits for the clients of one network; 0 = no limit. */
export interface NetworkLimit {
  readonly network: string;
  /** For all of it together. */
  readonly connections: number;
  readonly connectionsPerIp: number;
}

/** So many new connections in so many seconds. */
export interface ConnectionRate {
  readonly count: number;
  readonly seconds: number;
}

/** How many may come; 0 = no limit. */
export interface AdmissionLimits {
  readonly connections: number;
  readonly connectionsPerIp: number;
  /** For each /24 of IPv4 and each /64 of IPv6. */
  readonly connectionsPerNetwork: number;
  /** The first that a client lies in holds for it, instead of the two above and the rate. */
  readonly networks: readonly NetworkLimit[];
  /** Of new connections from one address. */
  readonly ratePerIp?: ConnectionRate | undefined;
}

/** Which limit a client has met. */
export type Refusal = 'total' | 'ip' | 'network' | 'rate';

/** Addresses whose rate is remembered; beyond that the oldest is forgotten. */
const mostRates = 100_000;

/** A listed network and how many connections come from it. */
interface Watched {
  readonly bounds: Network;
  count: number;
}

/** The counts of one server. */
export class Admission {
  #count = 0;
  readonly #byAddress = new Map<string, number>();
  readonly #byPrefix = new Map<string, number>();
  /** By the text of the network. */
  readonly #watched = new Map<string, Watched>();
  /** By client: when, on the monotonic clock, its allowance will be whole again. */
  readonly #rates = new Map<string, number>();

  /** Connections at the moment. */
  get count(): number {
    return this.#count;
  }

  /** Counts a client in, or says which limit it has met. `now` is on the monotonic clock. */
  admit(ip: string, limits: AdmissionLimits, now: number): Refusal | undefined {
    const refusal = this.#refusal(ip, limits, now);
    if (refusal === undefined) this.#change(ip, 1);
    return refusal;
  }

  /** Counts a client out. */
  release(ip: string): void {
    this.#change(ip, -1);
  }

  /** Connections from an address or a network; undefined when the text is neither. */
  countOf(addressOrNetwork: string): number | undefined {
    const bounds = parseNetwork(addressOrNetwork);
    return bounds === undefined
      ? undefined
      : (this.#byAddress.get(addressOrNetwork) ?? this.#countIn(bounds));
  }

  /** Forgets what no longer matters; called now and then. */
  sweep(now: number): void {
    for (const [client, wholeAt] of this.#rates) if (wholeAt <= now) this.#rates.delete(client);
  }

  /** Other limits from now on: networks are watched anew. */
  reconfigured(): void {
    this.#watched.clear();
  }

  #refusal(ip: string, limits: AdmissionLimits, now: number): Refusal | undefined {
    if (limits.connections > 0 && this.#count >= limits.connections) return 'total';
    const prefix = prefixOf(ip);
    const own = this.#limitFor(ip, limits.networks);
    const perIp = own?.connectionsPerIp ?? limits.connectionsPerIp;
    if (perIp > 0 && this.#countOfClient(ip, prefix) >= perIp) return 'ip';
    const inNetwork = own === undefined ? this.#byPrefix.get(prefix) : this.#watch(own.network).count;
    const perNetwork = own?.connections ?? limits.connectionsPerNetwork;
    if (perNetwork > 0 && (inNetwork ?? 0) >= perNetwork) return 'network';
    const { ratePerIp } = limits;
    if (own !== undefined || ratePerIp === undefined) return undefined;
    return this.#isTooSoon(isIPv6(ip) ? prefix : ip, ratePerIp, now) ? 'rate' : undefined;
  }

  #countOfClient(ip: string, prefix: string): number {
    return (isIPv6(ip) ? this.#byPrefix.get(prefix) : this.#byAddress.get(ip)) ?? 0;
  }

  #limitFor(ip: string, limits: readonly NetworkLimit[]): NetworkLimit | undefined {
    if (limits.length === 0) return undefined;
    const bytes = addressToBytes(ip);
    if (bytes === undefined) return undefined;
    return limits.find(({ network }) => isInNetwork(this.#watch(network).bounds, bytes));
  }

  /**
   * A bucket of `count` that fills in `seconds`, as one number: the time at which it is full again (GCRA). @returns
   * whether it is empty, else takes one out
   */
  #isTooSoon(client: string, { count, seconds }: ConnectionRate, now: number): boolean {
    const each = seconds / count;
    const fullAt = Math.max(this.#rates.get(client) ?? 0, now) + each;
    // A hair's breadth, so that sums of fractions do not make the last of the allowed ones too many.
    if (fullAt > now + seconds + each / 1000) return true;
    this.#rates.delete(client); // what is renewed goes to the end: the first ones are the oldest
    if (this.#rates.size >= mostRates) this.#rates.delete(this.#rates.keys().next().value!);
    this.#rates.set(client, fullAt);
    return false;
  }

  #watch(network: string): Watched {
    let watched = this.#watched.get(network);
    if (watched === undefined) {
      // The configuration has been checked; what is no network at all has nobody in it.
      const bounds = parseNetwork(network) ?? { first: '', last: '' };
      watched = { bounds, count: this.#countIn(bounds) };
      this.#watched.set(network, watched);
    }
    return watched;
  }

  #countIn(bounds: Network): number {
    let total = 0;
    for (const [ip, count] of this.#byAddress) {
      const bytes = addressToBytes(ip);
      if (bytes !== undefined && isInNetwork(bounds, bytes)) total += count;
    }
    return total;
  }

  #change(ip: string, by: 1 | -1): void {
    this.#count += by;
    add(this.#byAddress, ip, by);
    add(this.#byPrefix, prefixOf(ip), by);
    if (this.#watched.size === 0) return;
    const bytes = addressToBytes(ip);
    if (bytes === undefined) return;
    for (const watched of this.#watched.values()) if (isInNetwork(watched.bounds, bytes)) watched.count += by;
  }
}

function isIPv6(ip: string): boolean {
  return ip.includes(':');
}

/** The /24 or the /64 of an address, as a key. */
function prefixOf(ip: string): string {
  if (isIPv6(ip)) return `/64 ${addressToBytes(ip)?.slice(0, 8) ?? ip}`;
  return ip.slice(0, ip.lastIndexOf('.'));
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count <= 0) counts.delete(key);
  else counts.set(key, count);
}
