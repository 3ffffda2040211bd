// One SMTP server: its listeners, its sessions, and the rules about how many there may be.

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { InboundConnection } from '../control/operations/connection-list.js';
import { Admission, type Refusal } from './edge/admission.js';
import { descriptorOf, type Ends, tcpEnds, unixEnds } from './edge/arrival.js';
import { listen } from './edge/listeners.js';
import { ProxiedArrival } from './edge/proxied-arrival.js';
import type { ListenerOptions, SmtpServerOptions, SmtpServerParts } from './options.js';
import { replies } from './replies.js';
import { Session, type SessionHost } from './session.js';
import { StagedHost } from './staged-host.js';

/** How often deadlines are looked at. */
const sweepSeconds = 1;
/** Trouble with accepting, and clients that were turned away, are told this often. */
const toldEverySeconds = 10;
/** File descriptors that clients may not take, since spool, logs and deliveries need some: this share, at most so many. */
const reservedShare = 0.1;
const mostReserved = 500;

export class SmtpServer implements SessionHost {
  options: SmtpServerOptions;
  readonly parts: SmtpServerParts;
  isStopping = false;
  roughNow: number;
  readonly #sessions = new Set<Session>();
  readonly #admission = new Admission();
  /** Connections of proxies that have not said yet whose they are. */
  readonly #proxied = new Set<ProxiedArrival>();
  readonly #listeners: Server[] = [];
  #stopSweeping: (() => void) | undefined;
  #nextTrouble = 0;
  #nextTurnedAway = 0;
  #turnedAway: Partial<Record<Refusal, number>> = {};
  #whenEmpty: (() => void) | undefined;
  #graceEnds = Number.POSITIVE_INFINITY;

  constructor(options: SmtpServerOptions, parts: SmtpServerParts) {
    this.options = options;
    this.parts = parts;
    this.roughNow = parts.clock.monotonic();
  }

  /** Opens all listeners, or none. @throws ListenError */
  async start(): Promise<readonly AddressInfo[]> {
    try {
      for (const options of this.options.listeners) {
        const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
          this.#accept(socket, options),
        );
        await listen(listener, this.options.id, options);
        // The listener goes on after an error of accept: the next connection may find better times.
        listener.on('error', (error) => this.#tellTrouble('a connection could not be accepted', error));
        this.#listeners.push(listener);
      }
    } catch (error) {
      for (const listener of this.#listeners) listener.close();
      this.#listeners.length = 0;
      throw error;
    }
    this.#stopSweeping = this.parts.every(sweepSeconds, () => this.#sweep());
    return this.addresses;
  }

  /** Where it listens; of a UNIX socket the path stands for the address. */
  get addresses(): readonly AddressInfo[] {
    return this.#listeners.map((listener) => {
      const address = listener.address();
      return typeof address === 'string' ? { address, family: 'unix', port: 0 } : address!;
    });
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Connections of clients at an address or in a network, or all; undefined when the text is neither. */
  connectionsFrom(addressOrNetwork?: string): number | undefined {
    return addressOrNetwork === undefined ? this.#admission.count : this.#admission.countOf(addressOrNetwork);
  }

  /** Who is connected, for those who watch. */
  *clients(): Generator<InboundConnection> {
    const now = this.parts.clock.monotonic();
    for (const { state, startedAt, messageCount } of this.#sessions)
      yield {
        id: state.facts.id,
        serverId: this.options.id,
        remoteIp: state.remoteIp,
        helo: state.helo?.host,
        saslUsername: state.auth?.username,
        isSecure: state.tls !== undefined,
        seconds: now - startedAt,
        messages: messageCount,
      };
  }

  /** New settings for new connections and for what living ones do next; the listeners stay. */
  reconfigure(options: SmtpServerOptions): void {
    this.options = options;
    this.#admission.reconfigured();
  }

  /**
   * Stops accepting, tells idle clients, and waits for running transactions, at most `graceSeconds`. Resolves when no
   * session is left.
   */
  async stop(graceSeconds: number): Promise<void> {
    this.isStopping = true;
    const closed = this.#listeners.map(
      (listener) => new Promise<void>((done) => listener.close(() => done())),
    );
    this.#graceEnds = this.parts.clock.monotonic() + graceSeconds;
    for (const arrival of [...this.#proxied]) arrival.refuse('the service is shutting down');
    for (const session of [...this.#sessions]) session.stop();
    if (this.#sessions.size > 0)
      await new Promise<void>((done) => {
        this.#whenEmpty = done;
      });
    await Promise.all(closed);
    this.#stopSweeping?.();
  }

  ended(session: Session): void {
    this.#sessions.delete(session);
    this.#admission.release(session.peerIp);
    if (this.#sessions.size === 0) this.#whenEmpty?.();
  }

  /** A connection has come. A proxy's waits for its header, all others are let in or turned away at once. */
  #accept(socket: Socket, listener: ListenerOptions): void {
    const isUnix = listener.path !== undefined;
    const ends = isUnix ? unixEnds(this.parts.peerUser?.(descriptorOf(socket))) : tcpEnds(socket);
    // Without an address the client has gone already.
    if (this.isStopping || ends.remoteIp === '' || this.#isShortOfDescriptors(socket)) {
      this.#turnAway(socket, listener);
      return;
    }
    const { proxies } = listener;
    if (proxies === undefined || !(isUnix ? proxies.includesUnix : proxies.includes(ends.remoteIp))) {
      this.#admit(socket, listener, ends);
      return;
    }
    const { limits, timeouts } = this.options;
    if (limits.connections > 0 && this.#proxied.size >= limits.connections) {
      this.#turnAway(socket, listener, 'total');
      return;
    }
    const deadline = this.parts.clock.monotonic() + timeouts.proxyHeaderSeconds;
    const arrival = new ProxiedArrival(socket, deadline, (outcome) => {
      this.#proxied.delete(arrival);
      if (outcome.kind === 'refused') {
        const { remoteIp: proxyip } = ends;
        this.parts.log.info({ server: this.options.id, proxyip }, outcome.problem);
        return;
      }
      // What speaks for itself, as its health checks do, has nobody behind it.
      const client =
        outcome.addresses === undefined
          ? ends
          : { ...outcome.addresses, proxyIp: ends.remoteIp, proxyTlv: outcome.tlv };
      if (this.isStopping) this.#turnAway(socket, listener);
      else this.#admit(socket, listener, client);
    });
    this.#proxied.add(arrival);
    arrival.start();
  }

  #admit(socket: Socket, listener: ListenerOptions, ends: Ends): void {
    const { remoteIp } = ends;
    const staged = this.parts.stage?.({ serverId: this.options.id, remoteIp });
    const host = staged === undefined ? this : new StagedHost(this, staged);
    // All sessions of the server count, whichever configuration they run under; how many there may be is the chosen one's.
    const { limits, implicitTls } = host.options;
    const refusal = this.#admission.admit(remoteIp, limits, this.roughNow);
    if (refusal !== undefined) {
      staged?.close();
      this.#turnAway(socket, listener, refusal);
      return;
    }
    const isUnix = listener.path !== undefined && ends.proxyIp === undefined;
    const session = new Session(host, socket, {
      ends,
      isTlsFirst: listener.id !== undefined && implicitTls.has(listener.id),
      maySpeakForOthers:
        (isUnix ? listener.xclients?.includesUnix : listener.xclients?.includes(remoteIp)) ?? false,
    });
    this.#sessions.add(session);
    session.start();
  }

  /** Gone already, or refused without a session: it must not be able to hold one. */
  #turnAway(socket: Socket, listener: ListenerOptions, refusal?: Refusal): void {
    if (refusal !== undefined) this.#turnedAway[refusal] = (this.#turnedAway[refusal] ?? 0) + 1;
    socket.on('error', () => {});
    // A client that begins with TLS would take it for garbage.
    const isTlsFirst = listener.id !== undefined && this.options.implicitTls.has(listener.id);
    if (!isTlsFirst)
      socket.end((this.isStopping ? replies.shuttingDown : replies.tooManyConnections).toWire());
    socket.destroySoon();
  }

  #sweep(): void {
    this.roughNow = this.parts.clock.monotonic();
    if (this.roughNow >= this.#graceEnds) {
      for (const session of [...this.#sessions]) session.destroy();
      return;
    }
    for (const session of this.#sessions) session.sweep(this.roughNow);
    for (const arrival of this.#proxied) arrival.sweep(this.roughNow);
    this.#admission.sweep(this.roughNow);
    this.#tellTurnedAway();
  }

  #tellTurnedAway(): void {
    if (this.roughNow < this.#nextTurnedAway || Object.keys(this.#turnedAway).length === 0) return;
    this.#nextTurnedAway = this.roughNow + toldEverySeconds;
    this.parts.log.warn(
      { server: this.options.id, ...this.#turnedAway },
      'connections were turned away: the limits of servers[].concurrency are reached',
    );
    this.#turnedAway = {};
  }

  /**
   * Node closes a connection without a word when no descriptor is left, so it must not come to that. The lowest free
   * number is always given out: a high one says that nearly all are in use.
   */
  #isShortOfDescriptors(socket: Socket): boolean {
    const { openFiles } = this.parts;
    if (openFiles === undefined) return false;
    const reserved = Math.min(openFiles * reservedShare, mostReserved);
    if (descriptorOf(socket) < openFiles - reserved) return false;
    this.#tellTrouble(
      `file descriptors run out: connections are turned away. Raise environment.rlimit.nofile (now ${openFiles})`,
    );
    return true;
  }

  #tellTrouble(message: string, error?: Error): void {
    const now = this.parts.clock.monotonic();
    if (now < this.#nextTrouble) return;
    this.#nextTrouble = now + toldEverySeconds;
    this.parts.log.error({ server: this.options.id, ...(error && { err: error }) }, message);
  }
}
