// A control socket in the test's own process, and the other end of it, byte by byte.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { ControlSocketSettings } from '../../src/config/control.js';
import type { CommandLetter } from '../../src/control/commands.js';
import type { Operation } from '../../src/control/operation.js';
import { type ControlLimits, ControlServer } from '../../src/control/socket/control-server.js';
import { requestFrame } from '../../src/control/socket/frames.js';
import { scratchFolder } from './scratch-folder.js';
import { TestLog } from './test-log.js';

/** An answer as it lies in the stream. */
export interface Answer {
  readonly status: string;
  readonly data: Buffer;
}

/** A control socket at a path of its own, or where `settings` say. */
export function controlSettings(changes: Partial<ControlSocketSettings> = {}): ControlSocketSettings {
  return {
    path: path.join(scratchFolder(), 'smtpd.ctl'),
    mode: 0o660,
    owner: undefined,
    group: undefined,
    address: '127.0.0.1',
    port: 0,
    tls: undefined,
    isDefault: false,
    ...changes,
  };
}

/** A started socket with these operations. */
export interface StartedControl {
  readonly server: ControlServer;
  readonly place: string;
  readonly log: TestLog;
  /** Lets time pass for the limits. */
  pass(seconds: number): void;
}

/** Starts one; it stops with the test. */
export async function startedControl(
  operations: Readonly<Partial<Record<CommandLetter, Operation>>>,
  {
    settings = controlSettings(),
    limits = {},
  }: { readonly settings?: ControlSocketSettings; readonly limits?: Partial<ControlLimits> } = {},
): Promise<StartedControl> {
  const log = new TestLog();
  let now = 1000;
  let sweep = (): void => {};
  const server = new ControlServer({
    settings,
    operations,
    log,
    every: (_seconds, call) => {
      sweep = call;
      return () => {};
    },
    now: () => now,
    limits,
  });
  const place = await server.start();
  onTestFinished(() => server.stop(0));
  return {
    server,
    place,
    log,
    pass: (seconds) => {
      sweep();
      now += seconds;
      sweep();
    },
  };
}

/** A client that writes what the test says. */
export class ControlWire {
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);
  #isFirst = true;
  #hasEnded = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#hasEnded = true;
      this.#wake();
    });
  }

  /** Connects; closed when the test has finished. */
  static async to(place: string): Promise<ControlWire> {
    const [address, port] = place.split(':');
    const socket = port === undefined ? connect(place) : connect(Number(port), address);
    onTestFinished(() => {
      socket.destroy();
    });
    await once(socket, 'connect');
    return new ControlWire(socket);
  }

  /** Writes bytes as they are. */
  write(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  /** Writes a request in JSON or, without a body, a bare one; the answer. */
  async ask(letter: string, request?: object): Promise<Answer> {
    this.write(requestFrame(letter, request && Buffer.from(JSON.stringify(request)), this.#isFirst));
    this.#isFirst = false;
    return this.answer();
  }

  /** The next answer. @throws when the connection ends before */
  async answer(): Promise<Answer> {
    for (;;) {
      if (this.#bytes.length >= 9) {
        const end = 9 + Number(this.#bytes.readBigUInt64LE(1));
        if (this.#bytes.length >= end) {
          const status = String.fromCharCode(this.#bytes[0]!);
          const data = this.#bytes.subarray(9, end);
          this.#bytes = this.#bytes.subarray(end);
          return { status, data };
        }
      }
      if (this.#hasEnded) throw new Error(`the connection has ended after ${this.#bytes.toString('hex')}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Resolves when the daemon has closed the connection. */
  async closed(): Promise<void> {
    while (!this.#hasEnded)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }
}

/** An answer's data as JSON; an error throws. */
export function jsonOf({ status, data }: Answer): Record<string, unknown> {
  if (status !== '+') throw new Error(`${status} ${data.toString()}`);
  return JSON.parse(data.toString()) as Record<string, unknown>;
}
