// One connection to a directory: requests go out with an id, responses come back with it. What a server may send is
// bounded: one message, and all messages of one operation. It never connects again by itself, since then a request could
// go out unprotected or as somebody else.

import type { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import type { Patience } from '../sockets/patience.js';
import { ReceiveBuffer } from '../sockets/receive-buffer.js';
import { BerError, elementLength } from './ber.js';
import {
  type OperationResult,
  type RequestWriter,
  type Response,
  readMessage,
  START_TLS,
} from './messages.js';
import { LdapCode } from './result-codes.js';

const LONGEST_MESSAGE_BYTES = 16 * 1024 * 1024;
const LONGEST_OPERATION_BYTES = 64 * 1024 * 1024;
/** The tag that every message begins with. */
const MESSAGE = 0x30;
const LONGEST_TIMER_MS = 2_147_483_647;

export interface TlsWish {
  readonly context: SecureContext;
  /** The certificate must lead to an authority we trust and be for this host. */
  readonly verifies: boolean;
  readonly host: string;
}

interface Pending {
  /** Takes what comes before the result; false gives the operation up. */
  readonly onResponse: (response: Response) => boolean;
  readonly finish: (result: OperationResult) => void;
  bytes: number;
}

const ended = (code: number): OperationResult => ({ code, referrals: [] });

export class LdapConnection {
  #socket: Socket;
  readonly #writer: RequestWriter;
  readonly #received = new ReceiveBuffer();
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #isClosed = false;
  #certificate: X509Certificate | undefined;
  /** The request that asked for TLS, while it waits. */
  #tlsRequest: number | undefined;

  constructor(socket: Socket, writer: RequestWriter) {
    this.#socket = socket;
    this.#writer = writer;
    this.#listen();
  }

  #listen(): void {
    this.#socket.on('data', this.#onData);
    this.#socket.on('error', this.#onEnd);
    this.#socket.on('end', this.#onEnd);
    this.#socket.on('close', this.#onEnd);
    this.#socket.resume();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether bytes go out inside TLS. */
  get isSecure(): boolean {
    return this.#certificate !== undefined;
  }

  get certificate(): X509Certificate | undefined {
    return this.#certificate;
  }

  readonly #onEnd = (): void => this.#fail(LdapCode.serverDown);

  readonly #onData = (chunk: Buffer): void => {
    this.#received.append(chunk);
    try {
      this.#readMessages();
    } catch (error) {
      if (!(error instanceof BerError)) throw error;
      this.#fail(LdapCode.decodingError);
    }
  };

  #readMessages(): void {
    while (!this.#isClosed) {
      const start = this.#received.peek(6);
      if (start.length > 0 && start[0] !== MESSAGE) throw new BerError('something that is no LDAP');
      const length = elementLength(start);
      if (length === undefined) return;
      if (length > LONGEST_MESSAGE_BYTES) throw new BerError(`a message of ${length} bytes`);
      if (this.#received.length < length) return;
      const { id, response } = readMessage(this.#received.take(length));
      this.#take(id, response, length);
    }
  }

  #take(id: number, response: Response, bytes: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) {
      // Id 0 is the server's notice that it closes the connection (RFC 4511 §4.4).
      if (id === 0) this.#fail(LdapCode.serverDown);
      return;
    }
    if (response.kind === 'result') {
      pending.finish(response.result);
      // What stands behind the answer was not protected, and may be somebody else's (RFC 4511 §4.14.1).
      if (id === this.#tlsRequest && this.#received.length > 0) this.#fail(LdapCode.serverDown);
      return;
    }
    pending.bytes += bytes;
    if (pending.bytes <= LONGEST_OPERATION_BYTES && pending.onResponse(response)) return;
    // What is still to come would be read for nothing.
    pending.finish(ended(LdapCode.noMemory));
    this.#fail(LdapCode.serverDown);
  }

  /** A request, and what comes for it. Resolves with its result, or with a code below zero. */
  #request(
    encode: (id: number) => Buffer | undefined,
    { untilMs, signal }: Patience,
    onResponse: (response: Response) => boolean,
  ): Promise<OperationResult> {
    if (this.#isClosed) return Promise.resolve(ended(LdapCode.serverDown));
    if (signal.aborted) return Promise.resolve(ended(LdapCode.cancelled));
    const id = this.#nextId();
    const bytes = encode(id);
    if (bytes === undefined) return Promise.resolve(ended(LdapCode.badFilter));
    return new Promise((resolve) => {
      const finish = (result: OperationResult): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#pending.delete(id);
        resolve(result);
      };
      const giveUp = (code: number): void => {
        finish(ended(code));
        if (!this.#isClosed) this.#socket.write(this.#writer.abandon(this.#nextId(), id));
      };
      const onAbort = (): void => giveUp(LdapCode.cancelled);
      const left = Math.max(0, Math.min(untilMs - performance.now(), LONGEST_TIMER_MS));
      const timer = setTimeout(() => giveUp(LdapCode.timeout), left);
      signal.addEventListener('abort', onAbort);
      this.#pending.set(id, { onResponse, finish, bytes: 0 });
      this.#socket.write(bytes);
    });
  }

  #nextId(): number {
    this.#lastId = this.#lastId >= 2_147_483_647 ? 1 : this.#lastId + 1;
    return this.#lastId;
  }

  /** A simple bind (RFC 4513 §5.1). One that is not answered leaves nobody knowing who we are: the connection ends. */
  async bind(version: number, name: string, password: string, until: Patience): Promise<OperationResult> {
    const result = await this.#request(
      (id) => this.#writer.bind(id, version, name, password),
      until,
      () => true,
    );
    if (result.code < 0) this.#fail(LdapCode.serverDown);
    return result;
  }

  search(
    wish: Parameters<RequestWriter['search']>[1],
    until: Patience,
    onResponse: (response: Response) => boolean,
  ): Promise<OperationResult> {
    return this.#request((id) => this.#writer.search(id, wish), until, onResponse);
  }

  /** Goes on inside TLS, or ends: there is no way back to plain text that a script could trust. */
  async startTls(wish: TlsWish, until: Patience): Promise<OperationResult> {
    if (this.isSecure) return ended(LdapCode.protocolError);
    const result = await this.#request(
      (id) => {
        this.#tlsRequest = id;
        return this.#writer.extended(id, START_TLS);
      },
      until,
      () => true,
    );
    if (result.code !== LdapCode.success) return result;
    return ended(await this.secure(wish, until));
  }

  /** The TLS handshake. @returns a code */
  async secure(wish: TlsWish, until: Patience): Promise<number> {
    const plain = this.#socket;
    if (this.#pending.size > 0 || this.#isClosed) {
      this.#fail(LdapCode.serverDown);
      return LdapCode.connectError;
    }
    plain.pause();
    plain.off('data', this.#onData);
    plain.off('end', this.#onEnd);
    plain.off('close', this.#onEnd);
    const tls = await handshake(plain, wish, until);
    if (tls === undefined || this.#isClosed) {
      plain.destroy();
      this.#fail(LdapCode.serverDown);
      return LdapCode.connectError;
    }
    this.#socket = tls;
    this.#certificate = tls.getPeerX509Certificate();
    this.#listen();
    return LdapCode.success;
  }

  /** Everything that waits ends with `code`, and so does the connection. */
  #fail(code: number): void {
    this.#isClosed = true;
    for (const { finish } of [...this.#pending.values()]) finish(ended(code));
    this.#received.clear();
    this.#socket.destroy();
  }

  /** Says goodbye, which has no answer. */
  unbind(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { finish } of [...this.#pending.values()]) finish(ended(LdapCode.serverDown));
    const socket = this.#socket;
    socket.end(this.#writer.unbind(this.#nextId()));
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), 2000).unref();
    socket.once('close', () => clearTimeout(timer));
  }

  /** What the execution's end does with it. */
  close(): void {
    this.#fail(LdapCode.cancelled);
  }
}

function handshake(
  socket: Socket,
  wish: TlsWish,
  { untilMs, signal }: Patience,
): Promise<TLSSocket | undefined> {
  return new Promise((resolve) => {
    const tls = connectTls({
      socket,
      secureContext: wish.context,
      rejectUnauthorized: wish.verifies,
      // With a socket given, Node takes the name to check from here.
      host: wish.host,
      ...(isIP(wish.host) === 0 && { servername: wish.host }),
    });
    const finish = (secured: TLSSocket | undefined): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onFailure);
      tls.off('secureConnect', onSecure);
      tls.off('close', onFailure);
      if (secured === undefined) tls.destroy();
      resolve(secured);
    };
    const onSecure = (): void => finish(tls);
    const onFailure = (): void => finish(undefined);
    const left = Math.max(0, Math.min(untilMs - performance.now(), LONGEST_TIMER_MS));
    const timer = setTimeout(onFailure, left);
    signal.addEventListener('abort', onFailure);
    tls.once('secureConnect', onSecure);
    tls.on('error', onFailure);
    tls.once('close', onFailure);
    if (signal.aborted) onFailure();
  });
}
