// The connections of one server: how many there may be, and what is going on on each.

import type { Socket } from 'node:net';
import type { TlsFacts } from '#hooks';
import { Admission } from '../smtp/edge/admission.js';
import type { StagedBasis, SubmissionLimits } from './options.js';

/** Share of the file descriptors that clients may not take: spool, logs and deliveries need some. */
const reservedDescriptors = 0.1;

/** One of them. */
export interface Connection {
  /** As scripts see it. */
  readonly id: string;
  /** Of the client; 127.0.0.1 on a UNIX socket. */
  readonly remoteIp: string;
  readonly staged: StagedBasis | undefined;
  /** A request has come on it. */
  isUsed: boolean;
  /** Set by the handshake, where there is one. */
  tls: TlsFacts | undefined;
}

/** What a new connection is measured against. */
export interface AdmissionTerms {
  readonly newId: () => string;
  readonly limits: SubmissionLimits;
  readonly openFiles: number | undefined;
  /** Seconds on the monotonic clock. */
  readonly now: number;
  readonly remoteIp: string;
  readonly staged: StagedBasis | undefined;
}

export class Connections {
  readonly #all = new Map<Socket, Connection>();
  readonly #admission = new Admission();

  get size(): number {
    return this.#all.size;
  }

  /** Those from an address or a network, or all; undefined when the text is neither. */
  countOf(addressOrNetwork?: string): number | undefined {
    return addressOrNetwork === undefined ? this.#all.size : this.#admission.countOf(addressOrNetwork);
  }

  /** Counts a connection until it closes. @returns false when there may be no more */
  admit(socket: Socket, { newId, limits, openFiles, now, remoteIp, staged }: AdmissionTerms): boolean {
    if (openFiles !== undefined && descriptorOf(socket) >= openFiles * (1 - reservedDescriptors))
      return false;
    // Without an address it has gone already.
    if (remoteIp === '' || this.#admission.admit(remoteIp, limits, now) !== undefined) return false;
    this.#all.set(socket, { id: newId(), remoteIp, staged, isUsed: false, tls: undefined });
    socket.once('close', () => {
      this.#all.delete(socket);
      this.#admission.release(remoteIp);
      staged?.close();
    });
    return true;
  }

  /** The connection of a socket, as long as it is open; TLS runs on top of the socket that was counted. */
  of(socket: Socket): Connection | undefined {
    const below = (socket as { readonly _parent?: Socket })._parent;
    return this.#all.get(socket) ?? (below && this.#all.get(below));
  }

  /** Forgets what no longer matters; called now and then. */
  sweep(now: number): void {
    this.#admission.sweep(now);
  }

  /** Other limits from now on. */
  reconfigured(): void {
    this.#admission.reconfigured();
  }

  /** Ends those that have never asked for anything: Node does not count them as idle. */
  destroyUnused(): void {
    for (const [socket, { isUsed }] of this.#all) if (!isUsed) socket.destroy();
  }

  /** Ends them all, whatever they do. */
  destroy(): void {
    for (const socket of this.#all.keys()) socket.destroy();
  }
}

/** The lowest free number is always given out: a high one says that nearly all are in use. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null };
  return handle?.fd ?? 0;
}
