// A script's socket: what it is made for, what it is bound and connected to, its time limit and its last error. The bytes
// move in byte-stream.ts and datagrams.ts.
//
//   new ── bind ──► bound ── connect ──► connected ── shutdown ──► half closed
//    └───────── connect ───────────────────▲                           │
//   any of them ── close, or the execution's end ──► closed ◄──────────┘
//
// A connected stream can be taken over by TLS (tls-session.ts); then only that may read and write.

import { createSocket } from 'node:dgram';
import { isIP, type Socket } from 'node:net';
import { bytesToText, ScriptFault } from '#lang';
import { ByteStream, type Received, type ReceiveFlags, type Sent } from './byte-stream.js';
import { connectStream } from './connect-stream.js';
import { Datagrams } from './datagrams.js';
import { type ErrorName, errorNameOf, errorNumber } from './errno.js';
import { type Patience, patience } from './patience.js';

export const families = ['AF_INET', 'AF_INET6', 'AF_UNIX'] as const;
export type Family = (typeof families)[number];
export const kinds = ['SOCK_STREAM', 'SOCK_DGRAM'] as const;
export type Kind = (typeof kinds)[number];

export type ShutdownHow = 'SHUT_RD' | 'SHUT_WR' | 'SHUT_RDWR';

/** The longest path of a UNIX socket (sun_path without its final zero byte). */
const LONGEST_PATH = 107;

export class ScriptSocket {
  /** The last error's number; 0 while there was none. */
  errno = 0;
  /** Of every operation; 0 is the default of this folder. */
  timeoutSeconds = 0;
  #stream: ByteStream | undefined;
  #datagrams: Datagrams | undefined;
  #localAddress: string | undefined;
  #localPort: number | undefined;
  #isClosed = false;
  #isTaken = false;
  readonly #onClose: (() => void)[] = [];

  constructor(
    readonly family: Family,
    readonly kind: Kind,
  ) {}

  /** A socket that is connected already. */
  static around(socket: Socket): ScriptSocket {
    const family = socket.remoteFamily === 'IPv6' ? 'AF_INET6' : socket.remoteFamily ? 'AF_INET' : 'AF_UNIX';
    const made = new ScriptSocket(family, 'SOCK_STREAM');
    made.#stream = new ByteStream(socket);
    return made;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The patience of one operation that begins now. */
  patience(signal: AbortSignal): Patience {
    return patience(this.timeoutSeconds, signal);
  }

  /** @returns undefined, for the script's none */
  fail(error: ErrorName): undefined {
    this.errno = errorNumber(error);
    return undefined;
  }

  /** @throws ScriptFault when it is closed */
  checkOpen(called: string): void {
    if (this.#isClosed) throw new ScriptFault(`${called}: the socket is closed`);
  }

  /** @returns whether it is bound now */
  async bind(address: string, port: number): Promise<boolean> {
    const problem = this.#addressProblem(address);
    if (problem !== undefined) return this.#did(problem);
    // Node cannot bind a UNIX socket that connects.
    if (this.family === 'AF_UNIX') return this.#did('EOPNOTSUPP');
    if (this.kind === 'SOCK_DGRAM') return this.#did(await this.#useDatagrams().bind(address, port));
    if (this.#stream !== undefined) return this.#did('EINVAL');
    // Node binds a stream when it connects. That the address is ours is found out now, where the script asks.
    const error = await localAddressProblem(this.family, address);
    if (error === undefined) {
      this.#localAddress = address;
      this.#localPort = port === 0 ? undefined : port;
    }
    return this.#did(error);
  }

  /** @returns whether it is connected now */
  async connect(address: string, port: number, signal: AbortSignal): Promise<boolean> {
    const problem = this.#addressProblem(address);
    if (problem !== undefined) return this.#did(problem);
    if (this.kind === 'SOCK_DGRAM') return this.#did(await this.#useDatagrams().connect(address, port));
    if (this.#stream !== undefined) return this.#did('EISCONN');
    const { family } = this;
    const connected = await connectStream(
      family === 'AF_UNIX'
        ? { kind: 'path', path: bytesToText(address) }
        : { kind: 'address', address, port, localAddress: this.#localAddress, localPort: this.#localPort },
      this.patience(signal),
    );
    if (connected.kind === 'failure') return this.#did(connected.error);
    // The execution may have ended, or the socket have been closed, while the peer thought about it.
    if (this.#isClosed) {
      connected.socket.destroy();
      return this.#did('ECANCELED');
    }
    this.#stream = new ByteStream(connected.socket);
    return true;
  }

  #did(error: ErrorName | undefined): boolean {
    if (error !== undefined) this.fail(error);
    return error === undefined;
  }

  #addressProblem(address: string): ErrorName | undefined {
    if (this.family === 'AF_UNIX') {
      if (this.kind === 'SOCK_DGRAM') return 'EPROTONOSUPPORT';
      if (address === '' || address.includes('\0')) return 'EINVAL';
      return address.length > LONGEST_PATH ? 'ENAMETOOLONG' : undefined;
    }
    const version = isIP(address);
    if (version === 0) return 'EINVAL';
    return version === (this.family === 'AF_INET' ? 4 : 6) ? undefined : 'EAFNOSUPPORT';
  }

  #useDatagrams(): Datagrams {
    this.#datagrams ??= new Datagrams(this.family as 'AF_INET' | 'AF_INET6');
    return this.#datagrams;
  }

  receive(
    count: number,
    flags: ReceiveFlags,
    signal: AbortSignal,
    charge: (bytes: number) => void,
  ): Received | Promise<Received> {
    if (this.#isTaken) return { kind: 'failure', error: 'EBUSY' };
    if (this.#stream !== undefined) return this.#stream.receive(count, flags, this.patience(signal), charge);
    if (this.#datagrams !== undefined) return this.#datagrams.receive(count, flags, this.patience(signal));
    return { kind: 'failure', error: 'ENOTCONN' };
  }

  send(bytes: Buffer, signal: AbortSignal): Sent | Promise<Sent> {
    if (this.#isTaken) return { kind: 'failure', error: 'EBUSY' };
    if (this.#stream !== undefined) return this.#stream.send(bytes, this.patience(signal));
    if (this.#datagrams !== undefined) return this.#datagrams.send(bytes);
    return { kind: 'failure', error: this.kind === 'SOCK_DGRAM' ? 'EDESTADDRREQ' : 'ENOTCONN' };
  }

  /** @returns whether it was connected */
  shutdown(how: ShutdownHow): boolean {
    if (this.#isTaken) return this.#did('EBUSY');
    const way = this.#stream ?? (this.#datagrams?.isConnected === true ? this.#datagrams : undefined);
    if (way === undefined) return this.#did('ENOTCONN');
    if (how !== 'SHUT_WR') way.shutReading();
    if (how !== 'SHUT_RD') way.shutWriting();
    return true;
  }

  /** The connected stream, for TLS alone from now on; undefined when there is none. */
  take(): Socket | undefined {
    if (this.#stream === undefined || this.#isTaken) {
      this.fail(this.#isTaken ? 'EBUSY' : 'ENOTCONN');
      return undefined;
    }
    this.#isTaken = true;
    return this.#stream.detach();
  }

  /** Closes it, also under TLS. What was sent still goes out. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const end of this.#onClose) end();
    this.#stream?.close();
    this.#datagrams?.close();
  }

  /** Calls `end` when this is closed. */
  whenClosed(end: () => void): void {
    this.#onClose.push(end);
  }

  /** What the execution's end does with it. */
  release(): void {
    this.close();
  }
}

/** Why an address cannot be bound on this machine. A datagram socket asks without disturbing anybody. */
function localAddressProblem(family: Family, address: string): Promise<ErrorName | undefined> {
  return new Promise((resolve) => {
    const probe = createSocket(family === 'AF_INET' ? 'udp4' : 'udp6');
    probe.once('error', (error) => {
      probe.close();
      resolve(errorNameOf(error));
    });
    probe.bind({ address, port: 0, exclusive: true }, () => {
      probe.close();
      resolve(undefined);
    });
  });
}
