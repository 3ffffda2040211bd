// One end of a connection: bytes out, collected and written at once, and bytes in, held up when nobody can take them. TLS
// is put under it while it lives; whoever uses it does not see the socket change.

import type { Socket } from 'node:net';
import type { TlsFacts } from '#hooks';
import { leaveSocket, type SocketUser, useSocket } from './socket-user.js';
import { beginHandshake } from './tls/handshake.js';
import type { ServerContexts } from './tls/server-contexts.js';

/** Who speaks over it. */
export interface WireUser {
  received(chunk: Buffer): void;
  peerEnded(): void;
  /** What was written is on its way; before that nothing more should be said. */
  drained(): void;
  /** It is over; also when a handshake fails. */
  closed(): void;
}

export class Wire implements SocketUser {
  readonly #user: WireUser;
  /** Another one after the handshake of TLS. */
  #socket: Socket;
  #tls: 'none' | 'handshake' | 'on' = 'none';
  #output = '';
  #isHeld = false;
  /** The client has not taken our last words yet. */
  isBlocked = false;
  hasPeerEnded = false;
  /** What went wrong with it last. */
  error: NodeJS.ErrnoException | undefined;

  constructor(socket: Socket, user: WireUser) {
    this.#socket = socket;
    this.#user = user;
  }

  get isEncrypted(): boolean {
    return this.#tls === 'on';
  }

  get isShakingHands(): boolean {
    return this.#tls === 'handshake';
  }

  /** Bytes flow from now on. */
  open(): void {
    useSocket(this.#socket, this);
  }

  /** One character for each byte; goes out with the next `flush`. */
  say(text: string): void {
    this.#output += text;
  }

  /** Writes what was said. @returns whether the client has to take some of it before more is said */
  flush(): boolean {
    if (this.#output === '' || this.#socket.destroyed) return false;
    const output = this.#output;
    this.#output = '';
    if (this.#socket.write(output, 'latin1')) return false;
    this.isBlocked = true;
    return true;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Stops reading, or goes on. */
  hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) this.#socket.pause();
    else this.#socket.resume();
  }

  /**
   * The handshake of TLS: before the wire is opened, or later on it; then what the client has sent in the clear and nobody
   * has read is thrown away (RFC 3207 §4.2). Bytes flow again when it is over; one that fails closes the wire.
   */
  secure(contexts: ServerContexts, secured: (facts: TlsFacts) => void, failed: (error: Error) => void): void {
    // The end of a socket that is gone is told by itself.
    if (this.#socket.destroyed) return;
    const isFirst = !leaveSocket(this.#socket);
    this.#tls = 'handshake';
    this.isBlocked = false;
    this.#isHeld = false;
    this.#socket = beginHandshake(this.#socket, contexts, isFirst, {
      secured: (socket, facts) => {
        this.#tls = 'on';
        useSocket(socket, this);
        secured(facts);
      },
      failed: (error) => {
        this.error = error;
        failed(error);
        this.#user.closed();
      },
    });
  }

  /** Our side ends; what was said still goes out. */
  end(): void {
    this.flush();
    this.hold(false);
    if (this.hasPeerEnded) this.#socket.destroySoon();
    else this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  received(chunk: Buffer): void {
    this.#user.received(chunk);
  }

  peerEnded(): void {
    this.hasPeerEnded = true;
    this.#user.peerEnded();
  }

  drained(): void {
    this.isBlocked = false;
    this.#user.drained();
  }

  failed(error: NodeJS.ErrnoException): void {
    this.error = error;
  }

  closed(): void {
    this.#user.closed();
  }
}
