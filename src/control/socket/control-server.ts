// The control socket: its listener, its connections, how many there may be (control-api 1). Who may ask is decided by the file's
// permissions or the client's certificate before a byte is read, and nowhere else.

import { createServer as createPlainServer, type Server, type Socket } from 'node:net';
import { checkServerIdentity, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { ControlSocketSettings, ControlTlsSettings } from '../../config/control.js';
import type { Logger } from '../../log/logger.js';
import { type CommandLetter, commands } from '../commands.js';
import { type Caller, ControlError, type Operation } from '../operation.js';
import { type ConnectionHost, type ConnectionLimits, ControlConnection } from './control-connection.js';
import { answerFrame } from './frames.js';
import { openControlSocket } from './open-control-socket.js';

/** What the server works with. */
export interface ControlServerOptions {
  readonly settings: ControlSocketSettings;
  /** The commands that can be carried out, by letter; the others are answered with an error. */
  readonly operations: Readonly<Partial<Record<CommandLetter, Operation>>>;
  readonly log: Logger;
  /** Calls again and again until the result is called. */
  readonly every: (seconds: number, call: () => void) => () => void;
  /** Seconds that only go forward. */
  readonly now: () => number;
  readonly limits?: Partial<ControlLimits>;
}

/** Bounds of what strangers on the socket can cost. */
export interface ControlLimits extends ConnectionLimits {
  readonly connections: number;
}

const defaultLimits: ControlLimits = {
  connections: 64,
  idleSeconds: 600,
  stallSeconds: 60,
  heldBytes: 512 * 1024 * 1024,
};
const SWEEP_SECONDS = 1;
/** For the handshake of TLS. */
const HANDSHAKE_MS = 10_000;

/** Answers control connections. */
export class ControlServer implements ConnectionHost {
  readonly limits: ControlLimits;
  readonly log: Logger;
  readonly #options: ControlServerOptions;
  readonly #connections = new Set<ControlConnection>();
  #server: Server | undefined;
  #stopSweeping: (() => void) | undefined;
  #held = 0;
  #whenEmpty: (() => void) | undefined;

  constructor(options: ControlServerOptions) {
    this.#options = options;
    this.limits = { ...defaultLimits, ...options.limits };
    this.log = options.log;
  }

  /** Opens the socket. @returns where: a path, or an address and a port. @throws ListenError */
  async start(): Promise<string> {
    const { settings, every, now } = this.#options;
    const { tls } = settings;
    const server =
      tls === undefined
        ? createPlainServer({ allowHalfOpen: true }, (socket) => this.#accept(socket))
        : this.#tlsServer(tls);
    // Those that are in the handshake of TLS too.
    server.maxConnections = 2 * this.limits.connections;
    const place = await openControlSocket(server, settings);
    this.#server = server;
    server.on('error', (error) => this.log.error({ err: error }, 'a control connection was not accepted'));
    this.#stopSweeping = every(SWEEP_SECONDS, () => {
      for (const connection of this.#connections) connection.sweep(now());
    });
    return place;
  }

  /** Takes no more connections, and ends the others when what they asked is answered, after `graceSeconds` at the latest. */
  async stop(graceSeconds: number): Promise<void> {
    this.#stopSweeping?.();
    this.#server?.close();
    for (const connection of this.#connections) connection.stop();
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        for (const connection of this.#connections) connection.destroy();
      }, graceSeconds * 1000);
      this.#whenEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  run(letter: CommandLetter, request: object | undefined, caller: Caller): unknown {
    const operation = this.#options.operations[letter];
    if (operation === undefined) throw new ControlError(`${commands[letter].name} is not supported yet`);
    // The shape of the letter's message has been made sure of.
    return operation.run(request as never, caller);
  }

  hold(bytes: number): boolean {
    this.#held += bytes;
    return this.#held <= this.limits.heldBytes;
  }

  ended(connection: ControlConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#whenEmpty?.();
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= this.limits.connections) {
      socket.on('error', () => {});
      socket.end(
        answerFrame('E', Buffer.from(`there are ${this.limits.connections} connections already; try again`)),
      );
      socket.destroySoon();
      return;
    }
    const connection = new ControlConnection(socket, this, this.#options.now());
    this.#connections.add(connection);
    connection.start();
  }

  #tlsServer(tls: ControlTlsSettings): Server {
    const { server, client } = tls;
    const asks = client?.verify ?? false;
    return createTlsServer(
      {
        key: server.key,
        cert: server.certificate,
        minVersion: 'TLSv1.2',
        allowHalfOpen: true,
        handshakeTimeout: HANDSHAKE_MS,
        requestCert: asks,
        rejectUnauthorized: asks,
        ...(client === undefined ? {} : { ca: client.certificate }),
      },
      (socket) => {
        const why = client?.verifyName === undefined ? undefined : wrongName(socket, client.verifyName);
        if (why === undefined) this.#accept(socket);
        else {
          this.log.warn(
            { reason: why },
            'a control connection was refused: its certificate is for another name',
          );
          socket.destroy();
        }
      },
    );
  }
}

/** Why the client's certificate is not of that name. */
function wrongName(socket: TLSSocket, name: string): string | undefined {
  return checkServerIdentity(name, socket.getPeerCertificate())?.message;
}
