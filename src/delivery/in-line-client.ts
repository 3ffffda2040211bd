// The SMTP client as scripts use it (stdlib 10 "SMTP client", 15 "send"): one dialogue on a connection of its own, while the
// script waits. Nothing is queued, retried or pooled; the outcome is the script's to judge. Everything said on the wire is
// said by client/, as for queued mail, and failure.ts decides here too what may be tried next.

import { randomUUID } from 'node:crypto';
import { isIP, isIPv6, connect as netConnect } from 'node:net';
import type {
  Address,
  MailClient,
  MailOutcome,
  MailServer,
  MailTarget,
  MailTls,
  OutgoingMail,
} from '#stdlib';
import { Connection, type NetConnect } from './client/connection.js';
import { greet, type Introduction, inPlainText } from './client/greeting.js';
import { heloProblem } from './client/mail-path.js';
import { prepareEnvelope, prepareParcel } from './client/parcel.js';
import { timeoutsFor } from './client/timeouts.js';
import { noTls, TlsClient, type TlsTrust } from './client/tls.js';
import { probe, type TransactionEnd, transact } from './client/transaction.js';
import type { SecondsFor, SmtpState, Trouble } from './client/trouble.js';
import { type Clock, systemClock } from './clock.js';
import type { Transport } from './deliverer.js';
import {
  type Ending,
  fallsBackToPlainText,
  successEnding,
  triesNextAddress,
  troubleEnding,
  unexpectedEnding,
  weightier,
} from './failure.js';
import { type Names, systemNames } from './lookup.js';
import { findMailHosts, type HostFilter } from './mail-hosts.js';
import { piecesReader } from './pieces-reader.js';
import type { DeliveryLog } from './smtp-deliverer.js';

/** What the client needs of the world; what is absent is the machine's own. */
export interface InLineClientOptions {
  /** The name for EHLO where the script gives none. */
  readonly hostname: () => string;
  /** A configured transport. */
  readonly transport?: (id: string) => Transport | undefined;
  readonly names?: () => Names;
  readonly trust?: TlsTrust;
  readonly connect?: NetConnect;
  readonly clock?: Clock;
  readonly log?: DeliveryLog;
  readonly random?: () => number;
}

/** A server as it was described, with every default filled in. */
interface Plan {
  readonly host: string | undefined;
  readonly port: number;
  /** Whose mail hosts are meant where there is no host. */
  readonly domain: string | undefined;
  readonly filter: HostFilter;
  readonly introduction: Omit<Introduction, 'peerName'>;
  readonly secondsFor: SecondsFor;
  readonly connectSeconds: number;
  readonly sourceIp: string | undefined;
  readonly capturesCertificate: boolean;
}

interface Hop {
  readonly ip: string;
  readonly port: number;
  readonly peerName: string;
}

interface Hops {
  readonly hops: readonly Hop[];
}

/** What came of one address. */
interface Visit {
  readonly end: TransactionEnd;
  readonly connection?: Connection;
  readonly hop?: Hop;
}

/** What is to be done once a server has let us in. */
interface Errand {
  /** The state that a good reply answers. */
  readonly success: SmtpState;
  talk(connection: Connection, plan: Plan): Promise<TransactionEnd>;
}

/** A server as the script gave it: a transport, a description, or a transport with a log-in of its own. */
interface Aim {
  readonly transportId?: string;
  readonly server: MailServer;
}

const silent: DeliveryLog = { debug: () => {}, info: () => {}, error: () => {} };
const CONNECT_SECONDS = 30;
/** Addresses tried for one call: each may cost the script its whole patience. */
const MOST_ADDRESSES = 20;
/** The script has its answer: nobody waits for a goodbye. */
const FAREWELL_SECONDS = 2;

/** The scripts' SMTP client. */
export class InLineClient implements MailClient {
  readonly #options: InLineClientOptions;
  readonly #connect: NetConnect;
  readonly #clock: Clock;
  readonly #log: DeliveryLog;
  readonly #tls: TlsClient;
  readonly #farewells = new Set<Promise<void>>();

  constructor(options: InLineClientOptions) {
    this.#options = options;
    this.#connect = options.connect ?? ((target) => netConnect({ ...target, noDelay: true }));
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silent;
    this.#tls = new TlsClient(options.trust);
  }

  async send(mail: OutgoingMail, target: MailTarget, signal: AbortSignal): Promise<MailOutcome> {
    const { sender, recipients, source, pieces } = mail;
    const parcel = await prepareParcel({ sender, recipients, dsn: {} }, piecesReader(source, pieces));
    if ('kind' in parcel) return outcomeOf(troubleEnding(parcel), parcel.recipientIndex);
    return this.#run(aimOf(target), recipients[0]?.domain, signal, {
      success: 'EOD',
      talk: (connection, plan) => transact(connection, parcel, plan.introduction.protocol, plan.secondsFor),
    });
  }

  async lookupRecipient(
    sender: Address,
    recipient: Address,
    target: MailTarget,
    signal: AbortSignal,
  ): Promise<MailOutcome> {
    const envelope = prepareEnvelope({ sender, recipients: [recipient], dsn: {} });
    if ('kind' in envelope) return outcomeOf(troubleEnding(envelope));
    return this.#run(aimOf(target), recipient.domain, signal, {
      success: 'RCPT',
      talk: (connection, plan) => probe(connection, envelope, plan.secondsFor),
    });
  }

  lookupAuth(
    target: MailTarget,
    userName: string,
    password: string,
    signal: AbortSignal,
  ): Promise<MailOutcome> {
    const aim = aimOf(target);
    const server = { ...aim.server, saslUserName: userName, saslPassword: password };
    return this.#run({ ...aim, server }, undefined, signal, {
      success: 'AUTH',
      // Whoever comes here is logged in.
      talk: async ({ logInReply }) =>
        logInReply === undefined
          ? { kind: 'misconfigured', state: 'AUTH', message: 'there was no log-in' }
          : { kind: 'accepted', reply: logInReply },
    });
  }

  /** Waits until the last goodbye is said, which is not for long. */
  async close(): Promise<void> {
    await Promise.all(this.#farewells);
  }

  async #run(
    aim: Aim,
    domain: string | undefined,
    signal: AbortSignal,
    errand: Errand,
  ): Promise<MailOutcome> {
    try {
      const plan = this.#plan(aim, domain);
      if (!('introduction' in plan)) return outcomeOf(plan);
      const found = await this.#findHops(plan, signal);
      if (!('hops' in found)) return outcomeOf(found);
      const visit = await this.#visitInTurn(plan, found.hops, signal, errand);
      if (visit.connection !== undefined) this.#dismiss(visit.connection);
      return conclude(visit, errand, plan);
    } catch (error) {
      this.#log.error({ error }, 'a script could not use the SMTP client through a mistake of ours');
      return outcomeOf(unexpectedEnding(error));
    }
  }

  #plan({ transportId, server }: Aim, recipientDomain: string | undefined): Plan | Ending {
    const transport = transportId === undefined ? undefined : this.#options.transport?.(transportId);
    if (transportId !== undefined && transport === undefined)
      return misconfigured(`there is no transport "${printable(transportId)}"`);
    const helo = server.helo ?? transport?.helo ?? this.#options.hostname();
    const problem = heloProblem(helo);
    if (problem !== undefined) return misconfigured(problem);
    const userName = server.saslUserName;
    return {
      host: server.host ?? transport?.host,
      port: server.port ?? transport?.port ?? 25,
      domain: server.domain ?? recipientDomain,
      filter: { include: server.mxInclude, exclude: server.mxExclude },
      introduction: {
        helo,
        protocol: server.protocol ?? transport?.protocol ?? 'smtp',
        tls: transport?.tls ?? {
          mode: server.tls ?? noTls.mode,
          sni: server.tlsSni,
          protocols: server.tlsProtocols,
          ciphers: server.tlsCiphers,
          verifiesHost: server.tlsVerifyHost ?? false,
          verifyNames: server.tlsVerifyNames,
          usesSystemCa: server.tlsDefaultCa ?? false,
          clientCertificate: server.tlsClientCertificate,
        },
        credentials:
          userName === undefined
            ? transport?.credentials
            : {
                userName,
                password: server.saslPassword ?? '',
                allowsUnverified:
                  server.saslAllowsUnverified ?? transport?.credentials?.allowsUnverified ?? false,
              },
        xclient: server.xclient,
      },
      secondsFor: timeoutsFor(server.timeouts, transport?.timeouts),
      connectSeconds: server.connectTimeoutSeconds ?? transport?.connectTimeoutSeconds ?? CONNECT_SECONDS,
      sourceIp: server.sourceIp,
      capturesCertificate: server.tlsCapturesPeerCertificate ?? false,
    };
  }

  async #visitInTurn(plan: Plan, hops: readonly Hop[], signal: AbortSignal, errand: Errand): Promise<Visit> {
    let kept: (Visit & { readonly end: Trouble }) | undefined;
    for (const hop of hops) {
      if (signal.aborted) break;
      const visit = await this.#visit(plan, hop, signal, errand);
      const { end } = visit;
      const isLast = end.kind === 'accepted' || !triesNextAddress(end);
      const isHeavier = isLast || weightier(kept?.end, end) === end;
      const dropped = isHeavier ? kept : visit;
      if (dropped?.connection !== undefined) this.#dismiss(dropped.connection);
      if (isLast) return visit;
      this.#log.debug({ remoteip: hop.ip, ...troubleEnding(end) }, 'address does not take mail');
      if (isHeavier) kept = { ...visit, end };
    }
    return kept ?? { end: { kind: 'cancelled', state: 'BANNER' } };
  }

  async #visit(plan: Plan, hop: Hop, signal: AbortSignal, errand: Errand): Promise<Visit> {
    const introduction: Introduction = { ...plan.introduction, peerName: hop.peerName };
    const first = await this.#visitOnce(plan, hop, introduction, signal, errand);
    if (first.end.kind === 'accepted' || !fallsBackToPlainText(first.end, introduction.tls)) return first;
    if (first.connection !== undefined) this.#dismiss(first.connection);
    return this.#visitOnce(plan, hop, inPlainText(introduction), signal, errand);
  }

  async #visitOnce(
    plan: Plan,
    hop: Hop,
    introduction: Introduction,
    signal: AbortSignal,
    errand: Errand,
  ): Promise<Visit> {
    if (signal.aborted) return { end: { kind: 'cancelled', state: 'BANNER' } };
    const local = plan.sourceIp === undefined ? {} : { localAddress: plan.sourceIp };
    const target = { host: hop.ip, port: hop.port, ...local };
    const connection = new Connection(randomUUID(), target, this.#connect, this.#clock);
    const cancel = () => connection.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const trouble =
        (await connection.connected(plan.connectSeconds)) ??
        (await greet(connection, introduction, this.#tls, plan.secondsFor));
      return { end: trouble ?? (await errand.talk(connection, plan)), connection, hop };
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  async #findHops(plan: Plan, signal: AbortSignal): Promise<Hops | Ending> {
    const { host, port, domain, sourceIp } = plan;
    const names = this.#options.names?.() ?? systemNames;
    if (host !== undefined && host !== '' && host.toLowerCase() !== 'lookup-mx')
      return ofFamily(await hopsOf([host], port, names, signal), sourceIp);
    if (domain === undefined || domain === '')
      return misconfigured('there is neither a host nor a domain whose mail hosts could be looked up');
    const literal = /^\[(?:IPv6:)?([0-9A-Fa-f:.]+)\]$/.exec(domain)?.[1];
    if (literal !== undefined) return ofFamily(await hopsOf([literal], port, names, signal), sourceIp);
    const random = this.#options.random ?? Math.random;
    const found = await findMailHosts(domain, plan.filter, names, random, signal);
    return 'hosts' in found ? ofFamily(await hopsOf(found.hosts, port, names, signal), sourceIp) : found;
  }

  #dismiss(connection: Connection): void {
    const farewell = connection.quit(FAREWELL_SECONDS).finally(() => this.#farewells.delete(farewell));
    this.#farewells.add(farewell);
  }
}

/** The addresses of hosts, in their order; the last failure when none has any. */
async function hopsOf(
  hosts: readonly string[],
  port: number,
  names: Names,
  signal: AbortSignal,
): Promise<Hops | Ending> {
  const hops: Hop[] = [];
  let failure: Ending | undefined;
  for (const host of hosts) {
    if (signal.aborted || hops.length >= MOST_ADDRESSES) break;
    const literal = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
    if (isIP(literal) !== 0) {
      hops.push({ ip: literal, port, peerName: host });
      continue;
    }
    const answer = await names.addresses(host, signal);
    if (answer.kind === 'addresses') hops.push(...answer.ips.map((ip) => ({ ip, port, peerName: host })));
    else failure = noAddress(answer.reason, `host "${printable(host)}" has no address: ${answer.message}`);
  }
  if (hops.length > 0) return { hops: hops.slice(0, MOST_ADDRESSES) };
  return failure ?? troubleEnding({ kind: 'cancelled', state: 'BANNER' });
}

/** Addresses that can be reached from a source address: those of its family. */
function ofFamily(found: Hops | Ending, sourceIp: string | undefined): Hops | Ending {
  if (sourceIp === undefined || !('hops' in found)) return found;
  const hops = found.hops.filter(({ ip }) => isIPv6(ip) === isIPv6(sourceIp));
  if (hops.length > 0) return { hops };
  return noAddress('ipfamily', `no address of the host is of the family of the source address ${sourceIp}`);
}

function noAddress(dns: 'nxdomain' | 'nodata' | 'other' | 'ipfamily', message: string): Ending {
  return { error: { temporary: true, type: 'dns', dns, message } };
}

function aimOf(target: MailTarget): Aim {
  return 'transportId' in target ? { transportId: target.transportId, server: {} } : { server: target };
}

function conclude({ end, connection, hop }: Visit, { success }: Errand, plan: Plan): MailOutcome {
  const outcome =
    end.kind === 'accepted'
      ? outcomeOf(successEnding(end.reply, success))
      : outcomeOf(troubleEnding(end), end.recipientIndex);
  if (connection === undefined || hop === undefined || connection.localIp === '') return outcome;
  const { localIp, remoteIp } = connection;
  return {
    ...outcome,
    connection: { localIp, remoteIp, remoteMx: hop.peerName },
    tls: tlsOf(connection, plan),
  };
}

function outcomeOf({ result, error }: Ending, recipientIndex?: number): MailOutcome {
  if (result === undefined)
    return { error: { isTemporary: error?.temporary ?? true, message: error?.message ?? 'no reason given' } };
  const { state, code, enhanced = [], reason } = result;
  return {
    reply: { state, code, enhanced, reason, ...(recipientIndex === undefined ? {} : { recipientIndex }) },
  };
}

function tlsOf({ tls, tlsRefusal }: Connection, { capturesCertificate }: Plan): MailTls {
  if (tls === undefined)
    return { isStarted: false, ...(tlsRefusal === undefined ? {} : { error: tlsRefusal }) };
  return {
    isStarted: true,
    protocol: tls.protocol,
    cipher: tls.cipher,
    ...(tls.keySize === undefined ? {} : { keySize: tls.keySize }),
    isPeerVerified: tls.chainProblem === undefined && tls.isForPeer,
    ...(tls.chainProblem === undefined ? {} : { error: tls.chainProblem }),
    ...(capturesCertificate && tls.certificate !== undefined ? { peerCertificate: tls.certificate.raw } : {}),
  };
}

function misconfigured(message: string): Ending {
  return { error: { temporary: true, type: 'config', message } };
}

function printable(text: string): string {
  return text.slice(0, 80).replace(/[^\x20-\x7e]/g, '?');
}
