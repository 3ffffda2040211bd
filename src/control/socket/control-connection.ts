// One connection to the control socket: reads requests, has them answered one after another, and writes the answers. The moves:
//
//     reading ─► answering ─► reading          more requests may be waiting in the stream: they are answered in order
//     any ─► ending ─► (gone)                  an unknown command or version, a limit, the peer's end
//
// What it keeps: while a request is being answered, or the peer does not take what was written, at most one more read of the
// socket is in memory.

import type { Socket } from 'node:net';
import type { Logger } from '../../log/logger.js';
import { commands } from '../commands.js';
import { type Caller, ControlError, type FrameStream } from '../operation.js';
import { toJsonText, type WireShapes, wireShapes } from '../wire-shapes.js';
import { answerFrame, type Status } from './frames.js';
import { type RawRequest, RequestReader } from './request-reader.js';

/** How long connections may do nothing, and what they may hold. */
export interface ConnectionLimits {
  /** Between two requests. */
  readonly idleSeconds: number;
  /** Within a request, and for the peer to take an answer. */
  readonly stallSeconds: number;
  /** Bytes of unfinished requests, over all connections. */
  readonly heldBytes: number;
}

/** What a connection has of its server. */
export interface ConnectionHost {
  readonly limits: ConnectionLimits;
  readonly log: Logger;
  /** @throws ControlError */
  run(letter: RawRequest['letter'], request: object | undefined, caller: Caller): unknown;
  /** Bytes of unfinished requests have come (or, below 0, gone). @returns whether there is room for them */
  hold(bytes: number): boolean;
  ended(connection: ControlConnection): void;
}

/** What waits for a slow peer before streams are told to wait. */
const ENOUGH_WAITING = 256 * 1024;
/** JSON is read in one go, which nothing else gets in between: what is larger comes in Protobuf, or by the path of a file. */
const LONGEST_JSON = 64 * 1024 * 1024;
/** A body in JSON begins with this. */
const BRACE = 0x7b;
/** A byte of `{`, and nothing else. */
const isJson = (body: Buffer | undefined): boolean => body?.[0] === BRACE;

/** One connection. */
export class ControlConnection {
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  readonly #reader = new RequestReader();
  readonly #abort = new AbortController();
  #held = 0;
  #isAnswering = false;
  #isEnding = false;
  #peerHasEnded = false;
  #isKept = false;
  #lastMove: number;

  constructor(socket: Socket, host: ConnectionHost, now: number) {
    this.#socket = socket;
    this.#host = host;
    this.#lastMove = now;
  }

  /** Begins to read. */
  start(): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => {
      // Half closed: what was asked is answered first.
      this.#peerHasEnded = true;
      if (!this.#isAnswering) this.#end();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#gone());
  }

  /** Ends it when it has been silent for too long; called now and then. */
  sweep(now: number): void {
    const { idleSeconds, stallSeconds } = this.#host.limits;
    if (this.#lastMove === 0) this.#lastMove = now;
    const isStalled = this.#reader.isInside || this.#socket.writableLength > 0;
    if (this.#isAnswering && this.#socket.writableLength === 0) this.#lastMove = 0;
    else if (isStalled || this.#isEnding) {
      if (now - this.#lastMove > stallSeconds) this.#socket.destroy();
    } else if (!this.#isKept && now - this.#lastMove > idleSeconds) this.#end();
  }

  /** Ends it: what is being answered is answered first. */
  stop(): void {
    this.#peerHasEnded = true;
    if (!this.#isAnswering) this.#end();
  }

  /** Ends it at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#lastMove = 0;
    if (this.#isEnding) return;
    this.#reader.push(chunk);
    if (this.#isAnswering) this.#socket.pause();
    else this.#next();
  }

  #next(): void {
    const read = this.#reader.next();
    this.#count();
    if (this.#isEnding) return;
    if (read === undefined) {
      if (this.#peerHasEnded) this.#end();
      else this.#socket.resume();
      return;
    }
    if (read.kind === 'problem') {
      void this.#write('E', Buffer.from(read.problem)).then(() => this.#end());
      return;
    }
    this.#isAnswering = true;
    void this.#answer(read.request).then(() => {
      this.#isAnswering = false;
      this.#lastMove = 0;
      if (!this.#isEnding) this.#next();
    });
  }

  /** Never rejects. */
  async #answer({ letter, body }: RawRequest): Promise<void> {
    const { name } = commands[letter];
    try {
      const shapes = await wireShapes();
      const asksInJson = isJson(body);
      const requestName = `${name}Request`;
      if (asksInJson && body!.length > LONGEST_JSON)
        throw new ControlError(
          `a body in JSON of ${body!.length} bytes; expected at most ${LONGEST_JSON}, or Protobuf`,
        );
      let request: object | undefined;
      if (body !== undefined && shapes.has(requestName))
        request = asksInJson
          ? shapes.fromJson(requestName, body.toString('utf8'))
          : shapes.fromBytes(requestName, body);
      const answer = (await this.#host.run(letter, request, this.#callerOf(shapes, asksInJson))) as
        | object
        | undefined;
      if (answer === undefined) await this.#write('+', Buffer.alloc(0));
      else if (asksInJson) await this.#write('+', Buffer.from(await toJsonText(answer)));
      else await this.#write('+', await shapes.toBytes(`${name}Response`, answer));
    } catch (error) {
      if (!(error instanceof ControlError))
        this.#host.log.error({ command: name, err: error }, 'a command of the control socket failed');
      const text = error instanceof Error ? error.message : String(error);
      await this.#write('E', Buffer.from(error instanceof ControlError ? text : `internal error: ${text}`));
    }
  }

  #callerOf(shapes: WireShapes, asksInJson: boolean): Caller {
    const stream: FrameStream = {
      send: (messageName, frame) => {
        if (this.#isEnding || this.#socket.destroyed) return true;
        const data = asksInJson ? Buffer.from(JSON.stringify(frame)) : shapes.toBytesNow(messageName, frame);
        this.#put('=', data);
        return this.#socket.writableLength < ENOUGH_WAITING;
      },
      onRoom: (call) => {
        if (this.#socket.writableLength === 0) setImmediate(call);
        else this.#socket.once('drain', call);
      },
      keep: () => {
        this.#isKept = true;
      },
    };
    return { signal: this.#abort.signal, stream };
  }

  /** Resolves when the peer can be sent more, or is gone. */
  #write(status: Status, data: Uint8Array): Promise<void> {
    if (this.#socket.destroyed || this.#put(status, data)) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        resolve();
      };
      this.#socket.once('drain', done);
      this.#socket.once('close', done);
    });
  }

  #put(status: Status, data: Uint8Array): boolean {
    if (this.#socket.destroyed) return true;
    this.#lastMove = 0;
    return this.#socket.write(answerFrame(status, data));
  }

  /** Tells the server how much is held for unfinished requests. */
  #count(): void {
    const { heldBytes } = this.#reader;
    const more = heldBytes - this.#held;
    if (more === 0) return;
    this.#held = heldBytes;
    if (this.#host.hold(more) || more < 0) return;
    void this.#write('E', Buffer.from('too many bytes of requests at once; try again later')).then(() =>
      this.#end(),
    );
    this.#isEnding = true;
  }

  #end(): void {
    this.#isEnding = true;
    this.#socket.end();
    this.#socket.resume();
  }

  #gone(): void {
    this.#isEnding = true;
    this.#host.hold(-this.#held);
    this.#held = 0;
    this.#abort.abort();
    this.#host.ended(this);
  }
}
