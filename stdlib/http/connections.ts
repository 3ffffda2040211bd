// The connections requests are made over: kept alive, and shared by requests that ask for the same (source address, TLS,
// proxy tunnel, UNIX socket, resolver), never by others. The number of such sets is bounded; the one unused for longest
// goes first, when its requests are done.

import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { buildConnector, Dispatcher } from 'undici';
import type { Resolver } from '../dns/resolver.js';
import { addressLookup } from '../sockets/address-lookup.js';
import { isCertificateFor, secureContextOf, type TlsChoice, tlsChoiceId } from '../sockets/tls-options.js';
import { openTunnel } from './proxy.js';
import type { HttpProxy, HttpRequestOptions } from './request.js';

const MOST_AGENTS = 64;
const LONGEST_HEADERS_BYTES = 64 * 1024;
const KEEP_ALIVE_MS = 4000;

/** What tells connections apart. */
export interface ConnectionChoice {
  readonly options: HttpRequestOptions;
  /** A proxy to tunnel through; one that is asked itself is the origin of the request. */
  readonly tunnel: HttpProxy | undefined;
  readonly resolver: Resolver | undefined;
}

/** Connections for requests that ask for the same. */
export interface Connections {
  readonly dispatcher: Dispatcher;
  /** Requests that somebody waits for and that are on no connection yet. Whoever makes one counts it. */
  waiting: number;
}

/**
 * Why a connection was not made: undici would connect once more for a request that was given up, before it notices, and an
 * overloaded server would get two connections for every request that it was too slow for.
 */
export class NobodyWaits extends Error {
  constructor() {
    super('nobody waits for it any more');
  }
}

type Undici = typeof import('undici');
const agents = new Map<string, Connections>();
const resolverNumbers = new WeakMap<Resolver, number>();
let nextResolverNumber = 1;

function resolverNumber(resolver: Resolver | undefined): number {
  if (resolver === undefined) return 0;
  let number = resolverNumbers.get(resolver);
  if (number === undefined) {
    number = nextResolverNumber++;
    resolverNumbers.set(resolver, number);
  }
  return number;
}

function tlsChoiceOf({ usesSystemCa, clientKey }: HttpRequestOptions): TlsChoice {
  return { usesSystemCa, clientKey };
}

function idOf({ options, tunnel, resolver }: ConnectionChoice): string {
  return JSON.stringify([
    options.connectTimeoutSeconds,
    options.sourceIp,
    options.verifiesPeer,
    options.verifiesHost,
    tlsChoiceId(tlsChoiceOf(options)),
    options.unixSocketPath,
    tunnel?.url.href,
    tunnel?.authorization,
    resolverNumber(resolver),
  ]);
}

/** The connections for a choice. @throws ScriptFault when the client's key cannot be used */
export async function connectionsFor(choice: ConnectionChoice): Promise<Connections> {
  const undici = await import('undici');
  const id = idOf(choice);
  let connections = agents.get(id);
  if (connections === undefined) {
    connections = newConnections(choice, undici);
    if (agents.size >= MOST_AGENTS) {
      const [oldest, unused] = agents.entries().next().value!;
      agents.delete(oldest);
      void unused.dispatcher.close();
    }
  } else agents.delete(id);
  agents.set(id, connections);
  return connections;
}

function newConnections(choice: ConnectionChoice, undici: Undici): Connections {
  const connect = connectorFor(choice, undici);
  const connections: Connections = {
    waiting: 0,
    dispatcher: new undici.Agent({
      connect: (to, done) => {
        if (connections.waiting > 0) connect(to, done);
        else done(new NobodyWaits(), null);
      },
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: 60_000,
      maxHeaderSize: LONGEST_HEADERS_BYTES,
      // Time is limited by the exchange, which knows the script's limits.
      headersTimeout: 0,
      bodyTimeout: 0,
    }),
  };
  return connections;
}

function connectorFor(choice: ConnectionChoice, undici: Undici): buildConnector.connector {
  const { options, tunnel, resolver } = choice;
  const timeout = Math.ceil(options.connectTimeoutSeconds * 1000);
  const base = undici.buildConnector({
    secureContext: secureContextOf(tlsChoiceOf(options), 'http'),
    rejectUnauthorized: options.verifiesPeer,
    ...(!options.verifiesHost && { checkServerIdentity: () => undefined }),
    lookup: addressLookup(resolver),
    ...(options.sourceIp !== undefined && { family: isIP(options.sourceIp) }),
    ...(options.unixSocketPath !== undefined && { socketPath: options.unixSocketPath }),
    timeout,
  });
  const localAddress = options.sourceIp ?? null;
  const plain: buildConnector.connector = (to, done) => base({ ...to, localAddress }, done);
  const connect = tunnel === undefined ? plain : tunnelled(plain, tunnel, timeout);
  // Node checks the name only together with the chain.
  return options.verifiesHost && !options.verifiesPeer ? nameChecked(connect) : connect;
}

function nameChecked(connect: buildConnector.connector): buildConnector.connector {
  return (to, done) =>
    connect(to, (...result) => {
      const [error, socket] = result;
      if (error !== null || to.protocol !== 'https:') {
        done(...result);
        return;
      }
      const certificate = (socket as TLSSocket).getPeerX509Certificate();
      if (certificate !== undefined && isCertificateFor([to.hostname], certificate)) {
        done(...result);
        return;
      }
      socket.destroy();
      done(new Error(`the certificate is not for ${to.hostname}`), null);
    });
}

/** TLS to the target through a tunnel in the proxy. */
function tunnelled(
  connect: buildConnector.connector,
  { url, authorization }: HttpProxy,
  timeoutMs: number,
): buildConnector.connector {
  return (to, done) => {
    const proxyPort = url.port || (url.protocol === 'https:' ? '443' : '80');
    connect(
      { hostname: url.hostname, host: url.host, protocol: url.protocol, port: proxyPort },
      (...[error, socket]) => {
        if (error !== null) {
          done(error, null);
          return;
        }
        const host = isIP(to.hostname) === 6 ? `[${to.hostname}]` : to.hostname;
        openTunnel(socket, `${host}:${to.port || '443'}`, authorization, timeoutMs).then(
          () => connect({ ...to, httpSocket: socket as Socket }, done),
          (failure: Error) => done(failure, null),
        );
      },
    );
  };
}
