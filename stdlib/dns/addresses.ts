// IP addresses as bytes and as names of the reverse zones.

import { isIP } from 'node:net';

/** 4 or 16 bytes; undefined when the text is no address. A scope (`%eth0`) is left out. */
export function addressBytes(text: string): readonly number[] | undefined {
  switch (isIP(text)) {
    case 4:
      return text.split('.').map(Number);
    case 6:
      return ipv6Bytes(text.replace(/%.*$/, ''));
    default:
      return undefined;
  }
}

function ipv6Bytes(text: string): number[] {
  const [head = '', tail] = text.split('::');
  const before = groupBytes(head);
  if (tail === undefined) return before;
  const after = groupBytes(tail);
  return [...before, ...new Array<number>(16 - before.length - after.length).fill(0), ...after];
}

function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

/** The shortest text of an address (RFC 5952 §4). */
export function addressText(bytes: ArrayLike<number>): string {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  const groups: number[] = [];
  for (let at = 0; at < 16; at += 2) groups.push((bytes[at]! << 8) | bytes[at + 1]!);
  const [start, length] = longestZeros(groups);
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  return length < 2 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

/** Where the first longest run of zero groups begins, and its length. */
function longestZeros(groups: readonly number[]): readonly [number, number] {
  let best: readonly [number, number] = [0, 0];
  for (let at = 0; at < groups.length; at++) {
    let end = at;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - at > best[1]) best = [at, end - at];
    at = Math.max(at, end - 1);
  }
  return best;
}

/** The 4 bytes inside `::ffff:a.b.c.d`, other addresses as they are. */
export function withoutMapping(bytes: readonly number[]): readonly number[] {
  const isMapped =
    bytes.length === 16 &&
    bytes.slice(0, 10).every((byte) => byte === 0) &&
    bytes[10] === 255 &&
    bytes[11] === 255;
  return isMapped ? bytes.slice(12) : bytes;
}

/** Octets or nibbles, last first, joined by dots: what reverse zones and lists of addresses are asked with. */
export function reversedLabels(bytes: readonly number[]): string {
  const parts = bytes.length === 4 ? bytes.map(String) : nibbles(bytes);
  return [...parts].reverse().join('.');
}

/** The 32 hexadecimal digits of an IPv6 address. */
export function nibbles(bytes: readonly number[]): string[] {
  return bytes.flatMap((byte) => [(byte >> 4).toString(16), (byte & 15).toString(16)]);
}

/** The name that an address has in in-addr.arpa or ip6.arpa (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(bytes: readonly number[]): string {
  return `${reversedLabels(bytes)}.${bytes.length === 4 ? 'in-addr' : 'ip6'}.arpa`;
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(bytes: readonly number[]): boolean {
  const plain = withoutMapping(bytes);
  if (plain.length === 4) return plain[0] === 127;
  return plain.every((byte, index) => byte === (index === 15 ? 1 : 0));
}
