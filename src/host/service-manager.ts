// What systemd is told (sd_notify): ready, reloading, stopping, alive. The protocol is lines of NAME=value in one datagram to the
// socket that NOTIFY_SOCKET names; without one, or without the native addon, nothing happens.

import process from 'node:process';
import { getSystemErrorName } from 'node:util';
import { type HostLibrary, native, type Part } from '../native/index.js';

/** A socket that is full is tried again so often, and so far apart. */
const TRIES = 10;
const TRY_AGAIN_MS = 100;
/** Of a status, which is one line for a person. */
const MOST_STATUS_BYTES = 200;

/** What a daemon tells whoever runs it. */
export interface ServiceManager {
  /** What it is about, in one short line. */
  status(text: string): void;
  /** It takes mail: for the first time, or again after a reload. */
  ready(status: string): void;
  /** It begins to apply its configuration anew; `ready` follows. */
  reloading(): void;
  /** It begins to stop; nothing follows but the end. */
  stopping(status: string): void;
}

/** What notices are made with. */
export interface ServiceManagerParts {
  readonly library: Part<Pick<HostLibrary, 'sendDatagram'>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** Nanoseconds of the system's monotonic clock. */
  readonly monotonic: () => bigint;
  /** Calls again and again until the result is called. */
  readonly every: (milliseconds: number, call: () => void) => () => void;
  readonly after: (milliseconds: number, call: () => void) => void;
  /** Called once, with a sentence, when notices do not arrive. */
  readonly onTrouble: (problem: string) => void;
}

/** One that is told nothing: there is none. */
export const noServiceManager: ServiceManager = {
  status: () => {},
  ready: () => {},
  reloading: () => {},
  stopping: () => {},
};

/** The service manager that has started this process, if one has, by the clocks and the environment of the process. */
export function systemServiceManager(onTrouble: (problem: string) => void): ServiceManager {
  return serviceManager({
    library: native().host,
    environment: process.env,
    pid: process.pid,
    monotonic: () => process.hrtime.bigint(),
    every: (milliseconds, call) => {
      const timer = setInterval(call, milliseconds).unref();
      return () => clearInterval(timer);
    },
    // Notices of the end must not keep the process from ending.
    after: (milliseconds, call) => void setTimeout(call, milliseconds).unref(),
    onTrouble,
  });
}

/** The service manager that these parts name. */
export function serviceManager(parts: ServiceManagerParts): ServiceManager {
  const { environment, library } = parts;
  const socket = environment['NOTIFY_SOCKET'];
  if (socket === undefined || socket === '') return noServiceManager;
  if (!/^[/@]./.test(socket)) {
    // A socket of another kind (vsock) is for virtual machines.
    parts.onTrouble(
      'NOTIFY_SOCKET is not a path or the name of an abstract socket: the service manager is told nothing',
    );
    return noServiceManager;
  }
  if (library.kind === 'missing') {
    parts.onTrouble(`the service manager is told nothing: ${library.problem}`);
    return noServiceManager;
  }
  return new Notices(socket, library.part, parts);
}

class Notices implements ServiceManager {
  readonly #socket: string;
  readonly #library: Pick<HostLibrary, 'sendDatagram'>;
  readonly #parts: ServiceManagerParts;
  /** Their order is what they say. */
  readonly #waiting: string[] = [];
  #tries = 0;
  #isTold = false;
  #endWatching: (() => void) | undefined;

  constructor(socket: string, library: Pick<HostLibrary, 'sendDatagram'>, parts: ServiceManagerParts) {
    this.#socket = Buffer.from(socket).toString('latin1');
    this.#library = library;
    this.#parts = parts;
  }

  status(text: string): void {
    this.#put([statusLine(text)]);
  }

  ready(status: string): void {
    this.#put(['READY=1', statusLine(status)]);
    this.#endWatching ??= this.#watch();
  }

  reloading(): void {
    const microseconds = this.#parts.monotonic() / 1000n;
    this.#put(['RELOADING=1', `MONOTONIC_USEC=${microseconds}`, statusLine('reloading the configuration')]);
  }

  stopping(status: string): void {
    this.#put(['STOPPING=1', statusLine(status)]);
  }

  /** A process whose event loop stands still is not alive: so the sign of life comes from there, twice as often as needed. */
  #watch(): () => void {
    const { environment, pid, every } = this.#parts;
    const microseconds = Number(environment['WATCHDOG_USEC'] ?? '');
    const whose = environment['WATCHDOG_PID'];
    const isOurs = whose === undefined || whose === '' || Number(whose) === pid;
    if (!Number.isSafeInteger(microseconds) || microseconds <= 0 || !isOurs) return () => {};
    return every(Math.max(1, Math.floor(microseconds / 2000)), () => this.#put(['WATCHDOG=1']));
  }

  #put(lines: readonly string[]): void {
    this.#waiting.push(lines.join('\n'));
    if (this.#waiting.length === 1) this.#send();
  }

  #send(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const answer = this.#library.sendDatagram(this.#socket, next);
      if (answer !== 0) {
        const problem = getSystemErrorName(answer);
        if ((problem === 'EAGAIN' || problem === 'ENOBUFS') && ++this.#tries < TRIES) {
          this.#parts.after(TRY_AGAIN_MS, () => this.#send());
          return;
        }
        this.#tell(problem);
      }
      this.#tries = 0;
      this.#waiting.shift();
    }
  }

  #tell(problem: string): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#parts.onTrouble(
      `the service manager cannot be told (${problem}): NOTIFY_SOCKET must be a datagram socket that the daemon's user may write to`,
    );
  }
}

/** One line; nothing in it can be taken for another notice. */
function statusLine(text: string): string {
  const line = text.replaceAll(/[^\x20-\x7e]+/g, ' ');
  return `STATUS=${line.slice(0, MOST_STATUS_BYTES)}`;
}
