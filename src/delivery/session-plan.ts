// From a transport and what Try says to a session with one address: where we come from, how we introduce ourselves, how the
// session is protected. Whatever Try says wins, for this attempt only (hooks 12.1).

import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { SourceAddress, TryOptions } from '#hooks';
import type { Route } from './client/connection.js';
import type { Introduction } from './client/greeting.js';
import { heloProblem } from './client/mail-path.js';
import type { OutboundProxy } from './client/proxy-header.js';
import type { Credentials } from './client/sasl.js';
import { meantWish, type TlsWish } from './client/tls.js';
import type { Trouble } from './client/trouble.js';
import type { Attempt, HopAddress, Transport } from './deliverer.js';
import { demandKey } from './security/demand.js';

/** What is the same for all addresses of an attempt. */
export interface SessionPlan {
  readonly protocol: 'smtp' | 'lmtp';
  readonly wish: TlsWish;
  readonly credentials: Credentials | undefined;
  readonly xclient: Readonly<Record<string, string>> | undefined;
  readonly proxy: OutboundProxy | undefined;
}

/** Puts transport and Try together, or says what cannot be. */
export function planSession(transport: Transport, options: TryOptions): SessionPlan | Trouble {
  const proxy = proxyOf(transport, options);
  if (proxy !== undefined && 'kind' in proxy) return proxy;
  return {
    protocol: options.protocol ?? transport.protocol,
    wish: meantWish({ ...transport.tls, ...options.tls }),
    credentials: credentialsOf(transport, options),
    xclient: options.xclient,
    proxy,
  };
}

function credentialsOf({ credentials }: Transport, { logIn }: TryOptions): Credentials | undefined {
  if (logIn === undefined) return credentials;
  if (logIn === 'none') return undefined;
  const allowsUnverified = logIn.allowsUnverified ?? credentials?.allowsUnverified ?? false;
  const { userName, password = '' } = logIn;
  if (userName !== undefined) return { userName, password, allowsUnverified };
  return credentials === undefined ? undefined : { ...credentials, allowsUnverified };
}

function proxyOf(transport: Transport, { proxy }: TryOptions): OutboundProxy | Trouble | undefined {
  if (proxy === 'none') return undefined;
  if (proxy === undefined) return transport.proxy;
  const { ip = transport.proxy?.ip, port = transport.proxy?.port } = proxy;
  if (ip === undefined || port === undefined)
    return {
      kind: 'misconfigured',
      state: 'BANNER',
      message: `Try names a proxy without ${ip === undefined ? 'an address' : 'a port'}, and transport "${transport.id}" has no proxy`,
    };
  return { ip, port, version: proxy.version ?? transport.proxy?.version };
}

/** The address of ours from which one of the peer's is reached. */
export function sourceFor({ source }: Attempt, address: HopAddress): SourceAddress | undefined {
  return isIPv6(address.ip) ? source?.ipv6 : source?.ipv4;
}

/** The name for EHLO there, or what is wrong with it. */
export function heloFor(attempt: Attempt, address: HopAddress, hostname: string): string | Trouble {
  const helo =
    attempt.options.helo ?? sourceFor(attempt, address)?.helo ?? attempt.transport.helo ?? hostname;
  const problem = heloProblem(helo);
  return problem === undefined ? helo : { kind: 'misconfigured', state: 'EHLO', message: problem };
}

/** The way to an address. */
export function routeTo(attempt: Attempt, address: HopAddress, { proxy }: SessionPlan): Route {
  return {
    ip: address.ip,
    port: address.port,
    sourceIp: sourceFor(attempt, address)?.ip,
    isNonlocal: attempt.source?.isNonlocal,
    proxy,
  };
}

/** What of the peer connections are pooled by: its address, or its name, so that any address of a host will do. */
export type PooledBy = 'remoteip' | 'remotemx';

/** A host may have 64 KiB of TLSA records, and as many idle connections as fit the pool. */
const LONGEST_KEY = 4096;

/** Connections are interchangeable when a peer could not tell them apart (queue-and-config 5). */
export function poolKey(route: Route, introduction: Introduction, by: PooledBy = 'remoteip'): string {
  const { helo, protocol, peerName, tls, demand, credentials, xclient } = introduction;
  const { ip, port, sourceIp = '', proxy } = route;
  const peer = by === 'remotemx' ? peerName.toLowerCase() : ip;
  const place = `${protocol} ${sourceIp} ${peer} ${port} ${helo}`;
  // Most connections are of this kind, and the key is made for every message.
  if (demand.minimum === 'none' && credentials === undefined && xclient === undefined && proxy === undefined)
    return place;
  const way = proxy === undefined ? '' : `${proxy.ip} ${proxy.port} ${proxy.version ?? ''}`;
  // The name counts where certificates are looked at: another host may be behind the same address.
  const protection = demand.minimum === 'none' ? '' : JSON.stringify([peerName, tls, demandKey(demand)]);
  const claimed = xclient === undefined ? '' : JSON.stringify(xclient);
  const key = JSON.stringify([place, way, protection, claimed, fingerprint(credentials)]);
  return key.length <= LONGEST_KEY ? key : digest(key);
}

/** Tells log-ins apart without keeping passwords in more places. */
function fingerprint(credentials: Credentials | undefined): string {
  if (credentials === undefined) return '';
  const { userName, password, allowsUnverified } = credentials;
  return digest(JSON.stringify([userName, password, allowsUnverified]));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
