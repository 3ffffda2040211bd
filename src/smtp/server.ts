// One SMTP server: its listeners, its sessions, and the rules about how many there may be.

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { SmtpServerOptions, SmtpServerParts } from './options.js';
import { replies } from './replies.js';
import { plainIp, Session, type SessionHost } from './session.js';
import { StagedHost } from './staged-host.js';

/** How often deadlines are looked at. */
const sweepSeconds = 1;
/** Trouble with accepting is told this often. */
const acceptTroubleEverySeconds = 10;
/** Share of the file descriptors that clients may not take: spool, logs and deliveries need some. */
const reservedDescriptors = 0.1;

/** A listener could not be opened; the message says what to do. */
export class ListenError extends Error {}

export class SmtpServer implements SessionHost {
  options: SmtpServerOptions;
  readonly parts: SmtpServerParts;
  isStopping = false;
  roughNow: number;
  readonly #sessions = new Set<Session>();
  readonly #sessionsByIp = new Map<string, number>();
  readonly #ipOf = new WeakMap<Session, string>();
  readonly #listeners: Server[] = [];
  #stopSweeping: (() => void) | undefined;
  #nextAcceptTrouble = 0;
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
      for (const { address, port, backlog } of this.options.listeners) {
        const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
          this.#accept(socket),
        );
        await listen(listener, this.options.id, { address, port, backlog });
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

  /** Where it listens. */
  get addresses(): readonly AddressInfo[] {
    return this.#listeners.map((listener) => listener.address() as AddressInfo);
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** New settings for new connections and for what living ones do next; the listeners stay. */
  reconfigure(options: SmtpServerOptions): void {
    this.options = options;
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
    const ip = this.#ipOf.get(session)!;
    const count = this.#sessionsByIp.get(ip)! - 1;
    if (count === 0) this.#sessionsByIp.delete(ip);
    else this.#sessionsByIp.set(ip, count);
    if (this.#sessions.size === 0) this.#whenEmpty?.();
  }

  #accept(socket: Socket): void {
    const ip = plainIp(socket.remoteAddress);
    if (this.isStopping || ip === '' || this.#isShortOfDescriptors(socket)) {
      this.#turnAway(socket);
      return;
    }
    const staged = this.parts.stage?.({ serverId: this.options.id, remoteIp: ip });
    const host = staged === undefined ? this : new StagedHost(this, staged);
    // All sessions of the server count, whichever configuration they run under; how many there may be is the chosen one's.
    const { connections, connectionsPerIp } = host.options.limits;
    const fromIp = this.#sessionsByIp.get(ip) ?? 0;
    if (
      (connections > 0 && this.#sessions.size >= connections) ||
      (connectionsPerIp > 0 && fromIp >= connectionsPerIp)
    ) {
      staged?.close();
      this.#turnAway(socket);
      return;
    }
    const session = new Session(host, socket, ip);
    this.#sessions.add(session);
    this.#ipOf.set(session, ip);
    this.#sessionsByIp.set(ip, fromIp + 1);
    session.start();
  }

  /** Gone already, or refused without a session: it must not be able to hold one. */
  #turnAway(socket: Socket): void {
    socket.on('error', () => {});
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
  }

  /**
   * Node closes a connection without a word when no descriptor is left, so it must not come to that. The lowest free
   * number is always given out: a high one says that nearly all are in use.
   */
  #isShortOfDescriptors(socket: Socket): boolean {
    const { openFiles } = this.parts;
    if (openFiles === undefined) return false;
    const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null };
    if ((handle?.fd ?? 0) < openFiles * (1 - reservedDescriptors)) return false;
    this.#tellTrouble(
      `file descriptors run out: connections are turned away. Raise environment.rlimit.nofile (now ${openFiles})`,
    );
    return true;
  }

  #tellTrouble(message: string, error?: Error): void {
    const now = this.parts.clock.monotonic();
    if (now < this.#nextAcceptTrouble) return;
    this.#nextAcceptTrouble = now + acceptTroubleEverySeconds;
    this.parts.log.error({ server: this.options.id, ...(error && { err: error }) }, message);
  }
}

/** Opens one listener, of whatever kind of server. @throws ListenError with advice */
export function listen(
  listener: Server,
  serverId: string,
  { address, port, backlog }: { address?: string | undefined; port: number; backlog?: number | undefined },
): Promise<void> {
  return new Promise((resolve, reject) => {
    listener.once('error', (error: NodeJS.ErrnoException) => {
      const where = address === undefined ? `port ${port}` : `${address} port ${port}`;
      reject(
        new ListenError(`server "${serverId}" cannot listen on ${where}: ${listenAdvice(error)}`, {
          cause: error,
        }),
      );
    });
    listener.listen(
      {
        port,
        ...(address === undefined ? undefined : { host: address }),
        ...(backlog === undefined ? undefined : { backlog }),
      },
      () => {
        listener.removeAllListeners('error');
        resolve();
      },
    );
  });
}

function listenAdvice(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'another program has it. Stop that program, or change servers[].listeners[] in smtpd.yaml';
    case 'EACCES':
      return 'not allowed. Ports below 1024 need root or the capability CAP_NET_BIND_SERVICE';
    case 'EADDRNOTAVAIL':
      return 'this machine does not have that address. Change servers[].listeners[].address in smtpd.yaml';
    default:
      return error.message;
  }
}
