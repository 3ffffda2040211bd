// The function http (stdlib 10): its arguments become a request, its outcome a value.

import { isIP } from 'node:net';
import {
  type BuiltinSteps,
  builtin,
  bytesToText,
  type CallContext,
  call,
  HslArray,
  HslFunction,
  ScriptFault,
  type Value,
  wait,
} from '#lang';
import { encodeUrl } from '../encodings/percent.js';
import { LONGEST_TEXT_BYTES } from '../limits.js';
import { servicesOf } from '../services.js';
import { basicCredentials, hasHeader, isToken, parseHeaderLines } from './headers.js';
import { parseProxy } from './proxy.js';
import { PulledBody } from './pulled-body.js';
import type { HeaderLine, HttpOutcome, HttpRequest, HttpRequestOptions } from './request.js';
import { sendHttp } from './send.js';
import { fillPlaces, parseHttpUrl } from './url.js';

/** A response takes no longer when the script sets no `timeout`. */
const LONGEST_RESPONSE_SECONDS = 300;
/** "Unlimited" redirects end here: it is a loop. */
const MOST_REDIRECTS = 50;

const keys = {
  extended_result: {
    type: 'boolean',
    default: false,
    doc: 'Gives an array with `status` and `content` for every response.',
  },
  response_headers: {
    type: 'boolean',
    default: false,
    doc: 'Puts status line and headers, as they came, in front of the content, and gives it whatever the status; with extended_result also a list `headers`.',
  },
  connect_timeout: {
    type: 'number',
    default: 10,
    doc: 'Seconds until the connection stands, name look-up and TLS included.',
  },
  timeout: {
    type: 'number',
    doc: `Seconds from then until the whole response is there; ${LONGEST_RESPONSE_SECONDS} when left out.`,
  },
  max_file_size: { type: 'number', doc: 'A content with more bytes is none; 256 MiB when left out.' },
  sourceip: { type: 'string', doc: 'The own address to connect from.' },
  sourceipid: { type: 'string', doc: 'Id of a configured address to connect from.' },
  method: { type: 'string', doc: 'GET, or POST when post is given, unless another is written here.' },
  headers: {
    type: 'array',
    doc: 'A list of "Name: value". What is said by the client itself (Content-Length, Connection, Transfer-Encoding, Expect, Upgrade) is left out.',
  },
  username: { type: 'string', doc: 'For HTTP Basic authentication.' },
  password: { type: 'string', doc: 'For HTTP Basic authentication.' },
  redirects: {
    type: 'number',
    default: 0,
    doc: `How many redirects to follow; -1 is as many as come, up to ${MOST_REDIRECTS}.`,
  },
  tls_verify_peer: {
    type: 'boolean',
    default: true,
    doc: 'The certificate must lead to an authority we trust.',
  },
  ssl_verify_peer: { type: 'boolean', aliasOf: 'tls_verify_peer', doc: 'Older spelling of tls_verify_peer.' },
  tls_verify_host: {
    type: 'boolean',
    doc: 'The certificate must be for the host; as tls_verify_peer when left out.',
  },
  ssl_verify_host: { type: 'boolean', aliasOf: 'tls_verify_host', doc: 'Older spelling of tls_verify_host.' },
  tls_default_ca: {
    type: 'boolean',
    default: false,
    doc: 'Trust the authorities of this system (SSL_CERT_FILE names another bundle) instead of those that come with Node.',
  },
  ssl_default_ca: { type: 'boolean', aliasOf: 'tls_default_ca', doc: 'Older spelling of tls_default_ca.' },
  tls_client_cert: {
    type: 'string',
    doc: 'Id of a configured key with its certificate, to show when asked.',
  },
  background: {
    type: 'boolean',
    default: false,
    doc: 'Make the request later and give true, or none when the queue is full.',
  },
  background_hash: { type: 'number', default: 0, doc: 'Requests with the same number are made in order.' },
  background_retry_count: {
    type: 'number',
    default: 0,
    doc: 'How often a request not answered with 2xx is repeated.',
  },
  background_retry_delay: { type: 'number', default: 0, doc: 'Seconds before it is repeated.' },
  proxy: {
    type: 'string',
    doc: 'URL of an HTTP proxy; "" uses none. Left out, http_proxy, https_proxy, all_proxy and no_proxy of the environment decide.',
  },
  unix_socket_path: { type: 'string', doc: 'Connect to this UNIX socket instead of the host of the URL.' },
} as const;

type Options = {
  readonly [N in keyof typeof keys]: (typeof keys)[N] extends { type: 'boolean' }
    ? boolean | undefined
    : (typeof keys)[N] extends { type: 'number' }
      ? number | undefined
      : (typeof keys)[N] extends { type: 'array' }
        ? HslArray | undefined
        : string | undefined;
};

function numberOption(name: string, value: number | undefined, lowest: number, fallback: number): number {
  if (value === undefined) return fallback;
  if (!(value >= lowest && value < Number.POSITIVE_INFINITY))
    throw new ScriptFault(`http: the option "${name}" must be ${lowest} or more, not ${value}`);
  return value;
}

/** A number of seconds; 0 is the same as left out. */
function secondsOption(name: string, value: number | undefined, fallback: number): number {
  return numberOption(name, value, 0, fallback) || fallback;
}

function sourceIpOf({ sourceip, sourceipid }: Options, ctx: CallContext): string | undefined {
  if (sourceip !== undefined) {
    if (isIP(sourceip) === 0)
      throw new ScriptFault(
        `http: the option "sourceip" must be an IP address, not "${sourceip.slice(0, 40)}"`,
      );
    return sourceip;
  }
  if (sourceipid === undefined) return undefined;
  const found = servicesOf(ctx).configured.address(sourceipid);
  if (found === undefined)
    throw new ScriptFault(`http: no address "${sourceipid.slice(0, 40)}" is configured (sourceipid)`);
  return found.address;
}

function requestOptions(options: Options, ctx: CallContext): HttpRequestOptions {
  const { tls_client_cert: keyId, proxy, redirects = 0, unix_socket_path: path } = options;
  const clientKey = keyId === undefined ? undefined : servicesOf(ctx).configured.key(keyId);
  if (keyId !== undefined && clientKey === undefined)
    throw new ScriptFault(`http: no key "${keyId.slice(0, 40)}" is configured (tls_client_cert)`);
  if (!Number.isInteger(redirects) || redirects < -1)
    throw new ScriptFault(
      `http: the option "redirects" must be -1 or a whole number from 0, not ${redirects}`,
    );
  if (path?.includes('\0') === true || path === '')
    throw new ScriptFault('http: the option "unix_socket_path" must be the path of a socket');
  const verifiesPeer = options.tls_verify_peer ?? true;
  return {
    connectTimeoutSeconds: secondsOption('connect_timeout', options.connect_timeout, 10),
    timeoutSeconds: secondsOption('timeout', options.timeout, LONGEST_RESPONSE_SECONDS),
    maxBytes: Math.min(
      numberOption('max_file_size', options.max_file_size, 0, LONGEST_TEXT_BYTES),
      LONGEST_TEXT_BYTES,
    ),
    redirects: redirects === -1 ? MOST_REDIRECTS : Math.min(redirects, MOST_REDIRECTS),
    sourceIp: sourceIpOf(options, ctx),
    verifiesPeer,
    verifiesHost: options.tls_verify_host ?? verifiesPeer,
    usesSystemCa: options.tls_default_ca ?? false,
    clientKey,
    proxy:
      proxy === undefined ? 'system' : proxy === '' ? 'none' : parseProxy(proxy, 'http: the option "proxy"'),
    unixSocketPath: path === undefined ? undefined : bytesToText(path),
  };
}

/** Values of an array as texts, for the URL and for forms. */
function textOf(value: Value, where: string, ctx: CallContext): string {
  if (
    value === null ||
    (typeof value === 'object' && !(value instanceof HslArray)) ||
    value instanceof HslArray
  )
    throw new ScriptFault(`${where} must be a string, number or boolean`);
  return ctx.toText(value);
}

function formOf(fields: HslArray, ctx: CallContext): string {
  return [...fields.entries()]
    .map(
      ([key, value]) =>
        `${encodeUrl(ctx.toText(key))}=${encodeUrl(textOf(value, `http: the form field "${ctx.toText(key)}"`, ctx))}`,
    )
    .join('&');
}

/** Credentials written into the URL count unless the options have others (RFC 3986 §3.2.1 calls them deprecated). */
function credentialsOf(url: URL, { username, password }: Options): string | undefined {
  if (username?.includes(':') === true)
    throw new ScriptFault('http: the option "username" must not hold a colon (RFC 7617)');
  if (username !== undefined || password !== undefined)
    return basicCredentials(username ?? '', password ?? '');
  if (url.username === '' && url.password === '') return undefined;
  const bytes = (text: string) =>
    text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return basicCredentials(bytes(url.username), bytes(url.password));
}

type Post = string | HslArray | HslFunction | undefined;

function requestOf(
  text: string,
  options: Options,
  get: HslArray | undefined,
  post: Post,
  ctx: CallContext,
): HttpRequest | undefined {
  const values = (get?.toList() ?? []).map((value, i) => textOf(value, `http: value ${i + 1} of get`, ctx));
  const url = parseHttpUrl(values.length === 0 ? text : fillPlaces(text, values));
  const method = options.method ?? (post === undefined ? 'GET' : 'POST');
  if (!isToken(method) || /^connect$/i.test(method))
    throw new ScriptFault(
      `http: "${method.slice(0, 20).replace(/[^\x20-\x7e]/g, '?')}" is no method for this function`,
    );
  const headers: HeaderLine[] = [...parseHeaderLines(options.headers)];
  const requested = requestOptions(options, ctx);
  const body = post instanceof HslArray ? formOf(post, ctx) : typeof post === 'string' ? post : undefined;
  // Only now: a mistake of the script is told whatever the URL is.
  if (url === undefined) return undefined;
  const credentials = credentialsOf(url, options);
  url.username = '';
  url.password = '';
  if (credentials !== undefined && !hasHeader(headers, 'authorization'))
    headers.push({ name: 'Authorization', value: credentials });
  // What clients have always said of a body that nobody described.
  if (post !== undefined && !hasHeader(headers, 'content-type'))
    headers.push({ name: 'Content-Type', value: 'application/x-www-form-urlencoded' });
  return {
    url,
    method,
    headers,
    body: body === undefined ? undefined : Buffer.from(body, 'latin1'),
    options: requested,
  };
}

/** What the function gives for what came. */
function resultOf(outcome: HttpOutcome, options: Options, ctx: CallContext): Value {
  if (outcome.kind === 'failure') return null;
  const { status, statusText, headers, body } = outcome.response;
  const lines = headers.map(({ name, value }) => `${name}: ${value}`);
  const withHeaders = options.response_headers === true;
  const content = withHeaders
    ? `${[`HTTP/1.1 ${status} ${statusText}`, ...lines].join('\r\n')}\r\n\r\n${body}`
    : body;
  if (options.extended_result === true)
    return HslArray.fromRecord({
      status,
      content,
      ...(withHeaders && { headers: HslArray.fromList(lines) }),
    });
  if (withHeaders) ctx.charge(content.length);
  return withHeaders || (status >= 200 && status < 300) ? content : null;
}

function addToBackground(request: HttpRequest, options: Options, ctx: CallContext): Value {
  const { backgroundRequests } = servicesOf(ctx).network;
  if (backgroundRequests === undefined)
    throw new ScriptFault(
      'http: requests in the background are not offered here; leave out the option "background"',
    );
  const hash = options.background_hash ?? 0;
  if (!Number.isFinite(hash))
    throw new ScriptFault('http: the option "background_hash" must be a finite number');
  const plan = {
    hash,
    retryCount: numberOption('background_retry_count', options.background_retry_count, 0, 0),
    retryDelaySeconds: numberOption('background_retry_delay', options.background_retry_delay, 0, 0),
  };
  return backgroundRequests.add(request, plan) ? true : null;
}

/** Makes the request with a body that a script function makes, called for as long as it gives something. */
function* streamed(request: HttpRequest, post: HslFunction, ctx: CallContext): BuiltinSteps<HttpOutcome> {
  const body = new PulledBody();
  const aborter = new AbortController();
  const outcome = sendHttp(
    request,
    {
      resolver: servicesOf(ctx).network.resolver,
      signal: AbortSignal.any([ctx.signal, aborter.signal]),
      charge: (bytes) => ctx.charge(bytes),
      env: process.env,
    },
    body,
  );
  outcome.catch(() => {});
  try {
    for (;;) {
      const next: HttpOutcome | number = yield wait(Promise.race([outcome, body.wanted()]));
      if (typeof next !== 'number') return next;
      const piece: Value = yield call(post, next);
      if (typeof piece !== 'string')
        throw new ScriptFault('http: the function of post must give a string, and "" at the end');
      body.give(piece);
    }
  } finally {
    aborter.abort();
    body.destroy();
  }
}

export const http = builtin({
  name: 'http',
  group: 'http',
  summary: 'Makes an HTTP request and gives the content of the response.',
  details:
    'Values of `get` replace `$1`, `$2`, … in the URL, URL-encoded. `post` is the body: a text as it is, an array as form fields, ' +
    'or a function that is called with a number of bytes and gives the next piece, "" at the end. Its type is ' +
    'application/x-www-form-urlencoded unless `headers` says otherwise. A Content-Encoding is not undone.\n\n' +
    'Of a redirect to another origin the script’s credentials, certificate and own headers (all but Accept, Content-Type and ' +
    'the like) are not told. 301, 302 and 303 after a POST are followed with GET.',
  example:
    'http("http://127.0.0.1:8080/hello")  // "Hello"\n' +
    'http("http://127.0.0.1:8080/url?q=$1", [], ["a&b"])  // "/url?q=a%26b"\n' +
    'http("http://127.0.0.1:8080/echo", [], none, ["to" => "alice", "n" => 2])  // "to=alice&n=2"\n' +
    'http("http://127.0.0.1:8080/nothing", ["extended_result" => true])  // {"status":404,"content":"Not found"}',
  source: 'stdlib 10',
  params: [
    { name: 'url', type: 'string', doc: 'With http or https.' },
    { name: 'options', type: 'options', optional: true, keys },
    { name: 'get', type: 'array|none', optional: true },
    { name: 'post', type: 'any', optional: true, doc: 'A string, an array, a function, or none.' },
  ],
  returns: 'string|array|boolean|none',
  errors:
    'None when it is no URL for HTTP, when no response came, when it was not 2xx (unless extended_result or response_headers ' +
    'ask for it), too large or late, or when its redirects do not end. An exception for a wrong option or body.',
  suspends: true,
  callbacks: true,
  run: function* (url, options, get, post, ctx): BuiltinSteps<Value> {
    if (post !== undefined && post !== null && !isPost(post))
      throw new ScriptFault('argument 4 (post) of http must be a string, an array, a function or none');
    const body = isPost(post) ? post : undefined;
    const request = requestOf(url, options, get ?? undefined, body, ctx);
    if (request === undefined) return null;
    if (options.background) {
      if (body instanceof HslFunction)
        throw new ScriptFault(
          'http: with "background" the body must be a string or an array: no function is left to call',
        );
      return addToBackground(request, options, ctx);
    }
    if (body instanceof HslFunction) return resultOf(yield* streamed(request, body, ctx), options, ctx);
    const { resolver } = servicesOf(ctx).network;
    const settings = { resolver, signal: ctx.signal, charge: (n: number) => ctx.charge(n), env: process.env };
    const outcome: HttpOutcome = yield wait(sendHttp(request, settings));
    return resultOf(outcome, options, ctx);
  },
});

function isPost(value: Value | undefined): value is string | HslArray | HslFunction {
  return typeof value === 'string' || value instanceof HslArray || value instanceof HslFunction;
}
