// The key/value store behind memory_* and barrier, in this process. Lost at restart, as scripts expect, and bounded: what
// does not fit is refused, since a counter that silently went would be worse than an exception.
//
// Whoever changes a key holds its lock, or has just seen that nobody does and is over at once. A store outside the
// process fits the same interface: its `tryLock` always fails, `lock` fetches the value with the lock, `unlock` sends
// what was set.

import { detached, ScriptFault, type SharedMemory, type Value } from '#lang';
import { detachedValue } from './detached-value.js';
import { valueBytes } from './value-size.js';

interface Waiter {
  readonly grant: () => void;
}

interface Entry {
  value: Value;
  bytes: number;
}

export interface MemoryLimits {
  /** Bytes of all keys and values, with a fixed share per entry. */
  readonly bytes: number;
}

const DEFAULT_LIMITS: MemoryLimits = { bytes: 256 * 1024 * 1024 };

/** What an entry costs beside its key and value. */
const ENTRY_BYTES = 120;

/** What the control interface lists. */
export interface MemoryEntry {
  readonly key: string;
  readonly value: Value;
  readonly isLocked: boolean;
}

/** A store with one lock per key; waiters enter in random order (`pick` gives a number from 0 up to 1). */
export function createLocalMemory(
  pick: () => number = Math.random,
  limits: MemoryLimits = DEFAULT_LIMITS,
): LocalMemory {
  return new LocalMemory(pick, limits);
}

export class LocalMemory implements SharedMemory {
  readonly #entries = new Map<string, Entry>();
  /** Present while the key is locked. */
  readonly #waiters = new Map<string, Waiter[]>();
  readonly #pick: () => number;
  readonly #limits: MemoryLimits;
  #bytes = 0;

  constructor(pick: () => number, limits: MemoryLimits) {
    this.#pick = pick;
    this.#limits = limits;
  }

  /** Bytes of all keys and values, as they are counted. */
  get sizeBytes(): number {
    return this.#bytes;
  }

  /** The entries whose key begins with `prefix`, as they are now; for the control interface. */
  *list(prefix = ''): IterableIterator<MemoryEntry> {
    for (const [key, { value }] of this.#entries)
      if (key.startsWith(prefix)) yield { key, value, isLocked: this.#waiters.has(key) };
  }

  /** Removes every value; locks stay with those who hold them. */
  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  /** @throws ScriptFault when the store has no room for it; the key then keeps what it had */
  set(key: string, value: Value): void {
    const entry = this.#entries.get(key);
    const bytes = valueBytes(value);
    const more = entry === undefined ? ENTRY_BYTES + key.length + bytes : bytes - entry.bytes;
    if (more > 0 && this.#bytes + more > this.#limits.bytes)
      throw new ScriptFault(
        `the shared memory is full: ${this.#bytes} of ${this.#limits.bytes} bytes are taken, and the key ${JSON.stringify(key.slice(0, 64))} needs ${more} more`,
      );
    this.#bytes += more;
    if (entry === undefined) this.#entries.set(detached(key), { value: detachedValue(value), bytes });
    else {
      entry.value = detachedValue(value, entry.value);
      entry.bytes = bytes;
    }
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#bytes -= ENTRY_BYTES + key.length + entry.bytes;
    return this.#entries.delete(key);
  }

  isLocked(key: string): boolean {
    return this.#waiters.has(key);
  }

  tryLock(key: string): boolean {
    if (this.#waiters.has(key)) return false;
    this.#waiters.set(key, []);
    return true;
  }

  lock(key: string): { readonly granted: Promise<void>; cancel(): void } {
    if (this.tryLock(key)) return { granted: Promise.resolve(), cancel: () => this.unlock(key) };
    const waiters = this.#waiters.get(key)!;
    let waiter: Waiter | undefined;
    const granted = new Promise<void>((resolve) => {
      waiter = { grant: resolve };
      waiters.push(waiter);
    });
    const cancel = (): void => {
      const index = waiters.indexOf(waiter!);
      if (index !== -1) waiters.splice(index, 1);
      // It was granted, but the waiter has not run since: the lock it will never use goes on to the next.
      else this.unlock(key);
    };
    return { granted, cancel };
  }

  unlock(key: string): void {
    const waiters = this.#waiters.get(key);
    if (waiters === undefined) return;
    if (waiters.length === 0) {
      this.#waiters.delete(key);
      return;
    }
    // The lock passes on without ever being free.
    const [next] = waiters.splice(Math.floor(this.#pick() * waiters.length), 1);
    next!.grant();
  }
}
