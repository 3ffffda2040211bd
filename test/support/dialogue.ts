// Dialogue tests: a transcript against a real socket.
//
//   S: 250 *            the next line from the server; `*` stands for anything
//   S: <close>          the server closes the connection
//   C: MAIL FROM:<a@b>  a line to the server, CR LF added
//   C~ 2e 0d 0a         bytes in hexadecimal, nothing added
//
// Several C lines in a row are sent as one packet.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';

export class Dialogue {
  readonly socket: Socket;
  #received = '';
  #isClosed = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
      this.#wake?.();
    });
    const closed = () => {
      this.#isClosed = true;
      this.#wake?.();
    };
    socket.on('end', closed);
    socket.on('close', closed);
    socket.on('error', closed);
  }

  static async open(port: number, options: { host?: string; localAddress?: string } = {}): Promise<Dialogue> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, ...options });
    await once(socket, 'connect');
    return new Dialogue(socket);
  }

  static async openPath(path: string): Promise<Dialogue> {
    const socket = connect({ path });
    await once(socket, 'connect');
    return new Dialogue(socket);
  }

  /** TLS from the start. */
  static async openTls(port: number, options: ConnectionOptions = {}): Promise<Dialogue> {
    return new Dialogue(await secured({ port, host: '127.0.0.1', ...options }));
  }

  /** TLS from here on: the handshake that follows the reply to STARTTLS. */
  async secure(options: ConnectionOptions = {}): Promise<Dialogue> {
    this.socket.removeAllListeners('data');
    return new Dialogue(await secured({ socket: this.socket, ...options }));
  }

  /** Plays a transcript; rejects at the first line that is not as written. */
  async play(transcript: string): Promise<void> {
    let pending: Buffer[] = [];
    const send = () => {
      if (pending.length > 0) this.socket.write(Buffer.concat(pending));
      pending = [];
    };
    for (const written of transcript.split('\n')) {
      const line = written.replace(/^\s+/, '');
      if (line === '') continue;
      if (line.startsWith('C:')) pending.push(Buffer.from(`${line.slice(3)}\r\n`, 'utf8'));
      else if (line.startsWith('C~')) pending.push(Buffer.from(line.slice(2).replaceAll(' ', ''), 'hex'));
      else if (line.startsWith('S:')) {
        send();
        const expected = line.slice(3);
        if (expected === '<close>') await this.expectClose();
        else await this.expectLine(expected);
      } else throw new Error(`a transcript line begins with S:, C: or C~, not "${line}"`);
    }
    send();
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  async expectLine(pattern: string): Promise<string> {
    const line = await this.line();
    const regex = new RegExp(
      `^${pattern
        .split('*')
        .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*')}$`,
      's',
    );
    if (line === undefined) throw new Error(`expected "${pattern}", but the server closed the connection`);
    if (!regex.test(line)) throw new Error(`expected "${pattern}", got "${line}"`);
    return line;
  }

  async expectClose(): Promise<void> {
    while (!this.#isClosed && this.#received === '') await this.#more();
    if (this.#received !== '') throw new Error(`expected a close, got "${this.#received}"`);
  }

  /** The next line without its end; undefined when the connection is closed. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#received.indexOf('\r\n');
      if (end !== -1) {
        const line = this.#received.slice(0, end);
        this.#received = this.#received.slice(end + 2);
        return line;
      }
      if (this.#isClosed) return undefined;
      await this.#more();
    }
  }

  /** Everything until the server closes. */
  async rest(): Promise<string> {
    while (!this.#isClosed) await this.#more();
    return this.#received;
  }

  close(): void {
    this.socket.destroy();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

async function secured(options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ rejectUnauthorized: false, ...options });
  await once(socket, 'secureConnect');
  return socket;
}
