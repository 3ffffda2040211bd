// A proxy as the outbound PROXY protocol wants one: it reads a header, connects where that says, and passes bytes both ways.
// The header is read by the server's own reader, which is not the code that wrote it.

import { connect, createServer, type Socket } from 'node:net';
import { type ProxiedAddresses, parseProxyHeader } from '../../src/smtp/edge/proxy-protocol.js';
import type { Lifetime } from './scripted-peer.js';

/** A running proxy and what it was told. */
export interface OutboundProxyPeer {
  readonly port: number;
  /** Of each connection. */
  readonly headers: (ProxiedAddresses | undefined)[];
  /** The bytes that are no header. */
  readonly problems: string[];
}

/** Starts a proxy on a free port of 127.0.0.1; it ends with the test. */
export async function startOutboundProxy(t: Lifetime): Promise<OutboundProxyPeer> {
  const sockets = new Set<Socket>();
  const proxy = { port: 0, headers: [], problems: [] } as {
    port: number;
    headers: (ProxiedAddresses | undefined)[];
    problems: string[];
  };
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((client) => {
    keep(client);
    let bytes = Buffer.alloc(0);
    const read = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const header = parseProxyHeader(bytes);
      if (header.kind === 'incomplete') return;
      client.off('data', read);
      if (header.kind === 'malformed') {
        proxy.problems.push(header.problem);
        client.destroy();
        return;
      }
      proxy.headers.push(header.addresses);
      const { localIp = '', localPort = 0 } = header.addresses ?? {};
      const onward = keep(connect({ host: localIp, port: localPort }));
      onward.write(bytes.subarray(header.length));
      client.pipe(onward).pipe(client);
      onward.on('error', () => client.destroy());
    };
    client.on('data', read);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  proxy.port = typeof address === 'object' && address !== null ? address.port : 0;
  t.onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  );
  return proxy;
}
