// One query over TCP (RFC 7766), for answers that do not fit into a datagram.

import { connect } from 'node:net';
import { readResponse } from '../wire/response.js';
import type { Exchange, ExchangeRequest } from './exchange.js';

/** Never rejects. What a server sends before and after its first message is not read. */
export function exchangeByTcp(request: ExchangeRequest): Promise<Exchange> {
  const { server, query, bytes, sameCase, timeoutMs, signal } = request;
  if (signal.aborted) return Promise.resolve('silent');
  return new Promise((resolve) => {
    const socket = connect({ host: server.ip, port: server.port, noDelay: true });
    const chunks: Buffer[] = [];
    let received = 0;
    const finish = (result: Exchange): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.destroy();
      resolve(result);
    };
    const giveUp = (): void => finish('silent');
    const timer = setTimeout(giveUp, timeoutMs);
    signal.addEventListener('abort', giveUp);
    socket.on('error', () => finish('unreachable'));
    socket.on('end', () => finish('broken'));
    socket.on('close', () => finish('broken'));
    socket.on('connect', () => {
      const length = Buffer.allocUnsafe(2);
      length.writeUInt16BE(bytes.length);
      socket.write(Buffer.concat([length, bytes]));
    });
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      received += chunk.length;
      if (received < 2) return;
      // At most 65535 bytes are ever kept, and one chunk.
      const head = chunks[0]!.length < 2 ? Buffer.concat(chunks) : chunks[0]!;
      const size = head.readUInt16BE(0);
      if (received < size + 2) return;
      const response = readResponse(Buffer.concat(chunks).subarray(2, size + 2), query, sameCase);
      finish(response === 'stranger' ? 'broken' : response);
    });
  });
}
