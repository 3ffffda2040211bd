// One request and its response over one connection: bounded in time, in bytes, and by the execution it belongs to.

import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { type Connections, NobodyWaits } from './connections.js';
import type { HeaderLine, HttpOutcome } from './request.js';

/** Node's timers end at 2^31 - 1 ms. */
const LONGEST_TIMER_MS = 2_147_483_647;

export interface ExchangeRequest {
  readonly origin: string;
  /** Path and query, or the whole URL for a proxy. */
  readonly path: string;
  readonly method: string;
  readonly headers: readonly HeaderLine[];
  readonly body: Buffer | Readable | undefined;
}

/** What a request and those it is redirected to share. */
export interface ExchangeBounds {
  readonly connectTimeoutSeconds: number;
  readonly timeoutSeconds: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Counts received bytes against the execution's memory; it may throw. */
  charge(bytes: number): void;
  /** When the data must be there: set when the first connection stands. */
  dataUntilMs: number | undefined;
}

/**
 * What became of a request. A server may close a connection that we kept at the moment we use it again: such a request was
 * perhaps never looked at (`isStale`), and one that no connection was made for certainly was not (`isUnsent`).
 */
export type ExchangeOutcome = HttpOutcome & { readonly isStale?: boolean; readonly isUnsent?: boolean };

/** Resolves with what came; rejects only with what `charge` threw. */
export function exchange(
  connections: Connections,
  request: ExchangeRequest,
  bounds: ExchangeBounds,
): Promise<ExchangeOutcome> {
  return new Promise((resolve, reject) => {
    new Exchange(connections, bounds, resolve, reject).start(request);
  });
}

class Exchange implements Dispatcher.DispatchHandler {
  #controller: Dispatcher.DispatchController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isDone = false;
  /** For a connection. */
  #isWaiting = false;
  #status = 0;
  #statusText = '';
  #headers: readonly HeaderLine[] = [];
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(
    readonly connections: Connections,
    readonly bounds: ExchangeBounds,
    readonly resolve: (outcome: ExchangeOutcome) => void,
    readonly reject: (error: unknown) => void,
  ) {}

  start({ origin, path, method, headers, body }: ExchangeRequest): void {
    const { bounds } = this;
    this.connections.waiting++;
    this.#isWaiting = true;
    if (bounds.signal.aborted) {
      this.#fail('the execution ended');
      return;
    }
    bounds.signal.addEventListener('abort', this.#onAbort);
    this.#setTimer(
      performance.now() + bounds.connectTimeoutSeconds * 1000,
      'no connection came about in time',
    );
    try {
      this.connections.dispatcher.dispatch(
        {
          origin,
          path,
          method: method as Dispatcher.HttpMethod,
          headers: headers.flatMap(({ name, value }) => [name, value]),
          body: body ?? null,
        },
        this,
      );
    } catch (error) {
      this.#fail((error as Error).message);
    }
  }

  readonly #onAbort = (): void => this.#fail('the execution ended');

  #setTimer(untilMs: number, reason: string): void {
    clearTimeout(this.#timer);
    const until = Math.min(untilMs, this.bounds.dataUntilMs ?? untilMs);
    const left = Math.min(Math.max(0, until - performance.now()), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => this.#fail(reason), left);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#waitNoMore();
    if (this.#isDone) {
      controller.abort(new Error('given up'));
      return;
    }
    const { bounds } = this;
    bounds.dataUntilMs ??= performance.now() + bounds.timeoutSeconds * 1000;
    this.#setTimer(bounds.dataUntilMs, 'the response did not come in time');
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText?: string,
  ): void {
    // Informational: the response is still to come (RFC 9110 §15.2).
    if (status < 200) return;
    this.#status = status;
    this.#statusText = statusText ?? '';
    this.#headers = headerLines(controller.rawHeaders);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isDone) return;
    this.#size += chunk.length;
    if (this.#size > this.bounds.maxBytes) {
      this.#fail('the response is larger than max_file_size');
      return;
    }
    try {
      this.bounds.charge(chunk.length);
    } catch (error) {
      this.#finish();
      this.reject(error);
      return;
    }
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#isDone) return;
    const body = Buffer.concat(this.#chunks, this.#size).toString('latin1');
    const response = { status: this.#status, statusText: this.#statusText, headers: this.#headers, body };
    this.#isDone = true;
    this.#letGo();
    // undici frees the connection one turn of the loop later: the script's next request shall find it free.
    queueMicrotask(() => setImmediate(() => this.resolve({ kind: 'response', response })));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const isUnsent = error instanceof NobodyWaits;
    this.#fail(error.message, { isUnsent, isStale: this.#status === 0 && isFromUsedConnection(error) });
  }

  #fail(reason: string, may: { isStale?: boolean; isUnsent?: boolean } = {}): void {
    if (this.#isDone) return;
    this.#finish();
    this.resolve({ kind: 'failure', reason, ...may });
  }

  #finish(): void {
    this.#isDone = true;
    this.#letGo();
    this.#controller?.abort(new Error('given up'));
  }

  #waitNoMore(): void {
    if (this.#isWaiting) this.connections.waiting--;
    this.#isWaiting = false;
  }

  #letGo(): void {
    this.#waitNoMore();
    clearTimeout(this.#timer);
    this.bounds.signal.removeEventListener('abort', this.#onAbort);
    this.#chunks = [];
  }
}

/** undici tells how much a connection that broke had received: something, when it served another request before. */
function isFromUsedConnection(
  error: Error & { code?: string; socket?: { bytesRead?: number } | null },
): boolean {
  return error.code === 'UND_ERR_SOCKET' && (error.socket?.bytesRead ?? 0) > 0;
}

function headerLines(raw: Dispatcher.DispatchController['rawHeaders']): readonly HeaderLine[] {
  if (!Array.isArray(raw)) return [];
  const lines: HeaderLine[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2)
    lines.push({ name: bytesOf(raw[i]!), value: bytesOf(raw[i + 1]!).replace(/[ \t]+$/, '') });
  return lines;
}

function bytesOf(raw: Buffer | string): string {
  return typeof raw === 'string' ? raw : raw.toString('latin1');
}
