// IP addresses as text and as bytes: 4 or 16, most significant first, as a byte string. In that form addresses of one
// family compare as strings do, which is all that networks and ranges need.

import { isIPv4, isIPv6 } from 'node:net';

/** The bytes of an IPv4 or IPv6 address; undefined when the text is none. A zone (`%eth0`) is not part of an address. */
export function addressToBytes(text: string): string | undefined {
  if (isIPv4(text)) return quadToBytes(text);
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const lastColon = text.lastIndexOf(':');
  const quad = text.slice(lastColon + 1);
  // The last 32 bits may stand as an IPv4 address (RFC 4291 §2.2).
  const tail = quad.includes('.') ? quadToBytes(quad) : '';
  const groups = tail === '' ? text : text.slice(0, lastColon + 1);
  const [before = '', after] = groups.split('::');
  const head = groupsToBytes(before);
  const rest = (after === undefined ? '' : groupsToBytes(after)) + tail;
  return head + '\0'.repeat(16 - head.length - rest.length) + rest;
}

function quadToBytes(quad: string): string {
  return String.fromCharCode(...quad.split('.').map(Number));
}

function groupsToBytes(groups: string): string {
  let bytes = '';
  for (const group of groups.split(':')) {
    if (group === '') continue;
    const number = Number.parseInt(group, 16);
    bytes += String.fromCharCode(number >> 8, number & 255);
  }
  return bytes;
}

const MAPPED = `${'\0'.repeat(10)}\xff\xff`;

/** An address as text, IPv6 in the form of RFC 5952; undefined when the bytes are neither 4 nor 16. */
export function bytesToAddress(bytes: string): string | undefined {
  if (bytes.length === 4) return bytesToQuad(bytes);
  if (bytes.length !== 16) return undefined;
  // RFC 5952 §5: the one prefix that everybody knows to hold an IPv4 address.
  if (bytes.startsWith(MAPPED)) return `::ffff:${bytesToQuad(bytes.slice(12))}`;
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2)
    groups.push(((bytes.charCodeAt(i) << 8) | bytes.charCodeAt(i + 1)).toString(16));
  const { start, length } = longestZeros(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

function bytesToQuad(bytes: string): string {
  return Array.from(bytes, (byte) => byte.charCodeAt(0)).join('.');
}

/** The first of the longest runs of zero groups (RFC 5952 §4.2.3). */
function longestZeros(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== '0') start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}

/** The labels of an address in a reverse zone, host part first, without the zone (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseLabels(bytes: string): string {
  const labels: string[] = [];
  for (let i = bytes.length - 1; i >= 0; i--) {
    const byte = bytes.charCodeAt(i);
    if (bytes.length === 4) labels.push(String(byte));
    else labels.push((byte & 15).toString(16), (byte >> 4).toString(16));
  }
  return labels.join('.');
}
