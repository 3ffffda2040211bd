// A connected stream (TCP, a UNIX socket, or TLS over one) as scripts use it: they ask for bytes when they want them and
// hand over bytes to send. Both directions are bounded. What comes beyond RECEIVE_BOUND stays in the kernel, whose window
// then stops the peer; what a script sends beyond SEND_BOUND waits until the peer has taken some.
//
// `send` has the meaning of send(2) with a larger buffer: what it took is on its way, also when a later part timed out.

import type { Socket } from 'node:net';
import { type ErrorName, errorNameOf } from './errno.js';
import { Bell, lostPatience, type Patience } from './patience.js';
import { ReceiveBuffer } from './receive-buffer.js';

/** So much is received ahead of the script. */
export const RECEIVE_BOUND = 256 * 1024;
/** So much is sent ahead of the peer. */
export const SEND_BOUND = 256 * 1024;
/** A close waits so long for the peer to take what was sent, in the background. */
const LINGER_MS = 10_000;

export interface ReceiveFlags {
  /** The bytes stay for the next call. */
  readonly peek: boolean;
  /** Not less than asked for, unless the stream ends or time is up. */
  readonly waitAll: boolean;
  /** Only what is there already. */
  readonly dontWait: boolean;
}

export const NO_FLAGS: ReceiveFlags = { peek: false, waitAll: false, dontWait: false };

/** No bytes: the peer has ended the stream. */
export type Received =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'failure'; readonly error: ErrorName };
export type Sent =
  | { readonly kind: 'sent'; readonly count: number }
  | { readonly kind: 'failure'; readonly error: ErrorName };

const NOTHING: Received = { kind: 'bytes', bytes: Buffer.alloc(0) };

export class ByteStream {
  readonly #socket: Socket;
  readonly #bell = new Bell();
  readonly #received = new ReceiveBuffer();
  /** Handed to Node, not yet to the kernel. */
  #outstanding = 0;
  #hasEnded = false;
  #isReadShut = false;
  #isWriteShut = false;
  #error: ErrorName | undefined;
  #isDetached = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onEnd);
    if (socket.destroyed) this.#error = errorNameOf(socket.errored ?? { code: 'ECONNRESET' });
    socket.resume();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isReadShut) return;
    this.#received.append(chunk);
    if (this.#received.length >= RECEIVE_BOUND) this.#socket.pause();
    this.#bell.ring();
  };

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.#bell.ring();
  };

  readonly #onError = (error: Error): void => {
    this.#error ??= errorNameOf(error);
    this.#bell.ring();
  };

  /** Whether the peer will send no more, or cannot. */
  get hasEnded(): boolean {
    return this.#hasEnded || this.#error !== undefined;
  }

  get error(): ErrorName | undefined {
    return this.#error;
  }

  /** Up to `count` bytes; at once when they are there. */
  receive(
    count: number,
    flags: ReceiveFlags,
    until: Patience,
    charge: (bytes: number) => void,
  ): Received | Promise<Received> {
    const wanted = flags.peek ? Math.min(count, RECEIVE_BOUND) : count;
    const needed = flags.waitAll && !flags.dontWait ? wanted : Math.min(wanted, 1);
    if (this.#received.length >= needed || this.#isOver) return this.#collected([], wanted, flags, charge);
    if (flags.dontWait) return { kind: 'failure', error: 'EAGAIN' };
    return this.#receiveLater(wanted, needed, flags, until, charge);
  }

  get #isOver(): boolean {
    return this.#isReadShut || this.hasEnded;
  }

  async #receiveLater(
    wanted: number,
    needed: number,
    flags: ReceiveFlags,
    until: Patience,
    charge: (bytes: number) => void,
  ): Promise<Received> {
    // More than the bound is taken out as it comes, or the stream would stand still below it.
    const parts: Buffer[] = [];
    let have = 0;
    for (;;) {
      if (have + this.#received.length >= needed || this.#isOver)
        return this.#collected(parts, wanted - have, flags, charge);
      if (!flags.peek && this.#received.length > 0) {
        const part = this.#take(wanted - have, flags, charge);
        parts.push(part);
        have += part.length;
      }
      const end = await this.#bell.wait(until);
      if (end === 'woken') continue;
      if (have + this.#received.length > 0) return this.#collected(parts, wanted - have, flags, charge);
      return { kind: 'failure', error: lostPatience(end) };
    }
  }

  #collected(parts: Buffer[], more: number, flags: ReceiveFlags, charge: (bytes: number) => void): Received {
    const last = this.#take(more, flags, charge);
    if (parts.length > 0) return { kind: 'bytes', bytes: Buffer.concat([...parts, last]) };
    if (last.length > 0 || more === 0) return { kind: 'bytes', bytes: last };
    if (this.#error !== undefined && !this.#isReadShut) return { kind: 'failure', error: this.#error };
    return NOTHING;
  }

  #take(count: number, { peek }: ReceiveFlags, charge: (bytes: number) => void): Buffer {
    const bytes = peek ? this.#received.peek(count) : this.#received.take(count);
    if (bytes.length > 0) charge(bytes.length);
    if (!peek && this.#received.length < RECEIVE_BOUND && this.#socket.isPaused()) this.#socket.resume();
    return bytes;
  }

  /** Hands bytes over; at once when there is room for them. The buffer must not change afterwards. */
  send(bytes: Buffer, until: Patience): Sent | Promise<Sent> {
    if (this.#cannotSend !== undefined) return { kind: 'failure', error: this.#cannotSend };
    const count = this.#write(bytes, 0);
    return count === bytes.length ? { kind: 'sent', count } : this.#sendRest(bytes, count, until);
  }

  get #cannotSend(): ErrorName | undefined {
    if (this.#error !== undefined) return this.#error;
    return this.#isWriteShut || this.#socket.destroyed ? 'EPIPE' : undefined;
  }

  async #sendRest(bytes: Buffer, done: number, until: Patience): Promise<Sent> {
    let count = done;
    while (count < bytes.length) {
      const end = await this.#bell.wait(until);
      if (end !== 'woken')
        return count > 0 ? { kind: 'sent', count } : { kind: 'failure', error: lostPatience(end) };
      if (this.#cannotSend !== undefined) return { kind: 'failure', error: this.#cannotSend };
      count += this.#write(bytes, count);
    }
    return { kind: 'sent', count };
  }

  /** As much as there is room for. */
  #write(bytes: Buffer, start: number): number {
    const room = SEND_BOUND - this.#outstanding;
    const part = bytes.subarray(start, start + Math.max(0, room));
    if (part.length === 0) return 0;
    this.#outstanding += part.length;
    this.#socket.write(part, () => {
      this.#outstanding -= part.length;
      this.#bell.ring();
    });
    return part.length;
  }

  /** Nothing more is received; what the peer still sends is thrown away. */
  shutReading(): void {
    this.#isReadShut = true;
    this.#received.clear();
    this.#socket.resume();
    this.#bell.ring();
  }

  /** Tells the peer, behind all that was sent, that no more comes. */
  shutWriting(): void {
    if (this.#isWriteShut) return;
    this.#isWriteShut = true;
    this.#socket.end();
  }

  /** Resolves when the peer has ended its side, with an error's name when time was up or the stream broke. */
  async untilEnded(until: Patience): Promise<ErrorName | undefined> {
    while (!this.hasEnded) {
      // Nobody reads any more; bytes in the way of the end are thrown away.
      this.shutReading();
      const end = await this.#bell.wait(until);
      if (end !== 'woken') return lostPatience(end);
    }
    return this.#error;
  }

  /** Gives the socket to TLS, with what came before the handshake back in front of it. Nothing may be asked of this afterwards. */
  detach(): Socket {
    this.#isDetached = true;
    const socket = this.#socket;
    socket.pause();
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onEnd);
    const rest = this.#received.take(this.#received.length);
    if (rest.length > 0) socket.unshift(rest);
    return socket;
  }

  /** Sends what was handed over, in the background and not for ever, and closes. */
  close(): void {
    const socket = this.#socket;
    this.#received.clear();
    if (this.#isDetached || socket.destroyed) return;
    if (this.#outstanding === 0 || this.#error !== undefined) {
      socket.destroy();
      return;
    }
    this.#isReadShut = true;
    socket.resume();
    socket.destroySoon();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
    socket.once('close', () => clearTimeout(timer));
  }
}
