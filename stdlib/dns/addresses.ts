// What the domain name system makes of IP addresses. Addresses are byte strings here (network-values/ip-address.ts).

import { addressToBytes, reverseLabels } from '../network-values/ip-address.js';

const MAPPED = `${'\0'.repeat(10)}\xff\xff`;
const IPV6_LOOPBACK = `${'\0'.repeat(15)}\x01`;

/** The bytes of an address, whatever its zone (`%eth0`); undefined when the text is none. */
export function addressBytes(text: string): string | undefined {
  return addressToBytes(text.replace(/%.*$/, ''));
}

/** The 4 bytes inside `::ffff:a.b.c.d`, other addresses as they are. */
export function withoutMapping(bytes: string): string {
  return bytes.length === 16 && bytes.startsWith(MAPPED) ? bytes.slice(12) : bytes;
}

/** The name that an address has in in-addr.arpa or ip6.arpa (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(bytes: string): string {
  return `${reverseLabels(bytes)}.${bytes.length === 4 ? 'in-addr' : 'ip6'}.arpa`;
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(bytes: string): boolean {
  const plain = withoutMapping(bytes);
  return plain.length === 4 ? plain.startsWith('\x7f') : plain === IPV6_LOOPBACK;
}
