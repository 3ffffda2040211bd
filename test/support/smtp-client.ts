// A small SMTP client for tests: one command at a time, every reply looked at. It is not the product's client.

import { connect, type Socket } from 'node:net';

export interface ClientReply {
  readonly code: number;
  readonly lines: readonly string[];
}

export class TestClient {
  #buffer = '';
  #closed = false;
  readonly #waiters: (() => void)[] = [];

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#buffer += chunk.toString('latin1');
      this.#wake();
    });
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** Connects and reads the greeting. */
  static async connect(
    port: number,
    localAddress = '127.0.0.1',
  ): Promise<{ client: TestClient; greeting: ClientReply }> {
    const socket = connect({ host: '127.0.0.1', port, localAddress });
    const client = new TestClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return { client, greeting: await client.reply() };
  }

  /** The next whole reply. @throws when the connection closes first */
  async reply(): Promise<ClientReply> {
    for (;;) {
      const match = /^(?:\d{3}-[^\n]*\r\n)*(\d{3}) [^\n]*\r\n/.exec(this.#buffer);
      if (match !== null) {
        this.#buffer = this.#buffer.slice(match[0].length);
        return { code: Number(match[1]), lines: match[0].trimEnd().split('\r\n') };
      }
      if (this.#closed)
        throw new Error(`the connection was closed; what came: ${JSON.stringify(this.#buffer)}`);
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  async command(line: string): Promise<ClientReply> {
    this.socket.write(`${line}\r\n`, 'latin1');
    return this.reply();
  }

  /** One whole mail. @returns the reply that decided: the first that refuses, else the one to the end of data */
  async send(sender: string, recipients: readonly string[], message: string): Promise<ClientReply> {
    const mail = await this.command(`MAIL FROM:<${sender}>`);
    if (mail.code !== 250) return mail;
    for (const recipient of recipients) {
      const rcpt = await this.command(`RCPT TO:<${recipient}>`);
      if (rcpt.code !== 250) return rcpt;
    }
    const data = await this.command('DATA');
    if (data.code !== 354) return data;
    this.socket.write(`${message.replace(/^\./gm, '..')}\r\n.\r\n`, 'latin1');
    return this.reply();
  }

  async quit(): Promise<void> {
    await this.command('QUIT').catch(() => {});
    this.socket.destroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
