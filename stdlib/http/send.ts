// Makes a request, through a proxy if one is to be used, and follows redirects. What a script said in confidence (its
// credentials, its own headers, its certificate) goes to the origin it named and to no other.

import type { Readable } from 'node:stream';
import type { Resolver } from '../dns/resolver.js';
import { connectionsFor } from './connections.js';
import { type ExchangeBounds, exchange } from './exchange.js';
import { harmlessHeaders, hasHeader } from './headers.js';
import { systemProxy } from './proxy.js';
import type { HeaderLine, HttpOutcome, HttpProxy, HttpRequest, HttpResponse } from './request.js';
import { hostOf, redirectTarget } from './url.js';

export interface SendSettings {
  readonly resolver: Resolver | undefined;
  readonly signal: AbortSignal;
  /** Counts received bytes against the execution's memory; it may throw. */
  charge(bytes: number): void;
  /** Where the system's proxy is named. */
  readonly env: NodeJS.ProcessEnv;
}

interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: readonly HeaderLine[];
  readonly body: Buffer | Readable | undefined;
  /** No longer the origin that the script named: nothing confidential. */
  readonly isElsewhere: boolean;
}

/**
 * The response, of the last redirect followed. Rejects only for the script's mistakes and limits.
 * @param stream the body in place of the request's own; a redirect that wants it again cannot be followed
 */
export async function sendHttp(
  request: HttpRequest,
  settings: SendSettings,
  stream?: Readable,
): Promise<HttpOutcome> {
  const { options } = request;
  const bounds: ExchangeBounds = {
    connectTimeoutSeconds: options.connectTimeoutSeconds,
    timeoutSeconds: options.timeoutSeconds,
    maxBytes: options.maxBytes,
    signal: settings.signal,
    charge: (bytes) => settings.charge(bytes),
    dataUntilMs: undefined,
  };
  let hop: Hop = { ...request, body: stream ?? request.body, isElsewhere: false };
  for (let followed = 0; ; followed++) {
    const outcome = await makeHop(hop, request, settings, bounds);
    if (outcome.kind === 'failure' || options.redirects === 0) return outcome;
    const next = nextHop(hop, outcome.response);
    if (next === 'none') return outcome;
    if (next === undefined) return { kind: 'failure', reason: 'the redirect cannot be followed' };
    if (followed >= options.redirects) return { kind: 'failure', reason: 'too many redirects' };
    hop = next;
  }
}

async function makeHop(
  hop: Hop,
  { options }: HttpRequest,
  { resolver, env }: SendSettings,
  bounds: ExchangeBounds,
): Promise<HttpOutcome> {
  const isSecure = hop.url.protocol === 'https:';
  const proxy = options.unixSocketPath === undefined ? proxyFor(hop.url, options.proxy, env) : undefined;
  const connections = await connectionsFor({
    options: hop.isElsewhere ? { ...options, clientKey: undefined } : options,
    tunnel: isSecure ? proxy : undefined,
    resolver,
  });
  const asked = isSecure ? undefined : proxy;
  const once = () =>
    exchange(
      connections,
      {
        origin: (asked?.url ?? hop.url).origin,
        path: asked === undefined ? pathOf(hop.url) : hop.url.origin + pathOf(hop.url),
        method: hop.method,
        headers: headersFor(hop, asked),
        body: hop.body,
      },
      bounds,
    );
  const outcome = await once();
  // RFC 9112 §9.3.1.
  const isRepeatable = outcome.isStale === true && (hop.method === 'GET' || hop.method === 'HEAD');
  return isRepeatable || outcome.isUnsent === true ? await once() : outcome;
}

function pathOf(url: URL): string {
  return url.pathname + url.search;
}

function headersFor(hop: Hop, asked: HttpProxy | undefined): readonly HeaderLine[] {
  const own =
    hasHeader(hop.headers, 'host') || asked === undefined ? [] : [{ name: 'Host', value: hop.url.host }];
  const forProxy =
    asked?.authorization === undefined ? [] : [{ name: 'Proxy-Authorization', value: asked.authorization }];
  return [...own, ...hop.headers, ...forProxy];
}

function proxyFor(
  url: URL,
  wanted: HttpRequest['options']['proxy'],
  env: NodeJS.ProcessEnv,
): HttpProxy | undefined {
  if (wanted === 'none') return undefined;
  return wanted === 'system' ? systemProxy(url, env) : wanted;
}

/** Where a response leads: `none` when it is no redirect, undefined when it cannot be followed. */
function nextHop(hop: Hop, { status, headers }: HttpResponse): Hop | 'none' | undefined {
  const location = headers.find(({ name }) => name.toLowerCase() === 'location')?.value;
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return 'none';
  const url = redirectTarget(location, hop.url);
  if (url === undefined) return undefined;
  // As every client does it, whatever the first HTTP specifications said (RFC 9110 §15.4).
  const becomesGet = status === 303 ? hop.method !== 'HEAD' : status < 303 && hop.method === 'POST';
  if (!becomesGet && hop.body !== undefined && !Buffer.isBuffer(hop.body)) return undefined;
  const isElsewhere =
    hop.isElsewhere ||
    url.protocol !== hop.url.protocol ||
    hostOf(url) !== hostOf(hop.url) ||
    url.port !== hop.url.port;
  url.username = '';
  url.password = '';
  const kept = isElsewhere ? harmlessHeaders(hop.headers) : hop.headers;
  return {
    url,
    method: becomesGet ? 'GET' : hop.method,
    headers: becomesGet ? kept.filter(({ name }) => !name.toLowerCase().startsWith('content-')) : kept,
    body: becomesGet ? undefined : hop.body,
    isElsewhere,
  };
}
