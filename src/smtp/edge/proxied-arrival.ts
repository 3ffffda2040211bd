// A connection from a trusted proxy, until its header has come: before that nobody knows who the client is, so nothing is
// said, nothing is counted for an address, and TLS has not begun. What follows the header goes back into the socket.

import type { Socket } from 'node:net';
import { leaveSocket, type SocketUser, useSocket } from '../socket-user.js';
import { type ProxiedAddresses, parseProxyHeader } from './proxy-protocol.js';

/** What came of it. */
export type ProxyOutcome =
  | {
      readonly kind: 'known';
      readonly addresses: ProxiedAddresses | undefined;
      readonly tlv: string | undefined;
    }
  | { readonly kind: 'refused'; readonly problem: string };

export class ProxiedArrival implements SocketUser {
  readonly #socket: Socket;
  readonly #deadline: number;
  readonly #done: (outcome: ProxyOutcome) => void;
  #bytes: Buffer | undefined;
  #isDone = false;

  /** `deadline` is on the monotonic clock; `done` is called once. */
  constructor(socket: Socket, deadline: number, done: (outcome: ProxyOutcome) => void) {
    this.#socket = socket;
    this.#deadline = deadline;
    this.#done = done;
  }

  start(): void {
    useSocket(this.#socket, this);
  }

  /** Acts on the deadline. */
  sweep(now: number): void {
    if (now >= this.#deadline) this.refuse('no PROXY header came in time');
  }

  refuse(problem: string): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#socket.destroy();
    this.#done({ kind: 'refused', problem });
  }

  received(chunk: Buffer): void {
    if (this.#isDone) return;
    const bytes = this.#bytes === undefined ? chunk : Buffer.concat([this.#bytes, chunk]);
    const header = parseProxyHeader(bytes);
    if (header.kind === 'incomplete') {
      this.#bytes = bytes;
      return;
    }
    if (header.kind === 'malformed') {
      this.refuse(`the PROXY header is malformed: ${header.problem}`);
      return;
    }
    this.#isDone = true;
    leaveSocket(this.#socket);
    this.#socket.pause();
    if (bytes.length > header.length) this.#socket.unshift(bytes.subarray(header.length));
    this.#done({ kind: 'known', addresses: header.addresses, tlv: header.tlv });
  }

  peerEnded(): void {
    this.refuse('the proxy ended before its header');
  }

  drained(): void {}

  failed(): void {}

  closed(): void {
    this.refuse('the proxy has gone before its header');
  }
}
