import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { expect, onTestFinished, test } from 'vitest';
import { native, type SocketLibrary } from '../../../src/native/index.js';
import { socketLibrary } from '../../../src/native/socket-library.js';
import { scratchFolder } from '../../support/scratch-folder.js';

function sockets(): SocketLibrary {
  const part = native().sockets;
  if (part.kind === 'missing') throw new Error(part.problem);
  return part.part;
}

/** The descriptor of the server's side of a connection. */
async function acceptedAt(where: { path: string } | { port: number; host: string }): Promise<number> {
  const server = createServer();
  server.listen(where);
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const address = server.address();
  const client = connect(
    typeof address === 'string' ? { path: address } : { port: address!.port, host: '127.0.0.1' },
  );
  const [socket] = await accepted;
  onTestFinished(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });
  const { _handle: handle } = socket as unknown as { readonly _handle: { readonly fd: number } };
  return handle.fd;
}

test('the peer on a UNIX socket is known by its user id', async () => {
  const fd = await acceptedAt({ path: path.join(scratchFolder(), 'socket') });
  expect(sockets().peerUser(fd)).toBe(process.getuid!());
});

test('of other descriptors nothing is told', async () => {
  expect(sockets().peerUser(await acceptedAt({ port: 0, host: '127.0.0.1' }))).toBeUndefined();
  expect(sockets().peerUser(-1)).toBeUndefined();
  expect(sockets().peerUser(999_999)).toBeUndefined();
});

test('an older build has no sockets', () => {
  expect(socketLibrary(undefined)).toBeUndefined();
  expect(socketLibrary({})).toBeUndefined();
});
