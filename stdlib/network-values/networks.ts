// Networks as scripts write them: one address, `address/bits`, or a range `first-last`.

import { addressToBytes } from './ip-address.js';

/**
 * Whether the address lies in the network; undefined when one of the texts is wrong. Host bits of `address/bits` do not
 * matter, both ends of a range belong to it, and no IPv4 address lies in an IPv6 network or the other way round.
 */
export function networkIncludes(network: string, address: string): boolean | undefined {
  const bytes = addressToBytes(address);
  if (bytes === undefined) return undefined;
  const range = parseNetwork(network);
  return range === undefined ? undefined : isInNetwork(range, bytes);
}

/** A network, ready to be asked about many addresses: its ends as bytes, both part of it. */
export interface Network {
  readonly first: string;
  readonly last: string;
}

/** Whether an address (as `addressToBytes` has it) lies in a network. */
export function isInNetwork({ first, last }: Network, bytes: string): boolean {
  return bytes.length === first.length && bytes >= first && bytes <= last;
}

/** Reads a network as scripts and settings write it; undefined when the text is none. */
export function parseNetwork(network: string): Network | undefined {
  const slash = network.indexOf('/');
  if (slash !== -1) return prefixBounds(network.slice(0, slash), network.slice(slash + 1));
  const dash = network.indexOf('-');
  const first = addressToBytes(dash === -1 ? network : network.slice(0, dash));
  if (first === undefined) return undefined;
  if (dash === -1) return { first, last: first };
  const last = addressToBytes(network.slice(dash + 1));
  // The wrong way round is more likely a slip than a wish for an empty range.
  return last === undefined || last.length !== first.length || last < first ? undefined : { first, last };
}

function prefixBounds(address: string, length: string): Network | undefined {
  const bytes = addressToBytes(address);
  if (bytes === undefined || !/^\d{1,3}$/.test(length)) return undefined;
  const bits = Number(length);
  if (bits > bytes.length * 8) return undefined;
  let first = '';
  let last = '';
  for (let i = 0; i < bytes.length; i++) {
    const hostBits = Math.min(8, Math.max(0, (i + 1) * 8 - bits));
    const hostMask = (1 << hostBits) - 1;
    const byte = bytes.charCodeAt(i);
    first += String.fromCharCode(byte & ~hostMask);
    last += String.fromCharCode(byte | hostMask);
  }
  return { first, last };
}
