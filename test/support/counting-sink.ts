// A next hop that remembers every message it took: for tests that count. Raw sockets, no library, so that it can be
// asked to misbehave between any two bytes.

import { createServer, type Server, type Socket } from 'node:net';

/** What one delivery looked like. */
export interface Delivery {
  readonly sender: string;
  readonly recipients: readonly string[];
  /** The message as it came, dot-unstuffed, with CRLF. One character per byte. */
  readonly data: string;
}

export interface CountingSinkOptions {
  /** Replaces the reply to a command: `RCPT`, `EOD`...; undefined keeps the usual one, `drop` closes the connection. */
  readonly reply?: (verb: string, line: string) => string | 'drop' | undefined;
  readonly extensions?: readonly string[];
}

export class CountingSink {
  readonly deliveries: Delivery[] = [];
  readonly connections = { now: 0, most: 0, total: 0 };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #waiters = new Set<() => void>();
  port = 0;

  private constructor(private readonly options: CountingSinkOptions) {
    // Several replies to commands that came together are several writes: none waits until the one before is acknowledged.
    this.#server = createServer({ noDelay: true }, (socket) => this.#talk(socket));
  }

  static async start(
    options: CountingSinkOptions = {},
    port = 0,
    address = '127.0.0.1',
  ): Promise<CountingSink> {
    const sink = new CountingSink(options);
    await new Promise<void>((resolve, reject) => {
      sink.#server.once('error', reject);
      sink.#server.listen(port, address, resolve);
    });
    sink.port = (sink.#server.address() as { port: number }).port;
    return sink;
  }

  /** Resolves when `count` messages have come. */
  async waitFor(count: number, timeoutMs = 40_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (this.deliveries.length < count) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`${this.deliveries.length} of ${count} messages came`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, left);
        const waiters = this.#waiters;
        function done() {
          clearTimeout(timer);
          waiters.delete(done);
          resolve();
        }
        waiters.add(done);
      });
    }
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #talk(socket: Socket): void {
    const { options } = this;
    this.#sockets.add(socket);
    this.connections.total++;
    this.connections.most = Math.max(this.connections.most, ++this.connections.now);
    socket.on('error', () => {});
    socket.once('close', () => {
      this.connections.now--;
      this.#sockets.delete(socket);
    });
    let buffer = '';
    let inData = false;
    let sender = '';
    let recipients: string[] = [];
    const say = (verb: string, line: string, usual: string): boolean => {
      const reply = options.reply?.(verb, line) ?? usual;
      if (reply === 'drop') {
        socket.destroy();
        return false;
      }
      socket.write(`${reply}\r\n`, 'latin1');
      return reply.startsWith('2') || reply.startsWith('3');
    };
    say('CONNECT', '', '220 sink.test ESMTP');
    socket.on('data', (chunk: Buffer) => {
      buffer += chunk.toString('latin1');
      for (;;) {
        if (inData) {
          const end = buffer.startsWith('.\r\n') ? 0 : buffer.indexOf('\r\n.\r\n');
          if (end === -1) return;
          const isEmpty = buffer.startsWith('.\r\n');
          const data = isEmpty ? '' : buffer.slice(0, end + 2).replace(/^\./gm, '');
          buffer = buffer.slice(isEmpty ? 3 : end + 5);
          inData = false;
          // Counted before the reply is written: a sender that dies now has delivered it.
          const accepted = say('EOD', '', '250 2.0.0 taken');
          if (accepted) {
            this.deliveries.push({ sender, recipients, data });
            for (const wake of this.#waiters) wake();
          }
          sender = '';
          recipients = [];
          continue;
        }
        const end = buffer.indexOf('\r\n');
        if (end === -1) return;
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + 2);
        const verb = line.slice(0, 4).toUpperCase();
        if (verb === 'EHLO') {
          const lines = [
            'sink.test',
            ...(options.extensions ?? ['PIPELINING', '8BITMIME', 'SIZE 0', 'ENHANCEDSTATUSCODES']),
          ];
          say(
            verb,
            line,
            lines.map((text, index) => `250${index === lines.length - 1 ? ' ' : '-'}${text}`).join('\r\n'),
          );
        } else if (verb === 'MAIL') {
          if (say(verb, line, '250 2.1.0 ok')) sender = /<([^>]*)>/.exec(line)?.[1] ?? '';
        } else if (verb === 'RCPT') {
          if (say(verb, line, '250 2.1.5 ok')) recipients.push(/<([^>]*)>/.exec(line)?.[1] ?? '');
        } else if (verb === 'DATA') {
          if (recipients.length === 0) say(verb, line, '503 5.5.1 no recipients');
          else inData = say(verb, line, '354 go on');
        } else if (verb === 'RSET') {
          sender = '';
          recipients = [];
          say(verb, line, '250 2.0.0 ok');
        } else if (verb === 'QUIT') {
          say(verb, line, '221 2.0.0 bye');
          socket.end();
        } else say(verb, line, '250 2.0.0 ok');
      }
    });
  }
}
