// Where a DNS server listens, as settings and resolv.conf write it.

import { isIP } from 'node:net';
import { addressBytes, isLoopback } from '../addresses.js';

export interface ServerAddress {
  readonly ip: string;
  readonly port: number;
}

export const DNS_PORT = 53;

/** `ip`, `ip:port`, `[ip6]` or `[ip6]:port`. @returns undefined when it is none of them; host names are not */
export function parseServerAddress(text: string): ServerAddress | undefined {
  if (isIP(text) !== 0) return { ip: text, port: DNS_PORT };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const ip = bracketed ?? plain;
  const port = digits === undefined ? DNS_PORT : Number(digits);
  if (ip === undefined || isIP(ip) === 0 || port < 1 || port > 65535) return undefined;
  if ((bracketed !== undefined) !== (isIP(ip) === 6)) return undefined;
  return { ip, port };
}

/** Whether the way to the server cannot be tampered with: it is on this machine. */
export function isLocalServer({ ip }: ServerAddress): boolean {
  return isLoopback(addressBytes(ip) ?? '');
}
