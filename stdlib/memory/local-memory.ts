// The key/value store behind memory_* and barrier, in this process. Lost at restart, as scripts expect.

import type { SharedMemory, Value } from '#lang';

interface Waiter {
  readonly grant: () => void;
}

/** A store with one lock per key; waiters enter in random order (`pick` gives a number from 0 up to 1). */
export function createLocalMemory(pick: () => number = Math.random): LocalMemory {
  return new LocalMemory(pick);
}

export class LocalMemory implements SharedMemory {
  readonly #values = new Map<string, Value>();
  /** Present while the key is locked. */
  readonly #waiters = new Map<string, Waiter[]>();
  readonly #pick: () => number;

  constructor(pick: () => number) {
    this.#pick = pick;
  }

  /** Keys that hold a value, for the control interface. */
  keys(): IterableIterator<string> {
    return this.#values.keys();
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    this.#values.set(key, value);
  }

  delete(key: string): boolean {
    return this.#values.delete(key);
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
