// The connections of a deliverer: opened and greeted, lent out, kept idle for the next message, left politely. Every connection
// whose socket is not closed yet is here, so that all of them can be counted, watched and ended.

import { Connection, type NetConnect, type Route } from './client/connection.js';
import { Deadlines } from './client/deadlines.js';
import { greet, type Introduction, inPlainText } from './client/greeting.js';
import { defaultTimeouts } from './client/timeouts.js';
import type { TlsClient } from './client/tls.js';
import type { SecondsFor, Trouble } from './client/trouble.js';
import type { Clock } from './clock.js';
import { loggedEnding } from './connection-report.js';
import { fallsBackToPlainText, troubleEnding } from './failure.js';
import { ConnectionPool, type Idling, type PoolCounters } from './pool.js';
import type { TlsDemand } from './security/demand.js';

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

/** A connection with what belongs to it. */
export interface Link {
  readonly connection: Connection;
  readonly facts: ConnectionFacts;
  /** What it is pooled under. */
  readonly key: string;
  readonly demand: TlsDemand;
}

/** A connection that is wanted. */
export interface Wanted {
  readonly key: string;
  readonly route: Route;
  readonly introduction: Introduction;
  readonly transportId: string;
  readonly connectSeconds: number;
  readonly secondsFor: SecondsFor;
  readonly signal: AbortSignal;
  /** For log lines: whose connection it is. */
  readonly logged: object;
  /** Told of each connection as soon as it is begun: what a cancellation must end. */
  readonly begun: (link: Link) => void;
}

/** A connection that did not come about; `link` when there was one. */
export interface Unopened {
  readonly trouble: Trouble;
  readonly link?: Link;
}

/** Counted since the start, except `open` and `pool.size`, which are of this moment. */
export interface ConnectionCounters {
  readonly open: number;
  readonly opened: number;
  readonly pool: PoolCounters;
}

/** What connections need of the world. */
export interface ConnectionsOptions {
  readonly connect: NetConnect;
  readonly clock: Clock;
  readonly tls: TlsClient;
  readonly newId: () => string;
  readonly watcher: ConnectionWatcher;
  readonly poolSize: () => number;
  /** Told when an address is tried once more without TLS. */
  readonly fellBack: (wanted: Wanted, why: object) => void;
  /** Told of each connection that was greeted, or was not. */
  readonly greeted: (link: Link, trouble: Trouble | undefined) => void;
}

// A shutdown does not wait for a peer's goodbye as long as the protocol would.
const FAREWELL_SECONDS = 2;

/** Opens, keeps and closes connections. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #deadlines: Deadlines;
  readonly #pool: ConnectionPool;
  // Every connection whose socket is not closed yet.
  readonly #links = new Map<Connection, Link>();
  readonly #farewells = new Map<Connection, Promise<void>>();
  #isClosing = false;
  #opened = 0;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.clock);
    this.#pool = new ConnectionPool(options.poolSize, this.#deadlines, (connection) =>
      this.#dismiss(connection, defaultTimeouts.QUIT),
    );
  }

  get counters(): ConnectionCounters {
    return { open: this.#links.size, opened: this.#opened, pool: this.#pool.counters };
  }

  /** An idle connection that suits, if there is one. */
  take(key: string, suits: (connection: Connection) => boolean): Link | undefined {
    const connection = this.#pool.take(key, suits);
    const link = connection && this.#links.get(connection);
    if (link !== undefined) this.#options.watcher.busy?.(link.facts);
    return link;
  }

  /** A fresh connection, greeted; without TLS when an optional session could not be begun. */
  async open(wanted: Wanted): Promise<Link | Unopened> {
    const { introduction } = wanted;
    const opened = await this.#openOnce(wanted, introduction);
    if (!('trouble' in opened)) return opened;
    const { trouble } = opened;
    const fallsBack = introduction.demand.fallsBack && introduction.tls.isImplicit !== true;
    if (!fallsBackToPlainText(trouble, fallsBack)) return opened;
    this.#options.fellBack(wanted, loggedEnding(troubleEnding(trouble)));
    return this.#openOnce(wanted, inPlainText(introduction));
  }

  async #openOnce(wanted: Wanted, introduction: Introduction): Promise<Link | Unopened> {
    const { route, key, secondsFor, signal } = wanted;
    if (signal.aborted) return { trouble: { kind: 'cancelled', state: 'BANNER' } };
    const { connect, newId, tls, watcher } = this.#options;
    const connection = new Connection(newId(), route, connect, this.#deadlines);
    const facts: ConnectionFacts = {
      id: connection.id,
      transportId: wanted.transportId,
      get localIp() {
        return connection.localIp;
      },
      remoteIp: route.ip,
      remotePort: route.port,
      remoteMx: introduction.peerName,
      helo: introduction.helo,
    };
    const link: Link = { connection, facts, key, demand: introduction.demand };
    this.#links.set(connection, link);
    this.#opened++;
    connection.onClosed(() => {
      this.#links.delete(connection);
      watcher.closed?.(facts);
    });
    wanted.begun(link);
    watcher.opened?.(facts);

    const unreachable = await connection.connected(wanted.connectSeconds);
    if (unreachable !== undefined) return { trouble: unreachable };
    const refused = await greet(connection, introduction, tls, secondsFor);
    // The session that failed is told of; the one in plain text after it is no other.
    if (introduction.isTlsGivenUp !== true) this.#options.greeted(link, refused);
    if (refused === undefined) return link;
    // A server that refuses us may still wait for a QUIT; which of the addresses' troubles is reported is not known yet.
    this.#dismiss(connection, secondsFor('QUIT'));
    return { trouble: refused, link };
  }

  /** Back after use: into the pool if it may idle, else goodbye. */
  release({ connection, facts, key }: Link, idling: Idling | undefined, secondsFor: SecondsFor): void {
    if (connection.isBroken || connection.isLeaving) return;
    if (!connection.isQuiet) {
      connection.drop();
      return;
    }
    if (idling !== undefined && !this.#isClosing && this.#pool.offer(key, connection, idling)) {
      this.#options.watcher.idle?.(facts);
      return;
    }
    this.#dismiss(connection, secondsFor('QUIT'));
  }

  /** Dismisses idle connections and waits for goodbyes, but not for long. Those in use are ended by their users. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#pool.clear();
    const impatience = this.#options.clock.setTimer(FAREWELL_SECONDS * 1000, () => {
      for (const connection of this.#farewells.keys()) connection.drop();
    });
    while (this.#farewells.size > 0) await Promise.all(this.#farewells.values());
    impatience.cancel();
  }

  #dismiss(connection: Connection, seconds: number): void {
    const farewell = connection.quit(seconds).finally(() => this.#farewells.delete(connection));
    this.#farewells.set(connection, farewell);
  }
}
