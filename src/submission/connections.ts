// The connections of one server: how many there may be, and what is going on on each.

import type { Socket } from 'node:net';
import type { ReverseNameFacts, TlsFacts } from '#hooks';
import type { Resolver } from '#stdlib';
import { Admission } from '../smtp/edge/admission.js';
import { descriptorOf, type Ends } from '../smtp/edge/arrival.js';
import { lookUpName } from '../smtp/reverse-name.js';
import type { StagedBasis, SubmissionLimits } from './options.js';

/** Share of the file descriptors that clients may not take: spool, logs and deliveries need some. */
const reservedDescriptors = 0.1;

/** One of them. */
export interface Connection {
  /** As scripts see it. */
  readonly id: string;
  /** The client, and our side; 127.0.0.1 for both on a UNIX socket. */
  readonly ends: Ends;
  readonly staged: StagedBasis | undefined;
  /** Requests that came on it. */
  requests: number;
  /** On the monotonic clock. */
  readonly startedAt: number;
  /** Set by the handshake, where there is one. */
  tls: TlsFacts | undefined;
}

/** With what only this file looks at. */
interface OpenConnection extends Connection {
  /** What HTTP reads: the one on top of TLS, where there is TLS. */
  socket: Socket;
  readonly closed: AbortController;
  reverseName: Promise<ReverseNameFacts> | undefined;
}

/** What a new connection is measured against. */
export interface AdmissionTerms {
  readonly newId: () => string;
  readonly limits: SubmissionLimits;
  readonly openFiles: number | undefined;
  /** Seconds on the monotonic clock. */
  readonly now: number;
  readonly ends: Ends;
  readonly staged: StagedBasis | undefined;
}

export class Connections {
  /** By the socket that HTTP reads. */
  readonly #all = new Map<Socket, OpenConnection>();
  readonly #admission = new Admission();

  get size(): number {
    return this.#all.size;
  }

  /** Those from an address or a network, or all; undefined when the text is neither. */
  countOf(addressOrNetwork?: string): number | undefined {
    return addressOrNetwork === undefined ? this.#all.size : this.#admission.countOf(addressOrNetwork);
  }

  /** Counts a connection until it closes. @returns false when there may be no more */
  admit(socket: Socket, { newId, limits, openFiles, now, ends, staged }: AdmissionTerms): boolean {
    if (openFiles !== undefined && descriptorOf(socket) >= openFiles * (1 - reservedDescriptors))
      return false;
    const { remoteIp } = ends;
    // Without an address it has gone already.
    if (remoteIp === '' || this.#admission.admit(remoteIp, limits, now) !== undefined) return false;
    const connection: OpenConnection = {
      id: newId(),
      ends,
      staged,
      requests: 0,
      startedAt: now,
      tls: undefined,
      socket,
      closed: new AbortController(),
      reverseName: undefined,
    };
    this.#all.set(socket, connection);
    socket.once('close', () => {
      this.#all.delete(connection.socket);
      this.#admission.release(remoteIp);
      connection.closed.abort();
      staged?.close();
    });
    return true;
  }

  /** TLS is on: from now on the connection is the socket on top. */
  secured(below: Socket, socket: Socket, facts: TlsFacts): void {
    const connection = this.#all.get(below);
    if (connection === undefined) return;
    this.#all.delete(below);
    connection.tls = facts;
    connection.socket = socket;
    this.#all.set(socket, connection);
  }

  /** The connection of a socket, as long as it is open. */
  of(socket: Socket): Connection | undefined {
    return this.#all.get(socket);
  }

  /** Who the client of a connection is by reverse DNS, asked once; undefined when the connection has gone. */
  nameOf(socket: Socket, resolver: Resolver): Promise<ReverseNameFacts> | undefined {
    const connection = this.#all.get(socket);
    if (connection === undefined) return undefined;
    connection.reverseName ??= lookUpName(resolver, connection.ends.remoteIp, connection.closed.signal);
    return connection.reverseName;
  }

  /** All of them. */
  list(): Iterable<Connection> {
    return this.#all.values();
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
    for (const [socket, { requests }] of this.#all) if (requests === 0) socket.destroy();
  }

  /** Ends them all, whatever they do. */
  destroy(): void {
    for (const socket of this.#all.keys()) socket.destroy();
  }
}
