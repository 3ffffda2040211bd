// The trace field that every received message gets on top (RFC 5321 §4.4, hooks 9). It is written before the first byte
// of the message and belongs to what scripts see and sign. Recipients are never named in it.

import { isIPv6 } from 'node:net';

/** What the field tells. */
export interface Reception {
  /** As said in HELO or EHLO, or by a script; undefined when the client did not greet. */
  readonly helo: string | undefined;
  readonly remotePtr: string | undefined;
  readonly remoteIp: string;
  readonly hostname: string;
  /** RFC 3848: SMTP after HELO, ESMTP after EHLO. */
  readonly protocol: 'SMTP' | 'ESMTP';
  readonly transactionId: string;
  readonly unixSeconds: number;
}

/** The whole field with its line ends. */
export function receivedField(reception: Reception): string {
  const { helo, remotePtr, remoteIp, hostname, protocol, transactionId, unixSeconds } = reception;
  const literal = isIPv6(remoteIp) ? `IPv6:${remoteIp}` : remoteIp;
  return (
    `Received: from ${safeWord(helo ?? 'unknown')} (${safeWord(remotePtr ?? 'unknown')} [${literal}])\r\n` +
    `\tby ${hostname} with ${protocol}\r\n` +
    `\tid ${transactionId}; ${dateText(unixSeconds)}\r\n`
  );
}

/** A name from the network as one word of the field: what could end a comment or a line goes. */
function safeWord(name: string): string {
  const word = name.replace(/[^A-Za-z0-9._:[\]-]/g, '?');
  return word === '' ? 'unknown' : word;
}

let lastSecond = -1;
let lastText = '';

/** A date as in RFC 5322 §3.3, in UTC. Made once a second. */
export function dateText(unixSeconds: number): string {
  const second = Math.floor(unixSeconds);
  if (second !== lastSecond) {
    lastSecond = second;
    // "Fri, 21 Nov 2026 10:00:00 GMT": all but the zone is the form of RFC 5322.
    lastText = new Date(second * 1000).toUTCString().replace('GMT', '+0000');
  }
  return lastText;
}
