// DNSxL: an address asked for in a list's zone (RFC 5782).

import { reverseLabels } from '../network-values/ip-address.js';
import { addressBytes } from './addresses.js';

/** The name to ask for; undefined when `ip` is no address. */
export function listedName(ip: string, zone: string): string | undefined {
  const bytes = addressBytes(ip);
  return bytes === undefined ? undefined : `${reverseLabels(bytes)}.${zone.replace(/^\./, '')}`;
}
