// One query over UDP. Every query has a socket of its own, hence a port that the system picks at random, and the socket is
// connected: the system drops what other addresses send, and reports when nobody listens there (RFC 5452 §9).

import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { readResponse } from '../wire/response.js';
import type { Exchange, ExchangeRequest } from './exchange.js';

/** Of wrong answers to one query: a late answer to an earlier query cannot come here, so even a few are odd. */
const MOST_STRANGERS = 32;

/** Never rejects. */
export function exchangeByUdp(request: ExchangeRequest): Promise<Exchange> {
  const { server, query, bytes, sameCase, timeoutMs, signal } = request;
  if (signal.aborted) return Promise.resolve('silent');
  return new Promise((resolve) => {
    const family = isIPv6(server.ip) ? 6 : 4;
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      // Addresses are given as numbers: nothing is to be looked up, least of all in another thread.
      lookup: (host, _options, callback) => callback(null, host, family),
    });
    let strangers = 0;
    const finish = (result: Exchange): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      socket.removeAllListeners();
      // A last error report of the system must find somebody.
      socket.on('error', () => {});
      socket.close();
      resolve(result);
    };
    const giveUp = (): void => finish('silent');
    const timer = setTimeout(giveUp, timeoutMs);
    signal.addEventListener('abort', giveUp);
    socket.on('error', () => finish('unreachable'));
    socket.on('message', (message) => {
      const response = readResponse(message, query, sameCase);
      if (response !== 'stranger') finish(response);
      else if (++strangers >= MOST_STRANGERS) finish('flooded');
    });
    socket.on('connect', () => socket.send(bytes));
    socket.connect(server.port, server.ip);
  });
}
