// A request, checked and complete: everything that `http()` was asked for, with names of the configuration looked up. It
// can wait in a queue and be made more than once.

import type { ConfiguredKey } from '../configured.js';

export interface HeaderLine {
  readonly name: string;
  readonly value: string;
}

export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: readonly HeaderLine[];
  readonly body: Buffer | undefined;
  readonly options: HttpRequestOptions;
}

/** Durations in seconds. */
export interface HttpRequestOptions {
  readonly connectTimeoutSeconds: number;
  /** From the moment the connection stands to the last byte of the answer. */
  readonly timeoutSeconds: number;
  /** A larger answer is a failure. */
  readonly maxBytes: number;
  /** How many redirects are followed. */
  readonly redirects: number;
  readonly sourceIp: string | undefined;
  readonly verifiesPeer: boolean;
  readonly verifiesHost: boolean;
  readonly usesSystemCa: boolean;
  readonly clientKey: ConfiguredKey | undefined;
  /** `system` asks the environment, `none` goes straight. */
  readonly proxy: HttpProxy | 'system' | 'none';
  readonly unixSocketPath: string | undefined;
}

/** An HTTP proxy. */
export interface HttpProxy {
  readonly url: URL;
  /** The value of Proxy-Authorization. */
  readonly authorization: string | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly statusText: string;
  /** As they came, in bytes. */
  readonly headers: readonly HeaderLine[];
  /** Bytes; a Content-Encoding stays. */
  readonly body: string;
}

/** `failure`: no response came, or not a whole one within the bounds. */
export type HttpOutcome =
  | { readonly kind: 'response'; readonly response: HttpResponse }
  | { readonly kind: 'failure'; readonly reason: string };
