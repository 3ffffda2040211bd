// The load of the accept benchmark, in a process of its own: sessions that stay open, are logged out of the clock until
// all have greeted, and then send one message after another, one command at a time as smtp-source does, or pipelined. The same client
// drives every server, with and without TLS.
//
// argv: one JSON object (`LoadOptions`). stdout: "ready", then one JSON object for each burst. stdin: seconds of a burst.

import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as connectTls, createSecureContext } from 'node:tls';

/** What the load is. */
export interface LoadOptions {
  readonly port: number;
  readonly sessions: number;
  readonly sizeBytes: number;
  /** STARTTLS before anything else. */
  readonly tls: boolean;
  /** MAIL, RCPT and DATA in one packet (RFC 2920), as sending servers do where it is announced. */
  readonly pipelining: boolean;
}

/** One burst. */
export interface BurstResult {
  readonly count: number;
  readonly seconds: number;
  /** From MAIL to the reply of the final dot. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const options = JSON.parse(process.argv[2]!) as LoadOptions;
const mail = Buffer.from('MAIL FROM:<source@client.test>\r\n');
const rcpt = Buffer.from('RCPT TO:<sink@example.test>\r\n');
const logIn = Buffer.from(`AUTH PLAIN ${Buffer.from('\0source\0load').toString('base64')}\r\n`);
const data = Buffer.from('DATA\r\n');
const envelope = Buffer.concat([mail, rcpt, data]);
const message = sampleMessage(options.sizeBytes);
// The certificate of the benchmark is nobody's: what is measured is the server's side.
const secureContext = options.tls ? createSecureContext() : undefined;

function sampleMessage(sizeBytes: number): Buffer {
  const head =
    'From: <source@client.test>\r\nTo: <sink@example.test>\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n' +
    'Message-ID: <0001.bench@client.test>\r\nSubject: load\r\n\r\n';
  const line = `${'X'.repeat(78)}\r\n`;
  const body = line.repeat(Math.ceil(Math.max(0, sizeBytes - head.length) / line.length));
  return Buffer.from(`${head}${body.slice(0, Math.max(0, sizeBytes - head.length - 2))}\r\n.\r\n`);
}

let deadline = 0;
let atWork = 0;
let times: number[] = [];
let onIdle: () => void = () => {};

type Step = 'greeting' | 'ehlo' | 'starttls' | 'auth' | 'idle' | 'mail' | 'rcpt' | 'data' | 'message';

class LoadSession {
  #socket: Socket;
  #step: Step = 'greeting';
  #text = '';
  #began = 0;
  #canLogIn = false;
  readonly #onReady: () => void;

  constructor(onReady: () => void) {
    this.#onReady = onReady;
    this.#socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true });
    this.#listen(this.#socket);
  }

  /** Sends messages until the burst is over. */
  send(): void {
    this.#began = performance.now();
    this.#say('mail', options.pipelining ? envelope : mail);
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => fail(`a connection broke: ${error.message}`));
    socket.on('close', () => fail(`the server closed a connection at ${this.#step}`));
  }

  #say(step: Step, bytes: Buffer): void {
    this.#step = step;
    this.#socket.write(bytes);
  }

  #take(chunk: Buffer): void {
    this.#text += chunk.toString('latin1');
    let begin = 0;
    for (let end = this.#text.indexOf('\r\n'); end !== -1; end = this.#text.indexOf('\r\n', begin)) {
      const line = this.#text.slice(begin, end);
      begin = end + 2;
      if (line.startsWith('AUTH ', 4)) this.#canLogIn = true;
      if (line[3] !== '-') this.#answered(Number(line.slice(0, 3)), line);
    }
    this.#text = this.#text.slice(begin);
  }

  #answered(code: number, line: string): void {
    if (code >= 400) fail(`the server answered ${this.#step} with ${line}`);
    switch (this.#step) {
      case 'greeting':
        this.#greet();
        return;
      case 'ehlo':
        if (secureContext !== undefined && !('encrypted' in this.#socket)) {
          this.#say('starttls', Buffer.from('STARTTLS\r\n'));
          return;
        }
        if (this.#canLogIn) this.#say('auth', logIn);
        else this.#becomeReady();
        return;
      case 'auth':
        this.#becomeReady();
        return;
      case 'starttls':
        this.#encrypt();
        return;
      case 'mail':
        if (options.pipelining) this.#step = 'rcpt';
        else this.#say('rcpt', rcpt);
        return;
      case 'rcpt':
        if (options.pipelining) this.#step = 'data';
        else this.#say('data', data);
        return;
      case 'data':
        this.#say('message', message);
        return;
      case 'message': {
        const now = performance.now();
        times.push(now - this.#began);
        if (now < deadline) {
          this.send();
          return;
        }
        this.#step = 'idle';
        if (--atWork === 0) onIdle();
        return;
      }
      case 'idle':
        fail(`the server said something unasked: ${line}`);
    }
  }

  #becomeReady(): void {
    this.#step = 'idle';
    this.#onReady();
  }

  #greet(): void {
    this.#canLogIn = false;
    this.#say('ehlo', Buffer.from('EHLO client.test\r\n'));
  }

  #encrypt(): void {
    const plain = this.#socket;
    plain.removeAllListeners('data');
    plain.removeAllListeners('close');
    const secure = connectTls(
      {
        socket: plain,
        rejectUnauthorized: false,
        ...(secureContext === undefined ? undefined : { secureContext }),
      },
      () => this.#greet(),
    );
    this.#socket = secure;
    this.#listen(secure);
  }
}

function fail(text: string): never {
  process.stderr.write(`load client: ${text}\n`);
  process.exit(1);
}

function burst(sessions: readonly LoadSession[], seconds: number): Promise<BurstResult> {
  return new Promise((resolve) => {
    times = [];
    atWork = sessions.length;
    const began = performance.now();
    deadline = began + seconds * 1000;
    onIdle = () => {
      const took = (performance.now() - began) / 1000;
      times.sort((a, b) => a - b);
      const at = (share: number) => times[Math.floor((times.length - 1) * share)]!;
      resolve({ count: times.length, seconds: took, p50Ms: at(0.5), p99Ms: at(0.99) });
    };
    for (const session of sessions) session.send();
  });
}

/** So many connections are being opened at the same time: more would overflow a listener's backlog. */
const openAtOnce = 50;
const sessions: LoadSession[] = [];
await new Promise<void>((resolve) => {
  let ready = 0;
  const open = (): void => {
    if (sessions.length === options.sessions) return;
    sessions.push(
      new LoadSession(() => {
        if (++ready === options.sessions) resolve();
        else open();
      }),
    );
  };
  for (let n = 0; n < openAtOnce; n++) open();
});
process.stdout.write('ready\n');

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await burst(sessions, Number(line)))}\n`);
}
process.exit(0);
