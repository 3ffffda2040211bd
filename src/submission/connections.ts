// The connections of one server: how many there may be, and what is going on on each.

import type { Socket } from 'node:net';
import { plainIp } from '../smtp/networks.js';
import type { RequestBasis, StagedBasis, SubmissionLimits } from './options.js';

/** Share of the file descriptors that clients may not take: spool, logs and deliveries need some. */
const reservedDescriptors = 0.1;

interface Connection {
  readonly id: string;
  readonly staged: StagedBasis | undefined;
  /** A request has come on it. */
  isUsed: boolean;
}

export class Connections {
  readonly #all = new Map<Socket, Connection>();
  readonly #byIp = new Map<string, number>();

  get size(): number {
    return this.#all.size;
  }

  /** Counts a connection until it closes. @returns false when there may be no more */
  admit(
    socket: Socket,
    newId: () => string,
    limits: SubmissionLimits,
    openFiles: number | undefined,
    staged?: StagedBasis,
  ): boolean {
    const ip = plainIp(socket.remoteAddress);
    const { connections, connectionsPerIp } = limits;
    const fromIp = this.#byIp.get(ip) ?? 0;
    if (connections > 0 && this.#all.size >= connections) return false;
    if (connectionsPerIp > 0 && fromIp >= connectionsPerIp) return false;
    if (openFiles !== undefined && descriptorOf(socket) >= openFiles * (1 - reservedDescriptors))
      return false;
    this.#all.set(socket, { id: newId(), staged, isUsed: false });
    this.#byIp.set(ip, fromIp + 1);
    socket.once('close', () => {
      this.#closed(socket, ip);
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

  #closed(socket: Socket, ip: string): void {
    this.#all.delete(socket);
    const left = this.#byIp.get(ip)! - 1;
    if (left === 0) this.#byIp.delete(ip);
    else this.#byIp.set(ip, left);
  }
}

/** The lowest free number is always given out: a high one says that nearly all are in use. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null };
  return handle?.fd ?? 0;
}
