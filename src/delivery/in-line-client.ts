// The SMTP client as scripts use it (stdlib 10 "SMTP client", 15 "send"): one dialogue on a connection of its own, while the
// script waits. Nothing is queued, retried or pooled; the outcome is the script's to judge. Everything said on the wire is
// said by client/, as for queued mail, and failure.ts decides here too what may be tried next.

import { randomUUID } from 'node:crypto';
import { isIPv6, connect as netConnect } from 'node:net';
import type {
  Address,
  MailClient,
  MailOutcome,
  MailReply,
  MailServer,
  MailTarget,
  MailTls,
  OutgoingMail,
} from '#stdlib';
import { Connection, type NetConnect } from './client/connection.js';
import { Deadlines } from './client/deadlines.js';
import { greet, type Introduction, inPlainText } from './client/greeting.js';
import { heloProblem } from './client/mail-path.js';
import { prepareEnvelope, prepareParcel } from './client/parcel.js';
import type { OutboundProxy } from './client/proxy-header.js';
import { timeoutsFor } from './client/timeouts.js';
import { meantWish, noTls, TlsClient, type TlsTrust } from './client/tls.js';
import { probe, type TransactionEnd, transact } from './client/transaction.js';
import type { SecondsFor, SmtpState, Trouble } from './client/trouble.js';
import { type Clock, systemClock } from './clock.js';
import { loggedEnding } from './connection-report.js';
import type { Destination, HopAddress, MailDomain, Transport } from './deliverer.js';
import {
  type Ending,
  fallsBackToPlainText,
  isAboutHost,
  successEnding,
  triesNextAddress,
  troubleEnding,
  unexpectedEnding,
  weightier,
} from './failure.js';
import { demandOn, type HostSecurity, recordSession, securityByModes } from './host-demand.js';
import { chosenAtRandom } from './next-hops/choice.js';
import { misconfigured } from './next-hops/failures.js';
import { findDestination, type Route } from './next-hops/find-destination.js';
import type { Families } from './next-hops/host-addresses.js';
import { type Names, systemNames } from './next-hops/names.js';
import { nobody } from './next-hops/own-hosts.js';
import { routeOf } from './next-hops/route.js';
import { piecesReader } from './pieces-reader.js';
import { ordinaryMessage } from './security/demand.js';
import type { DeliveryLog } from './smtp-deliverer.js';
import { sourceFamilies } from './sources.js';

/** What the client needs of the world; what is absent is the machine's own. */
export interface InLineClientOptions {
  /** The name for EHLO where the script gives none. */
  readonly hostname: () => string;
  /** A configured transport. */
  readonly transport?: (id: string) => Transport | undefined;
  readonly names?: () => Names;
  readonly trust?: TlsTrust;
  /** What TLS hosts must offer; absent: what the modes say by themselves. */
  readonly security?: HostSecurity;
  readonly connect?: NetConnect;
  readonly clock?: Clock;
  readonly log?: DeliveryLog;
  readonly random?: () => number;
}

/** A server as it was described, with every default filled in. */
interface Plan {
  readonly route: Route;
  /** Whose mail hosts were found. */
  readonly mailDomain?: MailDomain | undefined;
  readonly introduction: Omit<Introduction, 'peerName' | 'demand'>;
  readonly secondsFor: SecondsFor;
  readonly connectSeconds: number;
  readonly sourceIp: string | undefined;
  readonly proxy: OutboundProxy | undefined;
  readonly capturesCertificate: boolean;
}

/** What came of one address. */
interface Visit {
  readonly end: TransactionEnd;
  readonly connection?: Connection;
  readonly hop?: HopAddress;
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
/** The script has its answer: nobody waits for a goodbye. */
const FAREWELL_SECONDS = 2;

/** The scripts' SMTP client. */
export class InLineClient implements MailClient {
  readonly #options: InLineClientOptions;
  readonly #connect: NetConnect;
  readonly #deadlines: Deadlines;
  readonly #log: DeliveryLog;
  readonly #security: HostSecurity;
  readonly #tls: TlsClient;
  readonly #farewells = new Set<Promise<void>>();

  constructor(options: InLineClientOptions) {
    this.#options = options;
    this.#connect = options.connect ?? ((target) => netConnect({ ...target, noDelay: true }));
    this.#deadlines = new Deadlines(options.clock ?? systemClock);
    this.#log = options.log ?? silent;
    this.#security = options.security ?? securityByModes;
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
      if (!('addresses' in found)) return outcomeOf(found);
      const visit = await this.#visitInTurn(
        { ...plan, mailDomain: found.mailDomain },
        found.addresses,
        signal,
        errand,
      );
      if (visit.connection !== undefined) this.#dismiss(visit.connection);
      return conclude(visit, errand, plan);
    } catch (error) {
      this.#log.error({ err: error }, 'a script could not use the SMTP client through a mistake of ours');
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
    const route = routeOf(transport, server, recipientDomain, familiesOf(server.sourceIp, transport));
    if (!('port' in route)) return route;
    const userName = server.saslUserName;
    return {
      route,
      introduction: {
        helo,
        protocol: server.protocol ?? transport?.protocol ?? 'smtp',
        tls: meantWish(
          transport?.tls ?? {
            mode: server.tls ?? noTls.mode,
            isImplicit: server.tlsImplicit,
            sni: server.tlsSni,
            protocols: server.tlsProtocols,
            ciphers: server.tlsCiphers,
            verifiesHost: server.tlsVerifyHost ?? false,
            verifyNames: server.tlsVerifyNames,
            usesSystemCa: server.tlsDefaultCa ?? false,
            clientCertificate: server.tlsClientCertificate,
            usesMtaSts: server.tlsUsesMtaSts,
          },
        ),
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
      proxy: transport?.proxy,
      capturesCertificate: server.tlsCapturesPeerCertificate ?? false,
    };
  }

  async #visitInTurn(
    plan: Plan,
    hops: readonly HopAddress[],
    signal: AbortSignal,
    errand: Errand,
  ): Promise<Visit> {
    let kept: (Visit & { readonly end: Trouble }) | undefined;
    const refused = new Set<string>();
    for (const hop of hops) {
      if (signal.aborted) break;
      if (refused.has(hop.remoteMx)) continue;
      const visit = await this.#visit(plan, hop, signal, errand);
      const { end } = visit;
      const isLast = end.kind === 'accepted' || !triesNextAddress(end);
      const isHeavier = isLast || weightier(kept?.end, end) === end;
      const dropped = isHeavier ? kept : visit;
      if (dropped?.connection !== undefined) this.#dismiss(dropped.connection);
      if (isLast) return visit;
      if (isAboutHost(end)) refused.add(hop.remoteMx);
      this.#log.debug(
        { remoteip: hop.ip, ...loggedEnding(troubleEnding(end)) },
        'address does not take mail',
      );
      if (isHeavier) kept = { ...visit, end };
    }
    return kept ?? { end: { kind: 'cancelled', state: 'BANNER' } };
  }

  async #visit(plan: Plan, hop: HopAddress, signal: AbortSignal, errand: Errand): Promise<Visit> {
    const { remoteMx: host, port, ip } = hop;
    const wish = plan.introduction.tls;
    const demand = await demandOn(
      this.#security,
      { host, port, mailDomain: plan.mailDomain, wish, message: ordinaryMessage },
      ip,
      signal,
    );
    if ('kind' in demand) return { end: demand };
    const introduction: Introduction = { ...plan.introduction, peerName: host, demand };
    const first = await this.#visitOnce(plan, hop, introduction, signal, errand);
    const fallsBack = demand.fallsBack && wish.isImplicit !== true;
    if (first.end.kind === 'accepted' || !fallsBackToPlainText(first.end, fallsBack)) return first;
    if (first.connection !== undefined) this.#dismiss(first.connection);
    return this.#visitOnce(plan, hop, inPlainText(introduction), signal, errand);
  }

  async #visitOnce(
    plan: Plan,
    hop: HopAddress,
    introduction: Introduction,
    signal: AbortSignal,
    errand: Errand,
  ): Promise<Visit> {
    if (signal.aborted) return { end: { kind: 'cancelled', state: 'BANNER' } };
    const route = { ip: hop.ip, port: hop.port, sourceIp: plan.sourceIp, proxy: plan.proxy };
    const connection = new Connection(randomUUID(), route, this.#connect, this.#deadlines);
    const cancel = () => connection.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const unreachable = await connection.connected(plan.connectSeconds);
      if (unreachable !== undefined) return { end: unreachable, connection, hop };
      const refused = await greet(connection, introduction, this.#tls, plan.secondsFor);
      if (introduction.isTlsGivenUp !== true)
        recordSession(this.#security, { connection, demand: introduction.demand }, hop.remoteMx);
      return { end: refused ?? (await errand.talk(connection, plan)), connection, hop };
    } catch (error) {
      connection.drop();
      throw error;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  async #findHops({ route }: Plan, signal: AbortSignal): Promise<Destination | Ending> {
    const names = this.#options.names?.() ?? systemNames;
    const choice = chosenAtRandom(this.#options.random ?? Math.random);
    const found = await findDestination(route, { names, own: nobody, choice, signal });
    return signal.aborted ? troubleEnding({ kind: 'cancelled', state: 'BANNER' }) : found;
  }

  #dismiss(connection: Connection): void {
    const farewell = connection.quit(FAREWELL_SECONDS).finally(() => this.#farewells.delete(farewell));
    this.#farewells.add(farewell);
  }
}

/** Those that can be reached from a source address, else from those of the transport. */
function familiesOf(sourceIp: string | undefined, transport: Transport | undefined): Families | undefined {
  if (sourceIp !== undefined) return { ipv4: !isIPv6(sourceIp), ipv6: isIPv6(sourceIp) };
  return transport && sourceFamilies(transport, {});
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
  const recipients = end.replies?.map(({ code, enhanced = [], lines }) => ({
    state: success,
    code,
    enhanced,
    reason: lines,
  }));
  return {
    ...outcome,
    ...(recipients === undefined ? {} : { recipients }),
    connection: { localIp, remoteIp, remoteMx: hop.remoteMx },
    tls: tlsOf(connection, plan),
  };
}

function outcomeOf({ result, error }: Ending, recipientIndex?: number): MailOutcome {
  if (result === undefined)
    return { error: { isTemporary: error?.temporary ?? true, message: error?.message ?? 'no reason given' } };
  return { reply: { ...replyOf(result), ...(recipientIndex === undefined ? {} : { recipientIndex }) } };
}

function replyOf(result: NonNullable<Ending['result']>): MailReply {
  const { state, code, enhanced = [], reason } = result;
  return { state, code, enhanced, reason };
}

function tlsOf({ tls, tlsRefusal }: Connection, { capturesCertificate }: Plan): MailTls {
  if (tls === undefined)
    return { isStarted: false, ...(tlsRefusal === undefined ? {} : { error: tlsRefusal }) };
  return {
    isStarted: true,
    protocol: tls.protocol,
    cipher: tls.cipher,
    ...(tls.keySize === undefined ? {} : { keySize: tls.keySize }),
    isPeerVerified: tls.isAuthenticated,
    ...(tls.chainProblem === undefined ? {} : { error: tls.chainProblem }),
    ...(capturesCertificate && tls.chain[0] !== undefined ? { peerCertificate: tls.chain[0].raw } : {}),
  };
}

function printable(text: string): string {
  return text.slice(0, 80).replace(/[^\x20-\x7e]/g, '?');
}
