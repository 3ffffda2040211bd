// A datagram socket as scripts use it. What comes while nobody asks is kept up to a bound; then it is lost, as it is
// lost in the kernel when its buffer is full.

import { createSocket, type Socket } from 'node:dgram';
import type { Received, ReceiveFlags, Sent } from './byte-stream.js';
import { type ErrorName, errorNameOf } from './errno.js';
import { Bell, lostPatience, type Patience } from './patience.js';

const MOST_BYTES = 1024 * 1024;
const MOST_DATAGRAMS = 1024;

export class Datagrams {
  readonly #socket: Socket;
  readonly #bell = new Bell();
  readonly #received: Buffer[] = [];
  #receivedBytes = 0;
  #error: ErrorName | undefined;
  #isConnected = false;
  #isReadShut = false;
  #isWriteShut = false;
  #isClosed = false;

  constructor(family: 'AF_INET' | 'AF_INET6') {
    this.#socket = createSocket(family === 'AF_INET' ? 'udp4' : 'udp6');
    this.#socket.on('message', (message) => {
      if (this.#isReadShut) return;
      if (this.#receivedBytes + message.length > MOST_BYTES || this.#received.length >= MOST_DATAGRAMS)
        return;
      this.#received.push(message);
      this.#receivedBytes += message.length;
      this.#bell.ring();
    });
    this.#socket.on('error', (error) => {
      this.#error = errorNameOf(error);
      this.#bell.ring();
    });
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** @returns the name of what went wrong */
  bind(address: string, port: number): Promise<ErrorName | undefined> {
    return this.#attempt((done) => this.#socket.bind({ address, port, exclusive: true }, done));
  }

  /** @returns the name of what went wrong */
  async connect(address: string, port: number): Promise<ErrorName | undefined> {
    if (this.#isConnected) {
      this.#socket.disconnect();
      this.#isConnected = false;
    }
    const error = await this.#attempt((done) =>
      this.#socket.connect(port, address, done as (error?: Error) => void),
    );
    this.#isConnected = error === undefined;
    return error;
  }

  /** Binding and connecting take one turn of the loop: there is nobody to wait for. */
  #attempt(start: (done: (error?: Error) => void) => void): Promise<ErrorName | undefined> {
    return new Promise((resolve) => {
      const finish = (error?: Error): void => {
        this.#socket.off('error', finish);
        this.#error = undefined;
        resolve(error === undefined ? undefined : errorNameOf(error));
      };
      this.#socket.once('error', finish);
      try {
        start(finish);
      } catch (error) {
        finish(error as Error);
      }
    });
  }

  /** One datagram, cut to `count` bytes; its rest is lost, as recv(2) has it. */
  async receive(count: number, flags: ReceiveFlags, until: Patience): Promise<Received> {
    for (;;) {
      const message = this.#received[0];
      if (message !== undefined) {
        if (!flags.peek) {
          this.#received.shift();
          this.#receivedBytes -= message.length;
        }
        return { kind: 'bytes', bytes: message.subarray(0, count) };
      }
      const error = this.#takeError();
      if (error !== undefined) return { kind: 'failure', error };
      if (this.#isReadShut) return { kind: 'bytes', bytes: Buffer.alloc(0) };
      if (flags.dontWait) return { kind: 'failure', error: 'EAGAIN' };
      const end = await this.#bell.wait(until);
      if (end !== 'woken') return { kind: 'failure', error: lostPatience(end) };
    }
  }

  /** What the network said about an earlier datagram is told once, by the next operation. */
  #takeError(): ErrorName | undefined {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }

  async send(bytes: Buffer): Promise<Sent> {
    const error = this.#takeError() ?? (this.#isWriteShut ? 'EPIPE' : undefined);
    if (error !== undefined) return { kind: 'failure', error };
    if (!this.#isConnected) return { kind: 'failure', error: 'EDESTADDRREQ' };
    return new Promise((resolve) => {
      this.#socket.send(bytes, (failure) => {
        if (failure) resolve({ kind: 'failure', error: errorNameOf(failure) });
        else resolve({ kind: 'sent', count: bytes.length });
      });
    });
  }

  shutReading(): void {
    this.#isReadShut = true;
    this.#received.length = 0;
    this.#bell.ring();
  }

  shutWriting(): void {
    this.#isWriteShut = true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.shutReading();
    this.#socket.close();
  }
}
