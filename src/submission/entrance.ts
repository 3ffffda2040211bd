// A connection on its way from the listener to HTTP:
//
//   accepted ──► (PROXY header) ──► let in? ──► (TLS) ──► HTTP
//
// As at an SMTP server, nothing about a client is counted or asked before its real address is known. The handshake is the
// same too, so that what a reload or a staged configuration says of it holds for the next one.

import type { Socket } from 'node:net';
import type { TlsFacts } from '#hooks';
import { printable } from '../log/printable.js';
import { descriptorOf, type Ends, tcpEnds, unixEnds } from '../smtp/edge/arrival.js';
import { ProxiedArrival } from '../smtp/edge/proxied-arrival.js';
import { certificateRefusal } from '../smtp/tls/client-policy.js';
import { beginHandshake } from '../smtp/tls/handshake.js';
import type { ServerContexts } from '../smtp/tls/server-contexts.js';
import type { Connections } from './connections.js';
import type { SubmissionServerOptions, SubmissionServerParts } from './options.js';
import { plainAnswer } from './plain-answer.js';

/** What the entrance sees of its server. */
export interface EntranceHost {
  readonly options: SubmissionServerOptions;
  readonly parts: SubmissionServerParts;
  readonly connections: Connections;
  readonly isStopping: boolean;
}

/** What we speak, for clients that ask before they speak (RFC 7301). */
const spokenProtocols = ['http/1.1'];

export class Entrance {
  readonly #host: EntranceHost;
  readonly #toHttp: (socket: Socket) => void;
  /** Connections of proxies that have not said yet whose they are. */
  readonly #proxied = new Set<ProxiedArrival>();
  /** Handshakes under way, with their deadlines on the monotonic clock. */
  readonly #shaking = new Map<Socket, number>();

  /** `toHttp` takes connections that have come through. */
  constructor(host: EntranceHost, toHttp: (socket: Socket) => void) {
    this.#host = host;
    this.#toHttp = toHttp;
  }

  /** A connection has come. */
  accept(socket: Socket): void {
    const { options, parts, isStopping } = this.#host;
    const [listener] = options.listeners;
    const isUnix = listener?.path !== undefined;
    const ends = isUnix ? unixEnds(parts.peerUser?.(descriptorOf(socket))) : tcpEnds(socket);
    // Without an address the client has gone already.
    if (isStopping || ends.remoteIp === '') {
      this.#turnAway(socket);
      return;
    }
    const proxies = listener?.proxies;
    const isProxy = isUnix ? proxies?.includesUnix : proxies?.includes(ends.remoteIp);
    if (isProxy === true) this.#awaitHeader(socket, ends);
    else this.#admit(socket, ends);
  }

  /** Acts on deadlines; `now` is on the monotonic clock. */
  sweep(now: number): void {
    for (const arrival of this.#proxied) arrival.sweep(now);
    for (const [socket, deadline] of this.#shaking) if (now >= deadline) socket.destroy();
  }

  /** Nobody comes through any more. */
  close(): void {
    for (const arrival of [...this.#proxied]) arrival.refuse('the service is shutting down');
    for (const socket of [...this.#shaking.keys()]) socket.destroy();
  }

  #awaitHeader(socket: Socket, ends: Ends): void {
    const { id, limits, timeouts } = this.#host.options;
    const { clock, log } = this.#host.parts;
    if (limits.connections > 0 && this.#proxied.size >= limits.connections) {
      this.#turnAway(socket);
      return;
    }
    const deadline = clock.monotonic() + timeouts.proxyHeaderSeconds;
    const arrival = new ProxiedArrival(socket, deadline, (outcome) => {
      this.#proxied.delete(arrival);
      if (outcome.kind === 'refused') {
        log.info({ server: id, proxyip: ends.remoteIp }, outcome.problem);
        return;
      }
      const { addresses, tlv } = outcome;
      // What speaks for itself, as its health checks do, has nobody behind it.
      this.#admit(
        socket,
        addresses === undefined ? ends : { ...addresses, proxyIp: ends.remoteIp, proxyTlv: tlv },
      );
    });
    this.#proxied.add(arrival);
    arrival.start();
  }

  #admit(socket: Socket, ends: Ends): void {
    // Its end has been told already: nobody would count it out again.
    if (socket.destroyed) return;
    const host = this.#host;
    const { newId, openFiles, clock, stage } = host.parts;
    const staged = stage?.({ serverId: host.options.id, remoteIp: ends.remoteIp });
    // All connections of the server count; how many there may be is the chosen configuration's.
    const { options } = staged ?? host;
    const now = clock.monotonic();
    if (!host.connections.admit(socket, { newId, limits: options.limits, openFiles, now, ends, staged })) {
      staged?.close();
      this.#turnAway(socket);
    } else if (!host.options.isSecure) this.#pass(socket);
    else if (options.tls === undefined)
      socket.destroy(); // a staged configuration has no server of this kind
    else this.#shakeHands(socket, options.tls, now + options.timeouts.handshakeSeconds);
  }

  #shakeHands(plain: Socket, contexts: ServerContexts, deadline: number): void {
    const { options, parts } = this.#host;
    const told = { server: options.id, remoteip: this.#host.connections.of(plain)?.ends.remoteIp };
    const listener = {
      secured: (socket: Socket, facts: TlsFacts) => {
        this.#shaking.delete(socket);
        this.#host.connections.secured(plain, socket, facts);
        const refusal = certificateRefusal(contexts.clientCertificate, facts.peerCertificate);
        if (refusal === undefined) {
          this.#pass(socket);
          return;
        }
        // A client whose certificate will not do hears nothing of what is behind it.
        parts.log.info({ ...told, error: refusal.lines[0] }, 'a client was turned away');
        socket.destroy();
      },
      failed: ({ message }: Error) => {
        this.#shaking.delete(shaking);
        parts.log.info({ ...told, reason: printable(message) }, 'no TLS');
        plain.destroy();
      },
    };
    const shaking: Socket = beginHandshake(plain, contexts, true, listener, spokenProtocols);
    this.#shaking.set(shaking, deadline);
  }

  #pass(socket: Socket): void {
    this.#toHttp(socket);
    // Somebody may have held it up; HTTP listens, which alone does not make it flow again.
    socket.resume();
  }

  /** Gone already, or refused before it said anything. */
  #turnAway(socket: Socket): void {
    socket.on('error', () => {});
    // A client that begins with TLS would take an answer for garbage.
    if (this.#host.options.isSecure) {
      socket.destroy();
      return;
    }
    const why = this.#host.isStopping ? 'the server is stopping' : 'too many connections; come again later';
    socket.end(plainAnswer('503 Service Unavailable', why));
    socket.destroySoon();
  }
}
