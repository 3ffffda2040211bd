// XCLIENT, Postfix's extension for trusted clients that speak for others (XCLIENT_README): proxies with filters of their
// own, and tests. Grammar only; the session starts over with what it says (session.ts).

import { SessionState } from '#hooks';
import { addressToBytes, bytesToAddress, isDomain } from '#stdlib';
import { replies } from '../replies.js';
import type { Reply } from '../reply.js';
import { plainIp } from './networks.js';

/** The attributes we take, in the order in which Postfix announces them. */
const attributeNames = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'LOGIN', 'DESTADDR', 'DESTPORT'] as const;
type AttributeName = (typeof attributeNames)[number];

/** What EHLO says of it. */
export const xclientExtension = `XCLIENT ${attributeNames.join(' ')}`;

/** What was said about the client: undefined is not said, null is said to be unknown. */
export interface XclientRequest {
  readonly name?: string | null;
  readonly address?: string | null;
  readonly port?: number | null;
  readonly protocol?: 'SMTP' | 'ESMTP';
  readonly helo?: string | null;
  readonly login?: string | null;
  readonly destinationAddress?: string | null;
  readonly destinationPort?: number | null;
}

/** Longest NAME, HELO and LOGIN (note 1 of XCLIENT_README). */
const longestValue = 255;

/** Reads the argument of the command. */
export function parseXclient(argument: string): XclientRequest | Reply {
  const words = argument.split(' ').filter((word) => word !== '');
  if (words.length === 0) return replies.xclientSyntax;
  let request: XclientRequest = {};
  for (const word of words) {
    const equals = word.indexOf('=');
    const name = attributeNames.find((known) => known === word.slice(0, Math.max(equals, 0)).toUpperCase());
    const value = decodeXtext(word.slice(equals + 1));
    const read = name === undefined || value === undefined ? undefined : readAttribute(name, value);
    if (read === undefined) return replies.xclientSyntax;
    request = { ...request, ...read };
  }
  return request;
}

/** One attribute, or undefined when its value is wrong. */
function readAttribute(name: AttributeName, value: string): XclientRequest | undefined {
  const isUnknown = /^\[(?:UNAVAILABLE|TEMPUNAVAIL)\]$/i.test(value);
  switch (name) {
    case 'NAME':
      if (isUnknown) return { name: null };
      return value.length <= longestValue && isDomain(value) ? { name: value } : undefined;
    case 'ADDR':
    case 'DESTADDR': {
      const address = isUnknown ? null : addressOf(value);
      if (address === undefined) return undefined;
      return name === 'ADDR' ? { address } : { destinationAddress: address };
    }
    case 'PORT':
    case 'DESTPORT': {
      const port = isUnknown ? null : portOf(value);
      if (port === undefined) return undefined;
      return name === 'PORT' ? { port } : { destinationPort: port };
    }
    case 'PROTO': {
      const protocol = value.toUpperCase();
      return protocol === 'SMTP' || protocol === 'ESMTP' ? { protocol } : undefined;
    }
    case 'HELO':
      if (isUnknown) return { helo: null };
      return isPrintable(value) ? { helo: value } : undefined;
    case 'LOGIN':
      if (isUnknown) return { login: null };
      return isPrintable(value) ? { login: value } : undefined;
  }
}

/** IPv4, or IPv6 behind `IPV6:`; some clients leave that out. */
function addressOf(value: string): string | undefined {
  const bytes = addressToBytes(value.replace(/^IPV6:/i, ''));
  return bytes === undefined ? undefined : plainIp(bytesToAddress(bytes)!);
}

function portOf(value: string): number | undefined {
  return /^[0-9]{1,5}$/.test(value) && Number(value) <= 65_535 ? Number(value) : undefined;
}

/** It goes into the trace field and the log. */
function isPrintable(value: string): boolean {
  return value.length <= longestValue && /^[\x21-\x7e\x80-\xff]+$/.test(value);
}

/** RFC 3461 §4. Old clients send values as they are: what is no code in it stands for itself. */
function decodeXtext(text: string): string | undefined {
  if (text === '') return undefined;
  return text.replace(/\+([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/**
 * The state of a session that starts over: what was said replaces what was known, and all that the client had told of
 * itself is gone, as in Postfix. Scripts begin again with the connect phase and an empty `$context`. Connection id and
 * encryption are those of the connection, which is the same.
 */
export function anotherClient(
  { facts, tls }: SessionState,
  request: XclientRequest,
  newId: () => string,
): SessionState {
  const { address, port, destinationAddress, destinationPort, name, helo, protocol, login } = request;
  const another = new SessionState(
    {
      ...facts,
      remoteIp: address === undefined ? facts.remoteIp : (address ?? ''),
      remotePort: port === undefined ? facts.remotePort : (port ?? 0),
      localIp: destinationAddress ?? facts.localIp,
      localPort: destinationPort ?? facts.localPort,
      ...(address === undefined ? undefined : { remoteUid: undefined }),
    },
    newId,
  );
  if (tls !== undefined) another.secured(tls);
  if (typeof name === 'string') another.override({ remotePtr: name });
  if (typeof helo === 'string') another.greeted(protocol === 'ESMTP' ? 'EHLO' : 'HELO', helo);
  if (typeof login === 'string') another.authenticated({ mechanism: 'XCLIENT', username: login });
  return another;
}
