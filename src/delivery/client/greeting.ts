// The opening of a dialogue, up to where MAIL may be said:
//
//   greeting ─► EHLO ─┬─► STARTTLS ─► handshake ─► EHLO ─┬─► XCLIENT ─► EHLO ─┬─► AUTH ─► MAIL
//                     └──────────────────────────────────┴────────────────────┘
//
// With implicit TLS (RFC 8314) the handshake comes before the greeting, and STARTTLS is left out.
//
// LHLO in LMTP; HELO if the peer knows no EHLO, which then offers nothing. What a peer announced is forgotten each time
// it is greeted anew (RFC 3207 §4.2): before TLS anybody could have said it.

import type { TLSSocket } from 'node:tls';
import type { TlsDemand } from '../security/demand.js';
import { judgeSession } from '../security/judge.js';
import { noCapabilities, parseCapabilities } from './capabilities.js';
import type { Connection } from './connection.js';
import type { Reply } from './reply-parser.js';
import { authenticate, type Credentials } from './sasl.js';
import { describeTls, type TlsClient, type TlsWish } from './tls.js';
import type { SecondsFor, SmtpState, Trouble } from './trouble.js';
import { impersonate, type XclientAttributes } from './xclient.js';

/** How we introduce ourselves. */
export interface Introduction {
  readonly helo: string;
  readonly protocol: 'smtp' | 'lmtp';
  /** Whom we want to reach: the host's name, or its address where there is no name. */
  readonly peerName: string;
  /** How TLS is made, and whether the author wants any at all. */
  readonly tls: TlsWish;
  /** What the session must be like. */
  readonly demand: TlsDemand;
  /** STARTTLS is not said any more: the handshake with this peer failed a moment ago. */
  readonly isTlsGivenUp?: boolean;
  readonly credentials?: Credentials | undefined;
  readonly xclient?: XclientAttributes | undefined;
}

/** Brings a fresh connection to where MAIL may be said. */
export async function greet(
  connection: Connection,
  introduction: Introduction,
  tlsClient: TlsClient,
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  const { tls, demand, credentials, xclient } = introduction;
  const isProtected = tls.isImplicit === true;
  if (isProtected) {
    const trouble = await protectFirst(connection, introduction, tlsClient, secondsFor);
    if (trouble !== undefined) return trouble;
  }
  const banner = positive('BANNER', await connection.reply('BANNER', secondsFor('BANNER')));
  if ('kind' in banner) return banner;
  connection.greeting = banner.lines;
  return (
    (await introduceOrOlder(connection, introduction, secondsFor)) ??
    (isProtected || demand.minimum === 'none'
      ? undefined
      : await protect(connection, introduction, tlsClient, secondsFor)) ??
    (xclient === undefined ? undefined : await impersonate(connection, xclient, secondsFor)) ??
    (xclient === undefined ? undefined : await introduce(connection, introduction, secondsFor)) ??
    (credentials === undefined ? undefined : await authenticate(connection, credentials, tls, secondsFor))
  );
}

/** The same introduction without TLS, for a peer whose TLS does not work (failure.ts says when). */
export function inPlainText(introduction: Introduction): Introduction {
  return { ...introduction, isTlsGivenUp: true };
}

async function introduceOrOlder(
  connection: Connection,
  introduction: Introduction,
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  const trouble = await introduce(connection, introduction, secondsFor);
  if (trouble === undefined) return undefined;
  // RFC 5321 §3.2: a server that does not know EHLO says 5xx and may still know HELO. LMTP has no older form (RFC 2033 §4.1).
  const isUnknown = trouble.kind === 'refused' && trouble.state === 'EHLO' && trouble.reply.code >= 500;
  return isUnknown && !connection.isBroken ? say(connection, 'HELO', introduction.helo, secondsFor) : trouble;
}

async function introduce(
  connection: Connection,
  { helo, protocol }: Introduction,
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  return say(connection, protocol === 'lmtp' ? 'LHLO' : 'EHLO', helo, secondsFor);
}

async function say(
  connection: Connection,
  state: 'EHLO' | 'HELO' | 'LHLO',
  helo: string,
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  connection.capabilities = noCapabilities;
  connection.send(`${state} ${helo}\r\n`, 1);
  const hello = positive(state, await connection.reply(state, secondsFor(state)));
  if ('kind' in hello) return hello;
  if (state !== 'HELO') connection.capabilities = parseCapabilities(hello.lines);
  return undefined;
}

/** STARTTLS and what follows from it. Nothing is wrong when an optional session does not come about. */
async function protect(
  connection: Connection,
  introduction: Introduction,
  tlsClient: TlsClient,
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  const { tls, demand, peerName } = introduction;
  const isRequired = demand.minimum === 'required';
  if (introduction.isTlsGivenUp === true && !isRequired) {
    connection.tlsRefusal = 'the TLS handshake failed before';
    connection.tlsFailure = 'validation-failure';
    return undefined;
  }
  if (!connection.capabilities.startTls) {
    connection.tlsRefusal = 'the peer does not offer STARTTLS';
    connection.tlsFailure = 'starttls-not-supported';
    const message = `the peer does not offer STARTTLS, which ${reasonOf(introduction)} needs`;
    return isRequired ? { ...insecure(demand, message), cause: 'not-offered' } : undefined;
  }
  const plan = tlsClient.plan(tls, demand, peerName);
  if ('problem' in plan) return { kind: 'misconfigured', state: 'STARTTLS', message: plan.problem };

  connection.send('STARTTLS\r\n', 1);
  const goAhead = positive('STARTTLS', await connection.reply('STARTTLS', secondsFor('STARTTLS')));
  if ('kind' in goAhead) {
    if (goAhead.kind !== 'refused') return goAhead;
    connection.tlsRefusal = `the peer answered STARTTLS with ${goAhead.reply.code}`;
    connection.tlsFailure = 'starttls-not-supported';
    return isRequired || goAhead.reply.code === 421 ? goAhead : undefined;
  }
  const socket = await connection.startTls(plan.secure, secondsFor('STARTTLS'));
  return (
    (await judge(connection, introduction, tlsClient, socket)) ??
    (await introduce(connection, introduction, secondsFor))
  );
}

/** TLS before anything is said. */
async function protectFirst(
  connection: Connection,
  introduction: Introduction,
  tlsClient: TlsClient,
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  const { tls, demand, peerName } = introduction;
  const plan = tlsClient.plan(tls, demand, peerName);
  if ('problem' in plan) return { kind: 'misconfigured', state: 'STARTTLS', message: plan.problem };
  const socket = await connection.beginWithTls(plan.secure, secondsFor('STARTTLS'));
  return judge(connection, introduction, tlsClient, socket);
}

/** Holds a session that has begun, or has not, against what was demanded. */
async function judge(
  connection: Connection,
  { tls, demand, peerName }: Introduction,
  tlsClient: TlsClient,
  socket: TLSSocket | Trouble,
): Promise<Trouble | undefined> {
  if ('kind' in socket) {
    connection.tlsFailure = 'validation-failure';
    return socket.kind === 'tls' ? { ...socket, unmet: demand.unmet } : socket;
  }
  const described = describeTls(socket, tls, peerName);
  const judgement = await judgeSession(demand, described, peerName, tlsClient.now());
  const isTrustedPeer = described.chainProblem === undefined && described.isForPeer;
  const isProven = judgement.kind === 'met' && demand.verify.some(({ kind }) => kind === 'dane');
  connection.tls = { ...described, isAuthenticated: isTrustedPeer || isProven };
  if (judgement.kind === 'unmet') {
    connection.tlsFailure = judgement.failure;
    return { ...insecure(demand, judgement.message), cause: 'unverified' };
  }
  connection.tlsFailure = judgement.trial;
  return undefined;
}

function reasonOf({ tls, demand }: Introduction): string {
  if (demand.unmet.type === 'dane') return 'DANE';
  return tls.mode.startsWith('require')
    ? `the TLS mode "${tls.mode}"`
    : "the recipient's domain or the message";
}

function insecure(demand: TlsDemand, message: string): Trouble & { readonly kind: 'tls' } {
  return { kind: 'tls', state: 'STARTTLS', cause: 'unverified', message, unmet: demand.unmet };
}

/** Sorts an answer: 2xx goes on, 4xx and 5xx refuse, 3xx makes no sense outside DATA. */
export function positive(state: SmtpState, answer: Reply | Trouble): Reply | Trouble {
  if ('kind' in answer) return answer;
  if (answer.code < 300) return answer;
  if (answer.code >= 400) return { kind: 'refused', state, reply: answer };
  return { kind: 'protocol', state, message: `the peer answered ${state} with ${answer.code}` };
}
