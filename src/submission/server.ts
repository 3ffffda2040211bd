// One server of HTTP submission: its listener, its connections, starting, reloading and stopping. It has the face of
// SmtpServer, so that the daemon treats both alike.

import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { InboundConnection } from '../control/operations/connection-list.js';
import { listen } from '../smtp/edge/listeners.js';
import type { ApplicationHost } from './application.js';
import { Connections } from './connections.js';
import { Entrance } from './entrance.js';
import type { RequestBasis, SubmissionServerOptions, SubmissionServerParts } from './options.js';
import { plainAnswer } from './plain-answer.js';
import type { Submission } from './submission.js';

/** How often deadlines are looked at. */
const sweepSeconds = 1;
/** Request line and header fields together; more is answered 431. */
const mostHeaderBytes = 16 * 1024;
/** For the header fields of a request to arrive. */
const mostHeaderSeconds = 60;

export class SubmissionServer implements ApplicationHost {
  options: SubmissionServerOptions;
  readonly parts: SubmissionServerParts;
  readonly connections = new Connections();
  readonly running = new Map<IncomingMessage, Submission>();
  isStopping = false;
  #application: FastifyInstance | undefined;
  #server: Server | undefined;
  #entrance: Entrance | undefined;
  #stopSweeping: (() => void) | undefined;
  #graceEnds = Number.POSITIVE_INFINITY;
  #whenNoneRuns: (() => void) | undefined;

  constructor(options: SubmissionServerOptions, parts: SubmissionServerParts) {
    this.options = options;
    this.parts = parts;
  }

  /** Opens its listener. @throws ListenError */
  async start(): Promise<readonly AddressInfo[]> {
    // Slow to load, and most daemons have no such server.
    const { buildApplication } = await import('./application.js');
    this.#application = await buildApplication(this, (listener) => this.#makeServer(listener));
    const server = this.#server!;
    for (const listener of this.options.listeners) await listen(server, this.options.id, listener);
    server.on('error', (error) =>
      this.parts.log.error({ server: this.options.id, err: error }, 'a connection could not be accepted'),
    );
    this.#stopSweeping = this.parts.every(sweepSeconds, () => this.#sweep());
    return this.addresses;
  }

  /** Where it listens. */
  get addresses(): readonly AddressInfo[] {
    const address = this.#server?.address() ?? null;
    return address === null ? [] : [address as AddressInfo];
  }

  /** Connections of clients at an address or in a network, or all; undefined when the text is neither. */
  connectionsFrom(addressOrNetwork?: string): number | undefined {
    return this.connections.countOf(addressOrNetwork);
  }

  /** Who is connected, for those who watch. */
  *clients(): Generator<InboundConnection> {
    const now = this.parts.clock.monotonic();
    for (const { id, ends, tls, startedAt, requests } of this.connections.list())
      yield {
        id,
        serverId: this.options.id,
        remoteIp: ends.remoteIp,
        isSecure: tls !== undefined,
        seconds: now - startedAt,
        messages: requests,
      };
  }

  /** New settings for new requests; those under way finish on the old, and the listener stays. */
  reconfigure(options: SubmissionServerOptions): void {
    this.options = options;
    this.connections.reconfigured();
    if (this.#server !== undefined) this.#applyTimeouts(this.#server);
  }

  /** Takes no more submissions and waits for those under way, at most `graceSeconds`. Resolves when no connection is left. */
  async stop(graceSeconds: number): Promise<void> {
    this.isStopping = true;
    const server = this.#server;
    if (server === undefined) return;
    this.#graceEnds = this.parts.clock.monotonic() + graceSeconds;
    const closed = new Promise<void>((done) => server.close(() => done()));
    this.#entrance?.close();
    server.closeIdleConnections();
    this.connections.destroyUnused();
    await closed;
    // What is being committed for a client that has gone is finished before the spool is closed.
    if (this.running.size > 0)
      await new Promise<void>((done) => {
        this.#whenNoneRuns = done;
      });
    await this.#application?.close();
    this.#stopSweeping?.();
  }

  ended(): void {
    if (this.running.size === 0) this.#whenNoneRuns?.();
  }

  /** What requests on a connection run on that begin now. */
  basisOf(socket: Socket): RequestBasis {
    return this.connections.of(socket)?.staged ?? this;
  }

  #makeServer(listener: RequestListener): Server {
    const server = createServer(
      { noDelay: true, maxHeaderSize: mostHeaderBytes, connectionsCheckingInterval: sweepSeconds * 1000 },
      listener,
    );
    // Node's server listens, so that it counts and times connections, but it gets only those that have come through.
    const toHttp = server.listeners('connection');
    server.removeAllListeners('connection');
    const entrance = new Entrance(this, (socket) => {
      for (const take of toHttp) Reflect.apply(take, server, [socket]);
    });
    server.on('connection', (socket: Socket) => entrance.accept(socket));
    // The body is asked for once it is known who sends it and that it fits (RFC 9110 §10.1.1).
    server.on('checkContinue', listener);
    server.on('timeout', (socket) => this.#silent(socket));
    server.on('clientError', (error, socket) => this.#badRequest(error, socket as Socket));
    this.#applyTimeouts(server);
    this.#server = server;
    this.#entrance = entrance;
    return server;
  }

  #applyTimeouts(server: Server): void {
    const { idleSeconds, requestSeconds } = this.options.timeouts;
    server.requestTimeout = requestSeconds * 1000;
    server.headersTimeout = Math.min(mostHeaderSeconds, idleSeconds, requestSeconds) * 1000;
    server.keepAliveTimeout = idleSeconds * 1000;
    server.timeout = idleSeconds * 1000;
  }

  /** Nothing has moved for a while: a submission knows its own deadline, anything else is over. */
  #silent(socket: Socket): void {
    for (const request of this.running.keys()) if (request.socket === socket) return;
    socket.destroy();
  }

  /** What comes is no HTTP, too large, or too slow. */
  #badRequest(error: NodeJS.ErrnoException, socket: Socket): void {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    this.parts.log.info(
      {
        server: this.options.id,
        remoteip: this.connections.of(socket)?.ends.remoteIp,
        error: error.code,
      },
      'a request could not be read',
    );
    const text =
      error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? plainAnswer('408 Request Timeout', 'the request took too long to arrive')
        : error.code === 'HPE_HEADER_OVERFLOW'
          ? plainAnswer(
              '431 Request Header Fields Too Large',
              `the header is larger than ${mostHeaderBytes} bytes`,
            )
          : plainAnswer('400 Bad Request', 'this is no HTTP request');
    socket.end(text);
    socket.destroySoon();
  }

  #sweep(): void {
    const now = this.parts.clock.monotonic();
    if (now >= this.#graceEnds) this.connections.destroy();
    this.#entrance?.sweep(now);
    this.connections.sweep(now);
    for (const submission of this.running.values()) submission.sweep(now);
  }
}
