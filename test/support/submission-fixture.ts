// A submission server on a free port with a spool in memory, an eod hook that is a function, and a clock that is pushed
// forward; and what submitters send: forms, over real sockets.

import { createHash } from 'node:crypto';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { EodFrame, EodOutcome, SessionState } from '#hooks';
import type { Resolver } from '#stdlib';
import type { HookRunner } from '../../src/scripting/hook-runner.js';
import { PendingRun } from '../../src/scripting/smtp-hooks.js';
import {
  type SubmissionLimits,
  type SubmissionServerOptions,
  type SubmissionServerParts,
  type SubmissionTimeouts,
  submissionDefaults,
} from '../../src/submission/options.js';
import { SubmissionServer } from '../../src/submission/server.js';
import { hookRunner } from './compiled-hooks.js';
import { RamSpool } from './ram-spool.js';
import { TestLog } from './test-log.js';

/** The eod hook as a function; a promise stands for a script that waits. */
export type EodFunction = (frame: EodFrame, state: SessionState) => EodOutcome | Promise<EodOutcome>;

export interface SubmissionFixtureOptions
  extends Partial<Omit<SubmissionServerOptions, 'hooks' | 'limits' | 'timeouts'>> {
  readonly eod?: EodFunction;
  readonly limits?: Partial<SubmissionLimits>;
  readonly timeouts?: Partial<SubmissionTimeouts>;
  /** A real script instead. */
  readonly script?: string;
  /** For reverse DNS. */
  readonly resolver?: Resolver;
  readonly peerUser?: SubmissionServerParts['peerUser'];
}

export const testKey = 'test-key';

export class SubmissionFixture {
  readonly spool = new RamSpool();
  readonly server: SubmissionServer;
  readonly cancelled: string[] = [];
  readonly queued: string[] = [];
  eodRuns = 0;
  now = 1_700_000_000.5;
  elapsed = 1000;
  #ids = 0;
  #tick: (() => void) | undefined;
  readonly #agent = new Agent({ keepAlive: true });
  #isStopped = false;

  private constructor(
    readonly given: SubmissionFixtureOptions,
    private runner: HookRunner | undefined,
    readonly log: TestLog,
  ) {
    this.server = new SubmissionServer(this.optionsWith({}), this.#parts());
  }

  /** Starts one; it ends with the test. */
  static async start(options: SubmissionFixtureOptions = {}): Promise<SubmissionFixture> {
    const log = new TestLog();
    const { script } = options;
    const runner =
      script === undefined
        ? undefined
        : await hookRunner({ 'eod/test': Buffer.from(script).toString('latin1') }, log);
    const fixture = new SubmissionFixture(options, runner, log);
    await fixture.server.start();
    onTestFinished(() => fixture.stop());
    return fixture;
  }

  /** Its options with some replaced, for a reload. */
  optionsWith(changed: Partial<SubmissionServerOptions>): SubmissionServerOptions {
    const { eod, limits, timeouts, script, resolver: _resolver, peerUser: _peerUser, ...rest } = this.given;
    return {
      ...submissionDefaults,
      id: 'test',
      hostname: 'mx.argonite.test',
      listeners: [{ address: '127.0.0.1', port: 0 }],
      transportId: 'default',
      apiKeys: [{ id: 'tester', sha256: createHash('sha256').update(testKey).digest() }],
      ...rest,
      hooks: { eod: eod === undefined && script === undefined ? undefined : 'test' },
      limits: { ...submissionDefaults.limits, ...limits },
      timeouts: { ...submissionDefaults.timeouts, ...timeouts },
      ...changed,
    };
  }

  #parts(): SubmissionServerParts {
    return {
      spool: this.spool,
      hooks: {
        eod: (id, state, frame, unixSeconds) => {
          this.eodRuns++;
          if (this.runner !== undefined) return this.runner.eod(id, state, frame, unixSeconds);
          const outcome = this.given.eod!(frame, state);
          if (!(outcome instanceof Promise)) return outcome;
          let cancel: () => void = () => {};
          const cancelled = new Promise<EodOutcome>((resolve) => {
            cancel = () => resolve({ kind: 'Defer', because: 'script-error' });
          });
          return new PendingRun(Promise.race([outcome, cancelled]), (reason) => {
            this.cancelled.push(reason);
            cancel();
          });
        },
      },
      log: this.log,
      clock: { now: () => this.now, monotonic: () => this.elapsed },
      newId: () => `id-${++this.#ids}`,
      resolver: this.given.resolver,
      peerUser: this.given.peerUser,
      knowsTransport: (id) => ['default', 'other'].includes(id),
      onQueued: (messages) => this.queued.push(...messages.map(({ id }) => `${id.transaction}:${id.number}`)),
      every: (_seconds, run) => {
        this.#tick = run;
        return () => {
          this.#tick = undefined;
        };
      },
    };
  }

  get port(): number {
    return this.server.addresses[0]!.port;
  }

  /** Seconds go by, and the server looks at its deadlines. */
  pass(seconds: number): void {
    this.elapsed += seconds;
    this.now += seconds;
    this.#tick?.();
  }

  /** The queued copies so far, as text, trace field taken off. */
  get messages(): string[] {
    return this.spool.committed.flatMap(({ copies }) =>
      copies.map((copy) => copy.toString('latin1').replace(/^Received: .*\r\n(?:\t.*\r\n)*/, '')),
    );
  }

  /** Sends a request and reads its answer. */
  send(options: SendOptions = {}): Promise<HttpAnswer> {
    return sendHttp(this.port, { agent: this.#agent, ...options });
  }

  /** Submits a form with the key of the tests. */
  submit(parts: readonly FormPart[] = form(), options: SendOptions = {}): Promise<HttpAnswer> {
    return this.send({
      ...options,
      headers: { 'x-api-key': testKey, 'content-type': formType, ...options.headers },
      body: formBody(parts),
    });
  }

  /** A bare connection: bytes out, and all that comes back. */
  async dial(): Promise<RawConnection> {
    const raw = await RawConnection.open(this.port);
    onTestFinished(() => raw.close());
    return raw;
  }

  /** All clients of `send` and `submit` are gone at once. */
  hangUp(): void {
    this.#agent.destroy();
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#agent.destroy();
    const stopped = this.server.stop(0);
    this.pass(1);
    await stopped;
  }
}

export interface FormPart {
  readonly name: string;
  readonly type?: string;
  readonly content: string | Buffer;
  readonly headers?: readonly string[];
}

export const boundary = 'the-boundary';
export const formType = `multipart/form-data; boundary=${boundary}`;
export const plainMessage = 'Subject: hello\r\n\r\nbody\r\n';

/** Options as a submitter writes them. */
export function optionsPart(changed: object = {}): FormPart {
  const content = JSON.stringify({
    sender: { localpart: 'from', domain: 'client.test' },
    recipients: [{ localpart: 'to', domain: 'example.test' }],
    ...changed,
  });
  return { name: 'options', type: 'application/json', content };
}

export function messagePart(content: string | Buffer = plainMessage): FormPart {
  return { name: 'rfc822', type: 'message/rfc822', content };
}

/** The two parts of a good form. */
export function form(options: object = {}, message: string | Buffer = plainMessage): FormPart[] {
  return [optionsPart(options), messagePart(message)];
}

export function formBody(parts: readonly FormPart[]): Buffer {
  const pieces: Buffer[] = [];
  for (const { name, type, content, headers = [] } of parts) {
    const lines = [
      `--${boundary}`,
      `Content-Disposition: form-data; name="${name}"`,
      ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      ...headers,
    ];
    pieces.push(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), Buffer.from(content), Buffer.from('\r\n'));
  }
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]);
}

export interface SendOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly agent?: Agent;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The text as JSON. */
  readonly json: SubmissionJson;
}

/** What an answer may have. */
export interface SubmissionJson {
  readonly result?: { readonly code: number; readonly enhanced: number[]; readonly reason: string[] };
  readonly transaction?: { readonly id: string };
  readonly metadata?: unknown;
  readonly error?: string;
}

export function sendHttp(
  port: number,
  { method = 'POST', path = '/v1/submission', headers = {}, body, agent }: SendOptions,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, method, path, headers, ...(agent === undefined ? {} : { agent }) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          let json: SubmissionJson = {};
          try {
            json = JSON.parse(text) as SubmissionJson;
          } catch {
            // The test looks at the text.
          }
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** An eod script that queues for all recipients, with what the submitter gave as job. */
export const queueAllWithJob = `
  foreach ($transaction["recipients"] as $r)
    $arguments["mail"]->queue($transaction["senderaddress"], $r["address"], $r["transportid"],
      ["jobid" => $arguments["metadata"]["jobid"] ?? "none"]);
  Accept();`;

/** A TCP connection that says exactly what a test wants. */
export class RawConnection {
  received = '';
  isClosed = false;
  readonly #waiting: (() => void)[] = [];

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  static async open(port: number, localAddress = '127.0.0.1'): Promise<RawConnection> {
    const socket = connect({ host: '127.0.0.1', port, localAddress });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawConnection(socket);
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes, 'latin1');
  }

  /** Waits until what came fits. @throws when the connection ends before */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.received);
      if (match !== null) return match;
      if (this.isClosed) throw new Error(`closed; what came: ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async untilClosed(): Promise<string> {
    while (!this.isClosed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
