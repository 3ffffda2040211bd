// http(..., ["background" => true]): requests that are made later, in order within a queue, and retried. The daemon has
// one set of queues for the process.

export interface HttpRequest {
  readonly url: string;
  readonly options: HttpRequestOptions;
  readonly body: Buffer | undefined;
}

/** Options of `http()`, checked; durations in seconds. */
export interface HttpRequestOptions {
  readonly method: string;
  readonly headers: readonly string[];
  readonly connectTimeoutSeconds: number;
  readonly timeoutSeconds: number;
  readonly maxBytes: number | undefined;
  readonly redirects: number;
  readonly sourceIp: string | undefined;
  readonly userName: string | undefined;
  readonly password: string | undefined;
  readonly verifiesPeer: boolean;
  readonly verifiesHost: boolean;
  readonly usesSystemCa: boolean;
  readonly clientKeyId: string | undefined;
  readonly proxy: string | undefined;
  readonly unixSocketPath: string | undefined;
}

export interface BackgroundRequests {
  /** @returns false when the queues are full */
  add(request: HttpRequest, plan: { hash: number; retryCount: number; retryDelaySeconds: number }): boolean;
}
