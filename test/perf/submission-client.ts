// The load of the submission benchmark, in a process of its own: connections that stay open, each sending one submission after
// another. Bare sockets and a request made once, so that the server has the work.
//
// argv, stdin and stdout are those of `load-client.ts`.

import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { BurstResult, LoadOptions } from './load-client.js';

const { port, sessions: wanted, sizeBytes } = JSON.parse(process.argv[2]!) as LoadOptions;
const request = sampleRequest(sizeBytes);

function sampleRequest(size: number): Buffer {
  const head =
    'From: <source@client.test>\r\nTo: <sink@example.test>\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n' +
    'Message-ID: <0001.bench@client.test>\r\nSubject: load\r\n\r\n';
  const line = `${'X'.repeat(78)}\r\n`;
  const body = line.repeat(Math.ceil(Math.max(0, size - head.length) / line.length));
  const message = `${head}${body.slice(0, Math.max(0, size - head.length - 2))}\r\n`;
  const options = JSON.stringify({
    sender: { localpart: 'source', domain: 'client.test' },
    recipients: [{ localpart: 'sink', domain: 'example.test' }],
  });
  const part = (name: string, type: string, content: string) =>
    `--limit\r\nContent-Disposition: form-data; name="${name}"\r\nContent-Type: ${type}\r\n\r\n${content}\r\n`;
  const form = `${part('options', 'application/json', options)}${part('rfc822', 'message/rfc822', message)}--limit--\r\n`;
  return Buffer.from(
    'POST /v1/submission HTTP/1.1\r\nHost: mta.test\r\nX-API-Key: test-key\r\n' +
      `Content-Type: multipart/form-data; boundary=limit\r\nContent-Length: ${form.length}\r\n\r\n${form}`,
  );
}

let deadline = 0;
let atWork = 0;
let times: number[] = [];
let onIdle: () => void = () => {};

class LoadConnection {
  readonly #socket: Socket;
  #text = '';
  #began = 0;

  constructor(onReady: () => void) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true }, onReady);
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#socket.on('error', (error) => fail(`a connection broke: ${error.message}`));
    this.#socket.on('close', () => fail('the server closed a connection'));
  }

  send(): void {
    this.#began = performance.now();
    this.#socket.write(request);
  }

  #take(chunk: Buffer): void {
    this.#text += chunk.toString('latin1');
    const end = this.#text.indexOf('\r\n\r\n');
    if (end === -1) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#text)?.[1]);
    if (this.#text.length < end + 4 + length) return;
    if (!this.#text.startsWith('HTTP/1.1 200 ')) fail(`the server answered ${this.#text}`);
    this.#text = this.#text.slice(end + 4 + length);
    const now = performance.now();
    times.push(now - this.#began);
    if (now < deadline) this.send();
    else if (--atWork === 0) onIdle();
  }
}

function fail(text: string): never {
  process.stderr.write(`submission client: ${text}\n`);
  process.exit(1);
}

function burst(connections: readonly LoadConnection[], seconds: number): Promise<BurstResult> {
  return new Promise((resolve) => {
    times = [];
    atWork = connections.length;
    const began = performance.now();
    deadline = began + seconds * 1000;
    onIdle = () => {
      const took = (performance.now() - began) / 1000;
      times.sort((a, b) => a - b);
      const at = (share: number) => times[Math.floor((times.length - 1) * share)]!;
      resolve({ count: times.length, seconds: took, p50Ms: at(0.5), p99Ms: at(0.99) });
    };
    for (const connection of connections) connection.send();
  });
}

const connections: LoadConnection[] = [];
await Promise.all(
  Array.from(
    { length: wanted },
    () => new Promise<void>((ready) => connections.push(new LoadConnection(ready))),
  ),
);
process.stdout.write('ready\n');

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await burst(connections, Number(line)))}\n`);
}
process.exit(0);
