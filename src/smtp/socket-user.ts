// From the events of a socket to the methods of whoever uses it. The listeners are the same functions for all sockets, which
// find their user in the socket: five closures for each of thousands of idle connections would cost more than the
// sessions themselves, and a socket can be handed on to TLS without one of them staying behind.

import type { Socket } from 'node:net';

/** Who is told. */
export interface SocketUser {
  received(chunk: Buffer): void;
  peerEnded(): void;
  drained(): void;
  failed(error: NodeJS.ErrnoException): void;
  closed(): void;
}

const user = Symbol('user');

type UsedSocket = Socket & { [user]?: SocketUser | undefined };

function onData(this: UsedSocket, chunk: Buffer): void {
  this[user]?.received(chunk);
}

function onEnd(this: UsedSocket): void {
  this[user]?.peerEnded();
}

function onDrain(this: UsedSocket): void {
  this[user]?.drained();
}

function onError(this: UsedSocket, error: NodeJS.ErrnoException): void {
  this[user]?.failed(error);
}

function onClose(this: UsedSocket): void {
  this[user]?.closed();
}

/** Begins to use a socket: it flows from now on. */
export function useSocket(socket: Socket, by: SocketUser): void {
  (socket as UsedSocket)[user] = by;
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('drain', onDrain);
  socket.on('error', onError);
  socket.on('close', onClose);
  if (socket.isPaused()) socket.resume();
}

/** Ends it. Whoever comes next must listen to errors at once. @returns whether it was in use */
export function leaveSocket(socket: Socket): boolean {
  const wasUsed = (socket as UsedSocket)[user] !== undefined;
  (socket as UsedSocket)[user] = undefined;
  socket.removeListener('data', onData);
  socket.removeListener('end', onEnd);
  socket.removeListener('drain', onDrain);
  socket.removeListener('error', onError);
  socket.removeListener('close', onClose);
  return wasUsed;
}
