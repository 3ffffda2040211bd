// The connections of one server: how many there may be, and what is going on on each.

import type { Socket } from 'node:net';
import type { TlsFacts } from '#hooks';
import { Admission } from '../smtp/admission.js';
import { plainIp } from '../smtp/networks.js';
import type { RequestBasis, StagedBasis, SubmissionLimits } from './options.js';

/** Share of the file descriptors that clients may not take: spool, logs and deliveries need some. */
const reservedDescriptors = 0.1;

interface Connection {
  readonly id: string;
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
  readonly staged: StagedBasis | undefined;
}

export class Connections {
  readonly #all = new Map<Socket, Connection>();
  readonly #admission = new Admission();

  get size(): number {
    return this.#all.size;
  }

  /** Counts a connection until it closes. @returns false when there may be no more */
  admit(socket: Socket, { newId, limits, openFiles, now, staged }: AdmissionTerms): boolean {
    if (openFiles !== undefined && descriptorOf(socket) >= openFiles * (1 - reservedDescriptors))
      return false;
    const ip = plainIp(socket.remoteAddress);
    if (this.#admission.admit(ip, limits, now) !== undefined) return false;
    this.#all.set(socket, { id: newId(), staged, isUsed: false, tls: undefined });
    socket.once('close', () => {
      this.#all.delete(socket);
      this.#admission.release(ip);
      staged?.close();
    });
    return true;
  }

  /** The id of a connection, as scripts see it. */
  idOf(socket: Socket): string | undefined {
    return this.#find(socket)?.id;
  }

  /** What its requests run on if it belongs to a staged configuration. */
  stagedBasisOf(socket: Socket): RequestBasis | undefined {
    return this.#find(socket)?.staged;
  }

  /** What the handshake gave; undefined before it is over, and without TLS. */
  tlsOf(socket: Socket): TlsFacts | undefined {
    return this.#find(socket)?.tls;
  }

  /** The handshake is over. */
  secured(socket: Socket, tls: TlsFacts): void {
    const connection = this.#find(socket);
    if (connection !== undefined) connection.tls = tls;
  }

  /** A request has come on it. */
  used(socket: Socket): void {
    const connection = this.#find(socket);
    if (connection !== undefined) connection.isUsed = true;
  }

  /** Ends those that have never asked for anything: Node does not count them as idle. */
  destroyUnused(): void {
    for (const [socket, { isUsed }] of this.#all) if (!isUsed) socket.destroy();
  }

  /** Ends them all, whatever they do. */
  destroy(): void {
    for (const socket of this.#all.keys()) socket.destroy();
  }

  /** TLS runs on top of the socket that was counted. */
  #find(socket: Socket): Connection | undefined {
    const below = (socket as { readonly _parent?: Socket })._parent;
    return this.#all.get(socket) ?? (below && this.#all.get(below));
  }
}

/** The lowest free number is always given out: a high one says that nearly all are in use. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null };
  return handle?.fd ?? 0;
}
