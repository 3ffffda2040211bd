// The real daemon, as it ships, in a process of its own: started with a configuration written for the test, on free
// ports, in a folder of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { root, stopChild } from './peers.js';

/** One line of its log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string; readonly level: string };

export interface DaemonConfig {
  /** Port of the next hop on loopback. */
  readonly nextHopPort?: number;
  /** Scripts by phase; each becomes the server's only script of that phase. */
  readonly hooks?: Readonly<
    Partial<
      Record<
        | 'connect'
        | 'proxy'
        | 'helo'
        | 'auth'
        | 'mailfrom'
        | 'rcptto'
        | 'eod'
        | 'disconnect'
        | 'predelivery'
        | 'postdelivery',
        string
      >
    >
  >;
  /** More files below `files/`, for include and import. */
  readonly files?: Readonly<Record<string, string>>;
  /** Merged into the phases of the server (`data: {maxsize: 1MiB}`). */
  readonly phases?: Readonly<Record<string, unknown>>;
  /** Merged into the server in smtpd.yaml (`listeners: [...]`). */
  readonly start?: Readonly<Record<string, unknown>>;
  /** Merged into the server in smtpd-app.yaml. */
  readonly server?: Readonly<Record<string, unknown>>;
  /** Merged into smtpd-app.yaml (`addresses: [...]`). */
  readonly app?: Readonly<Record<string, unknown>>;
  /** Merged into the session settings of the transport (`tls: {mode: require}`). */
  readonly session?: Readonly<Record<string, unknown>>;
  /** A second server, of HTTP submission, with the same eod script and the key `test-key`; merged into it in smtpd-app.yaml. */
  readonly http?: Readonly<Record<string, unknown>>;
  /** Merged into that one in smtpd.yaml. */
  readonly httpStart?: Readonly<Record<string, unknown>>;
  readonly retry?: Readonly<Record<string, unknown>>;
  readonly spool?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly scripting?: Readonly<Record<string, unknown>>;
  readonly concurrency?: number;
  readonly pooling?: boolean;
  /** Merged into the defaults of smtpd-delivery.yaml (`timeout: {connect: 1}`). */
  readonly delivery?: Readonly<Record<string, unknown>>;
  /** As root of the configuration; made and removed by the test when absent. */
  readonly folder?: string;
  /** Fixed port for the listener; any free one when absent. */
  readonly port?: number;
  /** The most files it may have open (`ulimit -n`); what the test has when absent. */
  readonly openFiles?: number;
}

/** Writes a configuration folder. YAML is a superset of JSON, so plain objects do. */
export function writeConfig(folder: string, config: DaemonConfig): void {
  const put = (name: string, content: unknown) => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  };
  const hooks = config.hooks ?? {};
  const phases: Record<string, Record<string, unknown>> = {};
  for (const [phase, text] of Object.entries(hooks)) {
    if (phase === 'predelivery' || phase === 'postdelivery') put(`hooks/queue/${phase}.hsl`, text);
    else {
      put(`hooks/${phase}/main.hsl`, text);
      phases[phase] = { hook: 'main' };
    }
  }
  for (const [phase, settings] of Object.entries(config.phases ?? {}))
    phases[phase] = { ...phases[phase], ...(settings as object) };
  for (const [name, content] of Object.entries(config.files ?? {})) put(`files/${name}`, content);
  put('smtpd.yaml', {
    version: '6.8',
    servers: [
      { id: 'in', listeners: [{ address: '127.0.0.1', port: config.port ?? 0 }], ...config.start },
      ...(config.http === undefined
        ? []
        : [
            {
              id: 'web',
              type: config.http['type'] ?? 'http',
              listeners: [{ address: '127.0.0.1', port: 0 }],
              ...config.httpStart,
            },
          ]),
    ],
    environment: { hostname: 'mta.test', ...config.environment },
    spool: { path: 'spool', ...config.spool },
  });
  put('smtpd-app.yaml', {
    version: '6.8',
    servers: [
      { id: 'in', transport: 'out', phases, ...config.server },
      ...(config.http === undefined
        ? []
        : [
            {
              id: 'web',
              type: 'http',
              transport: 'out',
              apikeys: ['test-key'],
              phases: phases['eod'] === undefined ? {} : { eod: phases['eod'] },
              ...config.http,
            },
          ]),
    ],
    ...(config.scripting === undefined ? {} : { scripting: config.scripting }),
    transportgroups: [
      {
        id: 'group',
        retry: config.retry ?? { count: 30, intervals: [{ interval: 1 }] },
        dsn: { transport: 'out' },
        ...(config.session === undefined ? {} : { session: config.session }),
        transports: [{ id: 'out', connection: { server: '127.0.0.1', port: config.nextHopPort ?? 1 } }],
      },
    ],
    ...config.app,
  });
  put('smtpd-policy.yaml', {
    version: '6.8',
    policies:
      config.concurrency === undefined
        ? []
        : [{ fields: ['remotemx'], default: { concurrency: config.concurrency } }],
  });
  put('smtpd-delivery.yaml', {
    version: '6.8',
    delivery: {
      default: {
        pooling: { enabled: config.pooling ?? true, transactions: 1000, timeout: 5 },
        ...config.delivery,
      },
    },
  });
}

/** A running daemon. */
export class Daemon {
  readonly #lines: LogLine[] = [];
  readonly #waiters = new Set<() => void>();
  #stderr = '';
  port = 0;
  /** Of the server `web`. */
  httpPort = 0;

  private constructor(
    readonly child: ChildProcess,
    readonly folder: string,
    readonly ownsFolder: boolean,
  ) {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      try {
        this.#lines.push(JSON.parse(line) as LogLine);
      } catch {
        this.#lines.push({ msg: line, level: 'raw' });
      }
      for (const wake of this.#waiters) wake();
    });
    child.stderr!.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    child.once('exit', () => {
      for (const wake of this.#waiters) wake();
    });
  }

  /** Starts it and waits until it accepts connections. @throws when it ends before that, with what it said */
  static async start(config: DaemonConfig = {}): Promise<Daemon> {
    const folder = config.folder ?? mkdtempSync(path.join(tmpdir(), 'argonite-daemon-'));
    writeConfig(folder, config);
    return Daemon.startIn(folder, config.folder === undefined, config.openFiles);
  }

  /** Starts it on a configuration that is already there. */
  static async startIn(folder: string, ownsFolder = false, openFiles?: number): Promise<Daemon> {
    const serve = [process.execPath, path.join(root, 'src/cli/launch.cjs'), 'serve', '-c', folder];
    // `exec`: the process is the daemon, so that signals reach it.
    const [command, ...args] =
      openFiles === undefined ? serve : ['sh', '-c', `ulimit -n ${openFiles}; exec "$@"`, 'sh', ...serve];
    const child = spawn(command!, args, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TZ: 'UTC', XDG_CACHE_HOME: path.join(folder, 'cache') },
    });
    const daemon = new Daemon(child, folder, ownsFolder);
    let ready: LogLine;
    try {
      ready = await daemon.waitForLine((line) => line.msg === 'ready');
    } catch (error) {
      await daemon.dispose();
      throw error;
    }
    const listeners = ready['listeners'] as readonly { server: string; port: number }[];
    daemon.port = listeners[0]!.port;
    daemon.httpPort = listeners.find(({ server }) => server === 'web')?.port ?? 0;
    return daemon;
  }

  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** The first line, past or future, that fits. @throws when the daemon ends before, or after `timeoutMs` */
  async waitForLine(fits: (line: LogLine) => boolean, timeoutMs = 40_000): Promise<LogLine> {
    let from = 0;
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      for (; from < this.#lines.length; from++) if (fits(this.#lines[from]!)) return this.#lines[from]!;
      const ended = this.child.exitCode !== null || this.child.signalCode !== null;
      const left = deadline - Date.now();
      if (ended || left <= 0) {
        const tail = this.#lines
          .slice(-15)
          .map((line) => JSON.stringify(line))
          .join('\n');
        throw new Error(
          `${ended ? `the daemon ended with ${this.child.exitCode ?? this.child.signalCode}` : 'no such log line came'}\n${this.#stderr}\n${tail}`,
        );
      }
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

  /** Sends a signal and waits for the end. @returns the exit code, or the signal's name */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill(signal);
      await ended;
    }
    return this.child.exitCode ?? this.child.signalCode ?? 'unknown';
  }

  /** Stops it, whatever it does, and removes its folder. */
  async dispose(): Promise<void> {
    await stopChild(this.child, 'SIGKILL');
    if (this.ownsFolder) rmSync(this.folder, { recursive: true, force: true });
  }
}
