// One request and its response over one connection: bounded in time, in bytes, and by the execution it belongs to.

import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
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

/** Resolves with what came; rejects only with what `charge` threw. */
export function exchange(
  dispatcher: Dispatcher,
  request: ExchangeRequest,
  bounds: ExchangeBounds,
): Promise<HttpOutcome & { readonly isStale?: boolean }> {
  return new Promise((resolve, reject) => {
    new Exchange(bounds, resolve, reject).start(dispatcher, request);
  });
}

/**
 * A server may close a connection that we kept at the moment we use it again. Such a request was never looked at, and
 * may be made once more (RFC 9112 §9.3.1): `isStale`.
 */
class Exchange implements Dispatcher.DispatchHandler {
  #controller: Dispatcher.DispatchController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isDone = false;
  #status = 0;
  #statusText = '';
  #headers: readonly HeaderLine[] = [];
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(
    readonly bounds: ExchangeBounds,
    readonly resolve: (outcome: HttpOutcome & { readonly isStale?: boolean }) => void,
    readonly reject: (error: unknown) => void,
  ) {}

  start(dispatcher: Dispatcher, { origin, path, method, headers, body }: ExchangeRequest): void {
    const { bounds } = this;
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
      dispatcher.dispatch(
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
    this.#fail(error.message, this.#status === 0 && isFromUsedConnection(error));
  }

  #fail(reason: string, isStale = false): void {
    if (this.#isDone) return;
    this.#finish();
    this.resolve({ kind: 'failure', reason, isStale });
  }

  #finish(): void {
    this.#isDone = true;
    this.#letGo();
    this.#controller?.abort(new Error('given up'));
  }

  #letGo(): void {
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
