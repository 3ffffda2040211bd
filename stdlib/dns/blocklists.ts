// DNSxL: an address asked for in a list's zone (RFC 5782).

import { addressBytes, reversedLabels } from './addresses.js';

/** The name to ask for; undefined when `ip` is no address. */
export function listedName(ip: string, zone: string): string | undefined {
  const bytes = addressBytes(ip);
  return bytes === undefined ? undefined : `${reversedLabels(bytes)}.${zone.replace(/^\./, '')}`;
}
