// What is known of a client when its session begins: who is at both ends, and what it may do because of where it came in.

import type { Socket } from 'node:net';
import type { ConnectionFacts } from '#hooks';
import { plainIp } from './networks.js';

/** Both ends of a connection, and who told us of them. */
export type Ends = Omit<ConnectionFacts, 'id' | 'serverId'>;

/** A client that has been let in. */
export interface Arrival {
  readonly ends: Ends;
  /** Whether the listener begins with TLS. */
  readonly isTlsFirst: boolean;
  /** Whether it may speak for others by XCLIENT. */
  readonly maySpeakForOthers: boolean;
}

/** Both ends of a TCP connection; `remoteIp` is empty when the client has gone already. */
export function tcpEnds(socket: Socket): Ends {
  return {
    remoteIp: plainIp(socket.remoteAddress),
    remotePort: socket.remotePort ?? 0,
    localIp: plainIp(socket.localAddress),
    localPort: socket.localPort ?? 0,
  };
}

/**
 * Both ends of a UNIX socket, which has no addresses. Postfix shows the loopback address for them, and so do we: scripts
 * that ask about the client's network get the answer that is meant.
 */
export function unixEnds(remoteUid: number | undefined): Ends {
  return { remoteIp: '127.0.0.1', remotePort: 0, localIp: '127.0.0.1', localPort: 0, remoteUid };
}

/** The number of a socket's descriptor, which node:net has but does not show; -1 when there is none. */
export function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null };
  return handle?.fd ?? -1;
}

/** Whether an address is of this machine itself. */
export function isLoopback(ip: string): boolean {
  return ip === '::1' || ip.startsWith('127.');
}
