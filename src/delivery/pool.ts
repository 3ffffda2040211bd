// Idle connections kept for the next message (queue-and-config 5).
//
// Invariant: a connection in the pool is quiet and open, and nobody else holds it. The moment a peer closes it or speaks
// unasked it leaves the pool. The pool is bounded; when it is full the connection idle for longest makes room.

import type { Connection } from './client/connection.js';
import type { Clock, Timer } from './clock.js';

/** What the pool has done since the start. */
export interface PoolCounters {
  /** Connections idle now. */
  size: number;
  hits: number;
  misses: number;
  /** Closed because they were idle for too long. */
  expires: number;
  /** Closed to make room. */
  evicts: number;
  /** Not kept because the pool takes none. */
  skips: number;
}

interface IdleConnection {
  readonly key: string;
  readonly connection: Connection;
  readonly expiry: Timer;
}

/** Keeps idle connections by key; only connections with equal keys are interchangeable. */
export class ConnectionPool {
  readonly #capacity: number;
  readonly #clock: Clock;
  readonly #dismiss: (connection: Connection) => void;
  // Insertion order is the order of idleness: the first is the oldest.
  readonly #idle = new Map<Connection, IdleConnection>();
  readonly #byKey = new Map<string, Connection[]>();
  readonly #counters = { hits: 0, misses: 0, expires: 0, evicts: 0, skips: 0 };

  /** `dismiss` says goodbye to a connection that leaves the pool without being used again. */
  constructor(capacity: number, clock: Clock, dismiss: (connection: Connection) => void) {
    this.#capacity = capacity;
    this.#clock = clock;
    this.#dismiss = dismiss;
  }

  get counters(): PoolCounters {
    return { size: this.#idle.size, ...this.#counters };
  }

  /** Takes out the connection that was used last, which is the likeliest to be alive. */
  take(key: string): Connection | undefined {
    const connection = this.#byKey.get(key)?.at(-1);
    if (connection === undefined) {
      this.#counters.misses++;
      return undefined;
    }
    this.#remove(connection);
    this.#counters.hits++;
    return connection;
  }

  /** Keeps a quiet connection for at most `idleSeconds`. Returns whether it was taken. */
  offer(key: string, connection: Connection, idleSeconds: number): boolean {
    if (this.#capacity === 0 || idleSeconds <= 0) {
      this.#counters.skips++;
      return false;
    }
    if (this.#idle.size >= this.#capacity) this.#evictOldest();
    const expiry = this.#clock.setTimer(idleSeconds * 1000, () => {
      this.#counters.expires++;
      this.#remove(connection);
      this.#dismiss(connection);
    });
    this.#idle.set(connection, { key, connection, expiry });
    const sameKey = this.#byKey.get(key);
    if (sameKey === undefined) this.#byKey.set(key, [connection]);
    else sameKey.push(connection);
    connection.onBroken(() => this.#remove(connection));
    return true;
  }

  /** Dismisses all. */
  clear(): void {
    for (const connection of [...this.#idle.keys()]) {
      this.#remove(connection);
      this.#dismiss(connection);
    }
  }

  #evictOldest(): void {
    const [oldest] = this.#idle.keys();
    if (oldest === undefined) return;
    this.#counters.evicts++;
    this.#remove(oldest);
    this.#dismiss(oldest);
  }

  #remove(connection: Connection): void {
    const entry = this.#idle.get(connection);
    if (entry === undefined) return;
    this.#idle.delete(connection);
    entry.expiry.cancel();
    connection.onBroken(undefined);
    const sameKey = this.#byKey.get(entry.key);
    if (sameKey === undefined) return;
    sameKey.splice(sameKey.lastIndexOf(connection), 1);
    if (sameKey.length === 0) this.#byKey.delete(entry.key);
  }
}
