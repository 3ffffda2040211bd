// Addresses of peers, and lists of networks to hold them against, read once and asked at every connection.

import { addressToBytes, isInNetwork, type Network, parseNetwork } from '#stdlib';

/** In a list of networks: clients on UNIX sockets. */
export const unixWord = 'unix';

/** Whether a setting may stand in a list of networks: an address, `address/bits`, `first-last`, or `unix`. */
export function isNetworkSetting(text: string): boolean {
  return text === unixWord || parseNetwork(text) !== undefined;
}

/** A list of networks. */
export class NetworkList {
  readonly #networks: readonly Network[];
  /** Whether clients on UNIX sockets belong to it. */
  readonly includesUnix: boolean;

  /** What is no network is left out: the configuration has been checked. */
  constructor(texts: readonly string[]) {
    this.#networks = texts.flatMap((text) => parseNetwork(text) ?? []);
    this.includesUnix = texts.includes(unixWord);
  }

  get isEmpty(): boolean {
    return this.#networks.length === 0 && !this.includesUnix;
  }

  /** Whether the address lies in one of them. */
  includes(address: string): boolean {
    if (this.#networks.length === 0) return false;
    const bytes = addressToBytes(address);
    return bytes !== undefined && this.#networks.some((network) => isInNetwork(network, bytes));
  }
}

/** IPv4 addresses without the IPv6 form that a double-stack socket shows. */
export function plainIp(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
