// Delivers by SMTP and LMTP: walks over a destination's addresses, on connections that are there or made (connections.ts), and
// writes the report. The dialogue itself is in client/, the meaning of what goes wrong in failure.ts, what TLS a host must
// offer in security/.

import { randomUUID } from 'node:crypto';
import type { Address, AttemptReport, TryOptions } from '#hooks';
import { messageIdToText } from '../spool/id-table.js';
import type { Connection, NetConnect } from './client/connection.js';
import type { Introduction } from './client/greeting.js';
import { fillParcel, type Parcel, type ParcelEnvelope, prepareEnvelope } from './client/parcel.js';
import { readPassedOn } from './client/passed-on.js';
import { systemConnect } from './client/system-connect.js';
import { timeoutsFor } from './client/timeouts.js';
import { TlsClient, type TlsTrust } from './client/tls.js';
import { type TransactionEnd, transact } from './client/transaction.js';
import type { SecondsFor, Trouble } from './client/trouble.js';
import { type Clock, systemClock } from './clock.js';
import { describeConnection, loggedEnding, loggedReport } from './connection-report.js';
import { Connections, type ConnectionWatcher, type Link } from './connections.js';
import type { Attempt, Deliverer, Destination, HopAddress, Transport, Turn } from './deliverer.js';
import {
  type Ending,
  isAboutHost,
  isStale,
  judge,
  sparesConnection,
  successEnding,
  triesNextAddress,
  troubleEnding,
  unexpectedEnding,
  weightier,
} from './failure.js';
import { demandOn, type HostSecurity, recordSession, securityByModes } from './host-demand.js';
import { NextHops } from './next-hops/index.js';
import type { Names } from './next-hops/names.js';
import type { OwnHosts } from './next-hops/own-hosts.js';
import type { PoolCounters } from './pool.js';
import type { MessageSecurity } from './security/demand.js';
import { messageSecurity } from './security/tls-required.js';
import {
  heloFor,
  type PooledBy,
  planSession,
  poolKey,
  routeTo,
  type SessionPlan,
  sourceFor,
} from './session-plan.js';

export type { ConnectionFacts, ConnectionWatcher } from './connections.js';

/** The part of a pino logger that delivery uses. */
export interface DeliveryLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What the deliverer needs of the world; what is absent is the machine's own. */
export interface SmtpDelivererOptions {
  /** The name for EHLO where neither Try nor the transport gives one. */
  readonly hostname: string;
  readonly connect?: NetConnect;
  readonly clock?: Clock;
  /** Asked at each look-up: a reload may replace them. */
  readonly names?: () => Names;
  /** Mail is not sent to ourselves; absent: nobody is. */
  readonly own?: OwnHosts;
  /** The configured keys and authorities; none when absent. */
  readonly trust?: TlsTrust;
  /** What TLS hosts must offer; absent: what the modes say by themselves. */
  readonly security?: HostSecurity;
  readonly log?: DeliveryLog;
  readonly newId?: () => string;
  /** Idle connections kept in all (queues.pooling.size); 1000. Asked each time, as is what they are pooled by (policy). */
  readonly poolSize?: () => number;
  readonly pooledBy?: () => PooledBy;
  readonly watcher?: ConnectionWatcher;
}

/** Counted since the start, except `open` and `pool.size`, which are of this moment. */
export interface DeliveryCounters {
  readonly open: number;
  readonly opened: number;
  /** Addresses that could not be reached, did not greet us, or could not take a message. */
  readonly refused: number;
  readonly transactions: number;
  /** Pooled connections found to have died when they were wanted. */
  readonly stale: number;
  readonly pool: PoolCounters;
}

/** What is the same for all addresses of an attempt. */
interface Journey {
  readonly attempt: Attempt;
  readonly plan: SessionPlan;
  readonly secondsFor: SecondsFor;
  readonly envelope: ParcelEnvelope;
  /** It came with SMTPUTF8: its headers may hold UTF-8 that only such peers read. */
  readonly mayBeUtf8: boolean;
  readonly security: MessageSecurity;
  readonly signal: AbortSignal;
  /** The message, read when the first peer has let us in: a peer that does not costs no memory for it. */
  parcel: Promise<Parcel | Trouble> | undefined;
  /** The connection in use: what a cancellation must end. */
  current: Link | undefined;
}

/** What came of one address. */
interface Outcome {
  readonly end: TransactionEnd;
  readonly address?: HopAddress;
  readonly link?: Link;
}

const silent: DeliveryLog = { debug: () => {}, info: () => {}, error: () => {} };

/** The deliverer over TCP. */
export class SmtpDeliverer implements Deliverer {
  readonly #hostname: string;
  readonly #clock: Clock;
  readonly #nextHops: NextHops;
  readonly #security: HostSecurity;
  readonly #log: DeliveryLog;
  readonly #connections: Connections;
  readonly #pooledBy: () => PooledBy;
  #refused = 0;
  #transactions = 0;
  #stale = 0;

  constructor(options: SmtpDelivererOptions) {
    this.#hostname = options.hostname;
    this.#clock = options.clock ?? systemClock;
    this.#nextHops = new NextHops({ names: options.names, own: options.own, clock: this.#clock });
    this.#security = options.security ?? securityByModes;
    this.#log = options.log ?? silent;
    this.#pooledBy = options.pooledBy ?? (() => 'remoteip');
    this.#connections = new Connections({
      connect: options.connect ?? systemConnect,
      clock: this.#clock,
      tls: new TlsClient(options.trust),
      newId: options.newId ?? randomUUID,
      watcher: options.watcher ?? {},
      poolSize: options.poolSize ?? (() => 1000),
      fellBack: ({ route, logged }, why) =>
        this.#log.info({ ...logged, remoteip: route.ip, ...why }, 'TLS cannot be had, going on without'),
      greeted: (link) => recordSession(this.#security, link, link.facts.remoteMx),
    });
  }

  get counters(): DeliveryCounters {
    return {
      ...this.#connections.counters,
      refused: this.#refused,
      transactions: this.#transactions,
      stale: this.#stale,
    };
  }

  async resolve(
    transport: Transport,
    recipient: Address,
    options: TryOptions,
    turn?: Turn,
  ): Promise<Destination | AttemptReport> {
    const startedMs = this.#clock.nowMs();
    let answer: Destination | Ending;
    try {
      answer = await this.#nextHops.find(transport, recipient, options, turn);
    } catch (error) {
      this.#log.error(
        { error, transport: transport.id },
        'finding the next hop failed through a mistake of ours',
      );
      answer = unexpectedEnding(error);
    }
    return 'addresses' in answer ? answer : { ...answer, durationSeconds: this.#secondsSince(startedMs) };
  }

  async attempt(attempt: Attempt, signal: AbortSignal): Promise<AttemptReport> {
    const startedMs = this.#clock.nowMs();
    let outcome: Outcome | undefined;
    let ending: Ending;
    try {
      const destination = await this.#nextHops.current(attempt);
      if ('addresses' in destination) {
        outcome = await this.#deliver({ ...attempt, destination }, signal);
        ending =
          outcome.end.kind === 'accepted' ? successEnding(outcome.end.reply) : troubleEnding(outcome.end);
      } else ending = destination;
    } catch (error) {
      this.#log.error(
        { error, id: messageIdToText(attempt.id) },
        'an attempt failed through a mistake of ours',
      );
      ending = unexpectedEnding(error);
    }
    const { link, address } = outcome ?? {};
    const report: AttemptReport = {
      ...ending,
      ...(link === undefined || address === undefined
        ? {}
        : { connection: describeConnection(link, address, sourceFor(attempt, address)?.id) }),
      durationSeconds: this.#secondsSince(startedMs),
    };
    this.#log.debug(
      {
        id: messageIdToText(attempt.id),
        verdict: judge(report),
        remotemx: report.connection?.remoteMx ?? attempt.destination.remoteMx,
        ...loggedReport(report),
      },
      'attempt',
    );
    // Only now: the report shows the connection's transactions as they were, and no reader waits for a QUIT.
    if (outcome?.link !== undefined) this.#release(outcome.link, attempt.transport, outcome.end);
    return report;
  }

  /** Dismisses idle connections and waits for goodbyes, but not for long. Attempts in flight end by their own signal. */
  close(): Promise<void> {
    return this.#connections.close();
  }

  async #deliver(attempt: Attempt, signal: AbortSignal): Promise<Outcome> {
    const { transport, options, sender, recipient } = attempt;
    const plan = planSession(transport, options);
    if ('kind' in plan) return { end: plan };
    // Another sender on the wire takes nothing back of what the queued one asked for.
    const asked = { ...sender.params, ...options.sender?.params };
    const passedOn = readPassedOn(asked, attempt.ageSeconds ?? 0, attempt.saslUsername);
    const envelope = prepareEnvelope({
      // Parameters of queued addresses are not repeated: they were meant for us. Those for every hop are passed on.
      sender: options.sender ?? withoutParameters(sender),
      recipients: [options.recipient ?? withoutParameters(recipient)],
      dsn: attempt.dsn ?? options.dsn ?? {},
      passedOn,
    });
    if ('kind' in envelope) return { end: envelope };
    const journey: Journey = {
      attempt,
      plan,
      secondsFor: timeoutsFor(options.timeouts, transport.timeouts),
      envelope,
      security: messageSecurity(asked, attempt.message),
      mayBeUtf8: 'SMTPUTF8' in asked,
      signal,
      parcel: undefined,
      current: undefined,
    };
    const cancel = () => journey.current?.connection.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await this.#visitAddresses(journey);
    } catch (error) {
      // Nobody waits for it any more, so nothing would ever end it.
      journey.current?.connection.drop();
      throw error;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  async #visitAddresses(journey: Journey): Promise<Outcome> {
    const { attempt, signal } = journey;
    let kept: (Outcome & { readonly end: Trouble }) | undefined;
    const refused = new Set<string>();
    for (const address of attempt.destination.addresses) {
      if (signal.aborted) break;
      if (refused.has(address.remoteMx)) continue;
      const { end, link } = await this.#visit(journey, address);
      const outcome = { end, address, ...(link === undefined ? {} : { link }) };
      if (end.kind === 'accepted' || !triesNextAddress(end)) {
        if (kept?.link !== undefined) this.#release(kept.link, attempt.transport, kept.end);
        return outcome;
      }
      this.#refused++;
      // It would be asked about again, for as long as its name servers like, and come to the same.
      if (isAboutHost(end)) refused.add(address.remoteMx);
      this.#log.info(
        {
          id: messageIdToText(attempt.id),
          remotemx: address.remoteMx,
          remoteip: address.ip,
          ...loggedEnding(troubleEnding(end)),
        },
        'address does not take mail',
      );
      const isHeavier = weightier(kept?.end, end) === end;
      const dropped = isHeavier ? kept : { end, link };
      if (dropped?.link !== undefined) this.#release(dropped.link, attempt.transport, dropped.end);
      if (isHeavier) kept = { ...outcome, end };
    }
    if (signal.aborted) {
      if (kept?.link !== undefined) this.#release(kept.link, attempt.transport, kept.end);
      return { end: { kind: 'cancelled', state: 'BANNER' } };
    }
    const nowhere: Trouble = {
      kind: 'misconfigured',
      state: 'BANNER',
      message: `the destination "${attempt.destination.remoteMx}" has no addresses`,
    };
    return kept ?? { end: nowhere };
  }

  /** One address: on a connection that is already there if there is one and it is alive, else on a fresh one. */
  async #visit(
    journey: Journey,
    address: HopAddress,
  ): Promise<{ readonly end: TransactionEnd; readonly link?: Link }> {
    const { attempt, plan, security, signal } = journey;
    const helo = heloFor(attempt, address, this.#hostname);
    if (typeof helo !== 'string') return { end: helo };
    const { remoteMx: host, port, ip } = address;
    const { mailDomain } = attempt.destination;
    const question = { host, port, mailDomain, wish: plan.wish, message: security };
    const demand = await demandOn(this.#security, question, ip, signal);
    if ('kind' in demand) return { end: demand };
    // Given up while we asked: nothing is begun on a connection that nobody would end.
    if (signal.aborted) return { end: { kind: 'cancelled', state: 'BANNER' } };
    const introduction: Introduction = {
      helo,
      protocol: plan.protocol,
      peerName: address.remoteMx,
      tls: plan.wish,
      demand,
      credentials: plan.credentials,
      xclient: plan.xclient,
    };
    const route = routeTo(attempt, address, plan);
    const key = poolKey(route, introduction, this.#pooledBy());
    const idle = attempt.transport.pooling.enabled
      ? this.#connections.take(key, (connection) => suits(connection, journey))
      : undefined;
    if (idle !== undefined) {
      setOut(journey, idle);
      const end = await this.#transact(journey, idle);
      if (end.kind === 'accepted' || !isStale(end)) return { end, link: idle };
      this.#stale++;
      this.#log.debug(
        { connection: idle.facts.id, ...loggedEnding(troubleEnding(end)) },
        'pooled connection was dead',
      );
      idle.connection.drop();
    }
    const opened = await this.#connections.open({
      key,
      route,
      introduction,
      transportId: attempt.transport.id,
      logged: { id: messageIdToText(attempt.id), remotemx: host },
      connectSeconds: attempt.options.connectTimeoutSeconds ?? attempt.transport.connectTimeoutSeconds,
      secondsFor: journey.secondsFor,
      signal,
      begun: (link) => setOut(journey, link),
    });
    if ('trouble' in opened)
      return { end: opened.trouble, ...(opened.link === undefined ? {} : { link: opened.link }) };
    return { end: await this.#transact(journey, opened), link: opened };
  }

  async #transact(journey: Journey, { connection }: Link): Promise<TransactionEnd> {
    const { attempt, envelope, plan, secondsFor } = journey;
    this.#transactions++;
    journey.parcel ??= fillParcel(envelope, attempt.message, journey.mayBeUtf8);
    const parcel = await journey.parcel;
    if ('kind' in parcel) return parcel;
    return transact(connection, parcel, plan.protocol, secondsFor);
  }

  /** After a transaction: to idle for the next, or goodbye. */
  #release(link: Link, { pooling, timeouts }: Transport, end: TransactionEnd): void {
    if (link.connection.isLeaving) return;
    if (end.kind !== 'accepted' && !sparesConnection(end)) {
      link.connection.drop();
      return;
    }
    const { enabled, transactions: most } = pooling;
    const mayServeAgain = most === undefined || link.connection.transactions < most;
    this.#connections.release(
      link,
      enabled && mayServeAgain ? pooling : undefined,
      timeoutsFor(undefined, timeouts),
    );
  }

  #secondsSince(startedMs: number): number {
    return (this.#clock.nowMs() - startedMs) / 1000;
  }
}

function setOut(journey: Journey, link: Link): void {
  journey.current = link;
  journey.attempt.onConnection?.(link.facts);
}

/** Whether a connection offered what the message needs; what was not offered may be on a fresh one. */
function suits({ capabilities }: Connection, { envelope, mayBeUtf8 }: Journey): boolean {
  const needsUtf8 = envelope.needsSmtpUtf8 || mayBeUtf8;
  return (capabilities.smtpUtf8 || !needsUtf8) && (capabilities.requireTls || !envelope.passedOn.requiresTls);
}

function withoutParameters({ localPart, domain }: Address): Address {
  return { localPart, domain };
}
