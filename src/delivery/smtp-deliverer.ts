// Delivers by SMTP and LMTP: walks over a destination's addresses, reuses connections, and writes the report. The
// dialogue itself is in client/, the meaning of what goes wrong in failure.ts.

import { createHash, randomUUID } from 'node:crypto';
import { connect as netConnect } from 'node:net';
import type { Address, AttemptReport, TryOptions } from '#hooks';
import { Connection, type NetConnect } from './client/connection.js';
import { greet, type Introduction, inPlainText } from './client/greeting.js';
import { heloProblem } from './client/mail-path.js';
import { type Parcel, prepareParcel } from './client/parcel.js';
import type { Credentials } from './client/sasl.js';
import { defaultTimeouts, timeoutsFor } from './client/timeouts.js';
import { TlsClient, type TlsTrust } from './client/tls.js';
import { type TransactionEnd, transact } from './client/transaction.js';
import type { SecondsFor, Trouble } from './client/trouble.js';
import { type Clock, systemClock } from './clock.js';
import type { Attempt, Deliverer, Destination, HopAddress, Transport } from './deliverer.js';
import {
  type Ending,
  fallsBackToPlainText,
  isStale,
  judge,
  sparesConnection,
  successEnding,
  triesNextAddress,
  troubleEnding,
  unexpectedEnding,
  weightier,
} from './failure.js';
import { type Lookup, systemLookup } from './lookup.js';
import { ConnectionPool, type PoolCounters } from './pool.js';
import { resolveDestination } from './resolve.js';

/** The part of a pino logger that delivery uses. */
export interface DeliveryLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A connection as policies and lists see it. */
export interface ConnectionFacts {
  readonly id: string;
  readonly transportId: string;
  readonly localIp: string;
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly remoteMx: string;
  readonly helo: string;
}

/**
 * Told about the life of each connection, so that concurrency limits can count idle ones too. Order: opened (which is
 * busy), then idle and busy in turns, then closed once. Must not throw.
 */
export interface ConnectionWatcher {
  opened?(facts: ConnectionFacts): void;
  idle?(facts: ConnectionFacts): void;
  busy?(facts: ConnectionFacts): void;
  closed?(facts: ConnectionFacts): void;
}

/** What the deliverer needs of the world; what is absent is the machine's own. */
export interface SmtpDelivererOptions {
  /** The name for EHLO where neither Try nor the transport gives one. */
  readonly hostname: string;
  readonly connect?: NetConnect;
  readonly clock?: Clock;
  readonly lookup?: Lookup;
  /** The configured keys and authorities; none when absent. */
  readonly trust?: TlsTrust;
  readonly log?: DeliveryLog;
  readonly newId?: () => string;
  /** Idle connections kept in all (queues.pooling.size). */
  readonly poolSize?: number;
  readonly watcher?: ConnectionWatcher;
}

/** Counted since the start, except `open` and `pool.size`, which are of this moment. */
export interface DeliveryCounters {
  readonly open: number;
  readonly opened: number;
  /** Connections that could not be made or were not greeted. */
  readonly refused: number;
  readonly transactions: number;
  /** Pooled connections found to have died when they were wanted. */
  readonly stale: number;
  readonly pool: PoolCounters;
}

interface Link {
  readonly connection: Connection;
  readonly facts: ConnectionFacts;
  readonly key: string;
}

/** What is the same for all addresses of an attempt. */
interface Journey {
  readonly attempt: Attempt;
  /** All but the host's name, which each address has for itself. */
  readonly introduction: Omit<Introduction, 'peerName'>;
  readonly secondsFor: SecondsFor;
  readonly parcel: Parcel;
  readonly signal: AbortSignal;
  /** The connection in use: what a cancellation must end. */
  current: Link | undefined;
}

type Outcome = { readonly end: TransactionEnd; readonly link?: Link };

const silent: DeliveryLog = { debug: () => {}, info: () => {}, error: () => {} };
// A shutdown does not wait for a peer's goodbye as long as the protocol would.
const FAREWELL_SECONDS = 2;

/** The deliverer over TCP. */
export class SmtpDeliverer implements Deliverer {
  readonly #hostname: string;
  readonly #connect: NetConnect;
  readonly #clock: Clock;
  readonly #lookup: Lookup;
  readonly #tls: TlsClient;
  readonly #log: DeliveryLog;
  readonly #newId: () => string;
  readonly #watcher: ConnectionWatcher;
  readonly #pool: ConnectionPool;
  // Every connection whose socket is not closed yet.
  readonly #links = new Map<Connection, Link>();
  readonly #farewells = new Map<Connection, Promise<void>>();
  #isClosing = false;
  #opened = 0;
  #refused = 0;
  #transactions = 0;
  #stale = 0;

  constructor(options: SmtpDelivererOptions) {
    this.#hostname = options.hostname;
    this.#connect = options.connect ?? ((target) => netConnect({ ...target, noDelay: true }));
    this.#clock = options.clock ?? systemClock;
    this.#lookup = options.lookup ?? systemLookup;
    this.#tls = new TlsClient(options.trust);
    this.#log = options.log ?? silent;
    this.#newId = options.newId ?? randomUUID;
    this.#watcher = options.watcher ?? {};
    this.#pool = new ConnectionPool(options.poolSize ?? 1000, this.#clock, (connection) =>
      this.#dismiss(connection, defaultTimeouts.QUIT),
    );
  }

  get counters(): DeliveryCounters {
    return {
      open: this.#links.size,
      opened: this.#opened,
      refused: this.#refused,
      transactions: this.#transactions,
      stale: this.#stale,
      pool: this.#pool.counters,
    };
  }

  async resolve(
    transport: Transport,
    _recipient: Address,
    options: TryOptions,
  ): Promise<Destination | AttemptReport> {
    const startedMs = this.#clock.nowMs();
    let answer: Destination | Ending;
    try {
      answer = await resolveDestination(transport, options, this.#lookup);
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
      outcome = await this.#deliver(attempt, signal);
      ending =
        outcome.end.kind === 'accepted' ? successEnding(outcome.end.reply) : troubleEnding(outcome.end);
    } catch (error) {
      this.#log.error({ error, message: attempt.id }, 'an attempt failed through a mistake of ours');
      ending = unexpectedEnding(error);
    }
    const report: AttemptReport = {
      ...ending,
      ...(outcome?.link === undefined ? {} : { connection: describeConnection(outcome.link) }),
      durationSeconds: this.#secondsSince(startedMs),
    };
    this.#log.debug(
      { message: attempt.id, verdict: judge(report), remotemx: attempt.destination.remoteMx, ...report },
      'attempt',
    );
    // Only now: the report shows the connection's transactions as they were, and no reader waits for a QUIT.
    if (outcome?.link !== undefined) this.#release(outcome.link, attempt.transport, outcome.end);
    return report;
  }

  /** Dismisses idle connections and waits for goodbyes, but not for long. Attempts in flight end by their own signal. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#pool.clear();
    const impatience = this.#clock.setTimer(FAREWELL_SECONDS * 1000, () => {
      for (const connection of this.#farewells.keys()) connection.drop();
    });
    while (this.#farewells.size > 0) await Promise.all(this.#farewells.values());
    impatience.cancel();
  }

  async #deliver(attempt: Attempt, signal: AbortSignal): Promise<Outcome> {
    const { transport, options } = attempt;
    const helo = options.helo ?? transport.helo ?? this.#hostname;
    const problem = heloProblem(helo);
    if (problem !== undefined) return { end: { kind: 'misconfigured', state: 'EHLO', message: problem } };
    const parcel = await prepareParcel(
      {
        // Parameters of queued addresses are not repeated: they were meant for us.
        sender: options.sender ?? withoutParameters(attempt.sender),
        recipients: [options.recipient ?? withoutParameters(attempt.recipient)],
        dsn: options.dsn ?? {},
      },
      attempt.message,
      'SMTPUTF8' in (attempt.sender.params ?? {}),
    );
    if ('kind' in parcel) return { end: parcel };

    const journey: Journey = {
      attempt,
      introduction: {
        helo,
        protocol: options.protocol ?? transport.protocol,
        tls: transport.tls,
        credentials: transport.credentials,
      },
      secondsFor: timeoutsFor(options.timeouts, transport.timeouts),
      parcel,
      signal,
      current: undefined,
    };
    const cancel = () => journey.current?.connection.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await this.#visitAddresses(journey);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  async #visitAddresses(journey: Journey): Promise<Outcome> {
    let trouble: Trouble | undefined;
    let link: Link | undefined;
    for (const address of journey.attempt.destination.addresses) {
      if (journey.signal.aborted) break;
      const outcome = await this.#visit(journey, address);
      if (outcome.end.kind === 'accepted' || !triesNextAddress(outcome.end)) return outcome;
      this.#refused++;
      const kept = weightier(trouble, outcome.end);
      if (kept !== trouble) link = outcome.link;
      trouble = kept;
      this.#log.info(
        {
          message: journey.attempt.id,
          remotemx: address.remoteMx,
          remoteip: address.ip,
          ...troubleEnding(outcome.end),
        },
        'address does not take mail',
      );
    }
    if (journey.signal.aborted) return { end: { kind: 'cancelled', state: 'BANNER' } };
    const nowhere: Trouble = {
      kind: 'misconfigured',
      state: 'BANNER',
      message: `the destination "${journey.attempt.destination.remoteMx}" has no addresses`,
    };
    return { end: trouble ?? nowhere, ...(link === undefined ? {} : { link }) };
  }

  /** One address: on a connection that is already there if there is one and it is alive, else on a fresh one. */
  async #visit(journey: Journey, address: HopAddress): Promise<Outcome> {
    const introduction: Introduction = { ...journey.introduction, peerName: address.remoteMx };
    const key = poolKey(address, introduction);
    const idle = journey.attempt.transport.pooling.enabled ? this.#pool.take(key) : undefined;
    const idleLink = idle && this.#links.get(idle);
    if (idleLink !== undefined) {
      journey.current = idleLink;
      this.#watcher.busy?.(idleLink.facts);
      const end = await this.#transact(journey, idleLink);
      if (end.kind === 'accepted' || !isStale(end)) return { end, link: idleLink };
      this.#stale++;
      this.#log.debug({ connection: idleLink.facts.id, ...troubleEnding(end) }, 'pooled connection was dead');
      idleLink.connection.drop();
    }
    const opened = await this.#open(journey, introduction, address, key);
    if ('end' in opened) return opened;
    return { end: await this.#transact(journey, opened), link: opened };
  }

  #transact(journey: Journey, link: Link): Promise<TransactionEnd> {
    this.#transactions++;
    return transact(link.connection, journey.parcel, journey.introduction.protocol, journey.secondsFor);
  }

  /** A fresh connection, greeted; without TLS when an optional session could not be begun. */
  async #open(
    journey: Journey,
    introduction: Introduction,
    address: HopAddress,
    key: string,
  ): Promise<Link | Outcome> {
    const opened = await this.#openOnce(journey, introduction, address, key);
    if (!('end' in opened) || opened.end.kind === 'accepted') return opened;
    if (!fallsBackToPlainText(opened.end, introduction.tls)) return opened;
    this.#log.info(
      { message: journey.attempt.id, remoteip: address.ip, ...troubleEnding(opened.end) },
      'TLS cannot be had, going on without',
    );
    return this.#openOnce(journey, inPlainText(introduction), address, key);
  }

  async #openOnce(
    journey: Journey,
    introduction: Introduction,
    address: HopAddress,
    key: string,
  ): Promise<Link | Outcome> {
    const { attempt } = journey;
    if (journey.signal.aborted) return { end: { kind: 'cancelled', state: 'BANNER' } };
    const connection = new Connection(
      this.#newId(),
      { host: address.ip, port: address.port },
      this.#connect,
      this.#clock,
    );
    const facts: ConnectionFacts = {
      id: connection.id,
      transportId: attempt.transport.id,
      get localIp() {
        return connection.localIp;
      },
      remoteIp: address.ip,
      remotePort: address.port,
      remoteMx: address.remoteMx,
      helo: introduction.helo,
    };
    const link: Link = { connection, facts, key };
    journey.current = link;
    this.#links.set(connection, link);
    this.#opened++;
    connection.onClosed(() => {
      this.#links.delete(connection);
      this.#watcher.closed?.(facts);
    });
    this.#watcher.opened?.(facts);

    const seconds = attempt.options.connectTimeoutSeconds ?? attempt.transport.connectTimeoutSeconds;
    const unreachable = await connection.connected(seconds);
    if (unreachable !== undefined) return { end: unreachable };
    const refused = await greet(connection, introduction, this.#tls, journey.secondsFor);
    if (refused === undefined) return link;
    // A server that refuses us may still wait for a QUIT; which of the addresses' troubles is reported is not known yet.
    this.#dismiss(connection, journey.secondsFor('QUIT'));
    return { end: refused, link };
  }

  /** After a transaction: into the pool, or goodbye. */
  #release({ connection, facts, key }: Link, transport: Transport, end: TransactionEnd): void {
    if (connection.isBroken || connection.isLeaving) return;
    if (!connection.isQuiet || (end.kind !== 'accepted' && !sparesConnection(end))) {
      connection.drop();
      return;
    }
    const { enabled, transactions, idleSeconds } = transport.pooling;
    const mayServeAgain = transactions === undefined || connection.transactions < transactions;
    if (enabled && mayServeAgain && !this.#isClosing && this.#pool.offer(key, connection, idleSeconds)) {
      this.#watcher.idle?.(facts);
      return;
    }
    this.#dismiss(connection, timeoutsFor(undefined, transport.timeouts)('QUIT'));
  }

  #dismiss(connection: Connection, seconds: number): void {
    const farewell = connection.quit(seconds).finally(() => this.#farewells.delete(connection));
    this.#farewells.set(connection, farewell);
  }

  #secondsSince(startedMs: number): number {
    return (this.#clock.nowMs() - startedMs) / 1000;
  }
}

function withoutParameters({ localPart, domain }: Address): Address {
  return { localPart, domain };
}

/** Connections are interchangeable when a peer could not tell them apart (queue-and-config 5). */
function poolKey(address: HopAddress, introduction: Introduction): string {
  const { helo, protocol, peerName, tls, credentials } = introduction;
  const place = `${protocol} ${address.ip} ${address.port} ${helo}`;
  if (tls.mode === 'disabled' && credentials === undefined) return place;
  // The name counts where certificates are looked at: another host may be behind the same address.
  return `${place} ${JSON.stringify([peerName, tls])} ${credentials === undefined ? '' : fingerprint(credentials)}`;
}

/** Tells log-ins apart without keeping passwords in more places. */
function fingerprint({ userName, password, allowsUnverified }: Credentials): string {
  return createHash('sha256')
    .update(JSON.stringify([userName, password, allowsUnverified]))
    .digest('base64');
}

function describeConnection({ connection, facts }: Link): NonNullable<AttemptReport['connection']> {
  return {
    id: facts.id,
    transactions: connection.transactions,
    localIp: facts.localIp,
    helo: facts.helo,
    remoteIp: facts.remoteIp,
    remoteMx: facts.remoteMx,
    ...(connection.greeting === undefined ? {} : { remoteGreet: connection.greeting }),
  };
}
