// Idle connections kept for the next message (queue-and-config 5).
//
// Invariant: a connection in the pool is quiet and open, and nobody else holds it. The moment a peer closes it or speaks
// unasked it leaves the pool. The pool is bounded; when it is full the evictable connection idle for longest makes room, and
// when there is none, whoever comes is not kept.

import type { Connection } from './client/connection.js';
import { Deadline, type Deadlines } from './client/deadlines.js';

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
  /** Not kept: the pool takes none, or is full of connections that may not be closed for others. */
  skips: number;
}

/** How a connection may idle. */
export interface Idling {
  readonly idleSeconds: number;
  /** May be closed to make room; absent: it may. */
  readonly isEvictable?: boolean | undefined;
}

interface IdleConnection {
  readonly key: string;
  readonly expiry: Deadline;
}

/** Keeps idle connections by key; only connections with equal keys are interchangeable. */
export class ConnectionPool {
  readonly #capacity: () => number;
  readonly #deadlines: Deadlines;
  readonly #dismiss: (connection: Connection) => void;
  readonly #idle = new Map<Connection, IdleConnection>();
  // Insertion order is the order of idleness: the first is the oldest.
  readonly #evictable = new Set<Connection>();
  readonly #byKey = new Map<string, Connection[]>();
  readonly #counters = { hits: 0, misses: 0, expires: 0, evicts: 0, skips: 0 };

  /** `capacity` is asked each time: a reload may change it. `dismiss` says goodbye to a connection that leaves the pool unused. */
  constructor(capacity: () => number, deadlines: Deadlines, dismiss: (connection: Connection) => void) {
    this.#capacity = capacity;
    this.#deadlines = deadlines;
    this.#dismiss = dismiss;
  }

  get counters(): PoolCounters {
    return { size: this.#idle.size, ...this.#counters };
  }

  /** Takes out the connection that was used last of those that suit, which is the likeliest to be alive. */
  take(key: string, suits: (connection: Connection) => boolean = () => true): Connection | undefined {
    const connection = this.#byKey.get(key)?.findLast(suits);
    if (connection === undefined) {
      this.#counters.misses++;
      return undefined;
    }
    this.#remove(connection);
    this.#counters.hits++;
    return connection;
  }

  /** Keeps a quiet connection for a while. Returns whether it was taken. */
  offer(key: string, connection: Connection, { idleSeconds, isEvictable = true }: Idling): boolean {
    if (idleSeconds <= 0 || !this.#hasRoom()) {
      this.#counters.skips++;
      return false;
    }
    const expiry = new Deadline(() => {
      this.#counters.expires++;
      this.#remove(connection);
      this.#dismiss(connection);
    });
    this.#deadlines.set(expiry, idleSeconds * 1000);
    this.#idle.set(connection, { key, expiry });
    if (isEvictable) this.#evictable.add(connection);
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

  #hasRoom(): boolean {
    const capacity = this.#capacity();
    if (capacity === 0) return false;
    while (this.#idle.size >= capacity) {
      const [oldest] = this.#evictable;
      if (oldest === undefined) return false;
      this.#counters.evicts++;
      this.#remove(oldest);
      this.#dismiss(oldest);
    }
    return true;
  }

  #remove(connection: Connection): void {
    const entry = this.#idle.get(connection);
    if (entry === undefined) return;
    this.#idle.delete(connection);
    this.#evictable.delete(connection);
    this.#deadlines.remove(entry.expiry);
    connection.onBroken(undefined);
    const sameKey = this.#byKey.get(entry.key);
    if (sameKey === undefined) return;
    sameKey.splice(sameKey.lastIndexOf(connection), 1);
    if (sameKey.length === 0) this.#byKey.delete(entry.key);
  }
}
