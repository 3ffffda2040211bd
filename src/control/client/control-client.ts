// The other end of the control socket: what the command line asks with. Requests with a body go out in JSON, so that nothing has to be
// loaded for them; only the answers to bare commands come in Protobuf.

import { statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type CommandLetter, commands } from '../commands.js';
import { LENGTH_BYTES, requestFrame } from '../socket/frames.js';

/** Nobody answers at the socket; the message says what to do. */
export class UnreachableError extends Error {}

/** The daemon has said no; the message is its own. */
export class RefusedError extends Error {}

/** To be connected, with TLS if that is wanted. */
const CONNECT_SECONDS = 15;
/** An answer may have so many bytes: a page of 10,000 messages has some 20 MB. */
const LONGEST_ANSWER = 512n * 1024n * 1024n;

interface Waiting {
  readonly take: (data: Buffer) => void;
  readonly fail: (error: Error) => void;
}

/** TLS of a client, in PEM; what is absent is the system's, or nothing. */
export interface ClientTls {
  /** Who vouches for the daemon. */
  readonly ca?: Buffer;
  /** What is shown to it. */
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** One connection to a daemon. */
export class ControlClient {
  readonly #socket: Socket;
  readonly #place: string;
  readonly #waiting: Waiting[] = [];
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Bytes without which looking again makes no sense. */
  #wanted = 1 + LENGTH_BYTES;
  #isFirst = true;
  #onLine: (data: Buffer) => void = () => {};
  #ended: Error | undefined;
  #onEnd: (error: Error) => void = () => {};

  private constructor(socket: Socket, place: string) {
    this.#socket = socket;
    this.#place = place;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('the connection was closed')));
  }

  /** Connects to a path, or to `address:port`, there with TLS if that is given. @throws UnreachableError */
  static connect(place: string, tls?: ClientTls): Promise<ControlClient> {
    return new Promise((resolve, reject) => {
      const socket = tls === undefined ? connect(whereIs(place)) : connectTls({ ...whereIs(place), ...tls });
      const late = setTimeout(() => {
        socket.destroy(new Error(`nobody has answered within ${CONNECT_SECONDS} s. Is the daemon running?`));
      }, CONNECT_SECONDS * 1000);
      socket.once('close', () => clearTimeout(late));
      socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
        clearTimeout(late);
        socket.removeAllListeners('error');
        resolve(new ControlClient(socket, place));
      });
      socket.once('error', (error: NodeJS.ErrnoException) =>
        reject(new UnreachableError(`${place}: ${adviceOn(error, place)}`, { cause: error })),
      );
    });
  }

  /** Asks with a body. @throws RefusedError, UnreachableError */
  async ask(letter: CommandLetter, request: object): Promise<Record<string, unknown>> {
    const data = await this.#send(letter, Buffer.from(JSON.stringify(request)));
    return data.length === 0 ? {} : (JSON.parse(data.toString('utf8')) as Record<string, unknown>);
  }

  /** Asks with a command that has no body. @throws RefusedError, UnreachableError */
  async askBare(letter: CommandLetter): Promise<Record<string, unknown> | undefined> {
    const data = await this.#send(letter, undefined);
    if (data.length === 0) return undefined;
    const { wireShapes } = await import('../wire-shapes.js');
    return (await wireShapes()).fromBytes(`${commands[letter].name}Response`, data) as Record<
      string,
      unknown
    >;
  }

  /** Calls with the data of each `=` frame; the result resolves when the connection has ended. */
  lines(call: (data: Buffer) => void): Promise<void> {
    this.#onLine = call;
    if (this.#ended !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEnd = () => resolve();
    });
  }

  /** Ends the connection. */
  close(): void {
    this.#socket.destroy();
  }

  #send(letter: CommandLetter, body: Buffer | undefined): Promise<Buffer> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((take, fail) => {
      this.#waiting.push({ take, fail });
      this.#socket.write(requestFrame(letter, body, this.#isFirst));
      this.#isFirst = false;
    });
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= this.#wanted && this.#ended === undefined) {
      const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
      this.#chunks = [all];
      const length = all.readBigUInt64LE(1);
      if (length > LONGEST_ANSWER) {
        this.#end(new UnreachableError(`${this.#place}: what answers is no control socket of ours`));
        this.#socket.destroy();
        return;
      }
      const end = 1 + LENGTH_BYTES + Number(length);
      if (all.length < end) {
        this.#wanted = end;
        return;
      }
      this.#wanted = 1 + LENGTH_BYTES;
      this.#chunks = all.length === end ? [] : [all.subarray(end)];
      this.#bytes = all.length - end;
      this.#answered(String.fromCharCode(all[0]!), all.subarray(1 + LENGTH_BYTES, end));
    }
  }

  #answered(status: string, data: Buffer): void {
    if (status === '=') {
      this.#onLine(data);
      return;
    }
    const waiting = this.#waiting.shift();
    if (status === '+') waiting?.take(data);
    else {
      const error = new RefusedError(data.toString('utf8'));
      if (waiting === undefined) this.#end(error);
      else waiting.fail(error);
    }
  }

  #end(cause: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended =
      cause instanceof UnreachableError || cause instanceof RefusedError
        ? cause
        : new UnreachableError(`${this.#place}: the daemon has ended the connection: ${cause.message}`);
    for (const { fail } of this.#waiting.splice(0)) fail(this.#ended);
    this.#onEnd(this.#ended);
  }
}

function whereIs(
  place: string,
): { readonly path: string } | { readonly host: string; readonly port: number } {
  const tcp = /^(?:\[([^\]/]+)\]|([^:/]+)):(\d{1,5})$/.exec(place);
  if (tcp === null) return { path: place };
  return { host: tcp[1] ?? tcp[2]!, port: Number(tcp[3]) };
}

function adviceOn({ code, message }: NodeJS.ErrnoException, place: string): string {
  switch (code) {
    case 'ENOENT':
      return 'there is no such socket. Is the daemon running? -s names another socket (environment.controlsocket in smtpd.yaml)';
    case 'ECONNREFUSED':
      // The system says the same of a folder and of a file.
      return statSync(place, { throwIfNoEntry: false })?.isSocket() === false
        ? 'this is no socket. -s names the one that environment.controlsocket in smtpd.yaml makes'
        : 'nobody answers at the socket. Is the daemon running?';
    case 'EACCES':
      return 'not allowed. Who may control the daemon is said by environment.controlsocket.owner, .group and .chmod in smtpd.yaml';
    default:
      return message;
  }
}
