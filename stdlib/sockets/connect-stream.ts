// Opens a stream to an address, a path or a host, within a time.

import { connect, type LookupFunction, type NetConnectOpts, type Socket } from 'node:net';
import { type ErrorName, errorNameOf } from './errno.js';
import { lostPatience, type Patience } from './patience.js';

export type StreamTarget =
  | {
      readonly kind: 'address';
      /** An IP address. */
      readonly address: string;
      readonly port: number;
      readonly localAddress?: string | undefined;
      readonly localPort?: number | undefined;
    }
  | { readonly kind: 'path'; readonly path: string }
  | {
      readonly kind: 'host';
      /** A name, or an IP address. */
      readonly host: string;
      readonly port: number;
      readonly lookup: LookupFunction;
    };

export type Connected =
  | { readonly kind: 'connected'; readonly socket: Socket }
  | { readonly kind: 'failure'; readonly error: ErrorName };

function optionsFor(target: StreamTarget): NetConnectOpts {
  if (target.kind === 'path') return { path: target.path, allowHalfOpen: true };
  if (target.kind === 'host') {
    const { host, port, lookup } = target;
    return { host, port, lookup, allowHalfOpen: true, noDelay: true };
  }
  const { address, port, localAddress, localPort } = target;
  return {
    host: address,
    port,
    allowHalfOpen: true,
    noDelay: true,
    autoSelectFamily: false,
    ...(localAddress !== undefined && { localAddress }),
    ...(localPort !== undefined && { localPort }),
  };
}

/** Never rejects. The socket comes paused. */
export function connectStream(target: StreamTarget, until: Patience): Promise<Connected> {
  return new Promise((resolve) => {
    const { signal } = until;
    if (signal.aborted) {
      resolve({ kind: 'failure', error: 'ECANCELED' });
      return;
    }
    let socket: Socket;
    try {
      socket = connect(optionsFor(target));
    } catch (error) {
      resolve({ kind: 'failure', error: errorNameOf(error) });
      return;
    }
    // An error may come when this has let go of the socket and nobody has taken it yet.
    socket.on('error', () => {});
    const fail = (error: ErrorName): void => {
      leave();
      socket.destroy();
      resolve({ kind: 'failure', error });
    };
    const onConnect = (): void => {
      leave();
      socket.pause();
      resolve({ kind: 'connected', socket });
    };
    const onError = (error: Error): void => fail(errorNameOf(error));
    const onAbort = (): void => fail(lostPatience('aborted'));
    const leave = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect);
      socket.off('error', onError);
    };
    const left = Math.max(0, Math.min(until.untilMs - performance.now(), 2_147_483_647));
    const timer = setTimeout(() => fail(lostPatience('timeout')), left);
    signal.addEventListener('abort', onAbort);
    socket.once('connect', onConnect);
    socket.once('error', onError);
  });
}
