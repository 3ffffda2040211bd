// Servers of a test on any free port of 127.0.0.1, closed with all their connections when the test ends.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Listens until the test ends. @returns the port */
export async function listenForTest(server: Server, address = '127.0.0.1'): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, address);
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of open) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

/** A TCP server that does `talk` with each connection. @returns the port */
export function tcpServer(talk: (socket: Socket) => void): Promise<number> {
  return listenForTest(createServer({ allowHalfOpen: true }, talk));
}
