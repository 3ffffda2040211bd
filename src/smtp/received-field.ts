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
  /** As `protocolKeyword` says it. */
  readonly protocol: string;
  readonly transactionId: string;
  readonly unixSeconds: number;
}

/** The whole field with its line ends. */
export function receivedField(reception: Reception): string {
  const { helo, remotePtr, remoteIp, hostname, protocol, transactionId, unixSeconds } = reception;
  // Unknown only where a trusted client says so (XCLIENT).
  const literal = remoteIp === '' ? 'unknown' : isIPv6(remoteIp) ? `IPv6:${remoteIp}` : remoteIp;
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

/** How a message came. */
export interface ProtocolFacts {
  /** The greeting's; undefined when the client did not greet. */
  readonly verb: string | undefined;
  /** MAIL said SMTPUTF8. */
  readonly hasUtf8: boolean;
  readonly isEncrypted: boolean;
  readonly isAuthenticated: boolean;
}

/** The keyword after `with` (RFC 3848, RFC 6531 §4.3): SMTP after HELO, else ESMTP, LMTPS, UTF8SMTPSA and so on. */
export function protocolKeyword({ verb, hasUtf8, isEncrypted, isAuthenticated }: ProtocolFacts): string {
  if (verb !== 'EHLO' && verb !== 'LHLO') return 'SMTP';
  const base = `${hasUtf8 ? 'UTF8' : verb === 'EHLO' ? 'E' : ''}${verb === 'EHLO' ? 'SMTP' : 'LMTP'}`;
  return `${base}${isEncrypted ? 'S' : ''}${isAuthenticated ? 'A' : ''}`;
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
