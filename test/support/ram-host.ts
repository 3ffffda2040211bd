// A host in memory for tests of the language: time stands still until it is pushed, echo is collected, memory and cache are
// Maps, patterns run on RegExp. Nothing of it is shared between two hosts.

import {
  type CacheEntry,
  type CompiledPattern,
  type FunctionCache,
  type PatternEngine,
  PatternError,
  type RunHost,
  type SharedMemory,
  type Value,
} from '#lang';

/** A clock that only moves when told, and the timers that hang on it. */
export class PushedClock {
  #seconds = 1000;
  #timers: { readonly at: number; readonly action: () => void }[] = [];

  now(): number {
    return 1_700_000_000 + this.#seconds;
  }

  monotonic(): number {
    return this.#seconds;
  }

  after(seconds: number, action: () => void): () => void {
    const timer = { at: this.#seconds + seconds, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets time pass and runs what became due. */
  push(seconds: number): void {
    this.#seconds += seconds;
    const due = this.#timers.filter((timer) => timer.at <= this.#seconds);
    this.#timers = this.#timers.filter((timer) => timer.at > this.#seconds);
    for (const timer of due) timer.action();
  }
}

/** One lock per key, first come first served. */
export class RamMemory implements SharedMemory {
  readonly values = new Map<string, Value>();
  readonly #locked = new Set<string>();
  readonly #waiting = new Map<string, (() => void)[]>();

  get(key: string): Value | undefined {
    return this.values.get(key);
  }

  set(key: string, value: Value): void {
    this.values.set(key, value);
  }

  delete(key: string): boolean {
    return this.values.delete(key);
  }

  tryLock(key: string): boolean {
    if (this.#locked.has(key)) return false;
    this.#locked.add(key);
    return true;
  }

  lock(key: string): { readonly granted: Promise<void>; cancel(): void } {
    let grant: () => void = () => {};
    const granted = new Promise<void>((resolve) => {
      grant = resolve;
    });
    if (this.tryLock(key)) grant();
    else this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), grant]);
    const cancel = () => {
      this.#waiting.set(
        key,
        (this.#waiting.get(key) ?? []).filter((other) => other !== grant),
      );
    };
    return { granted, cancel };
  }

  unlock(key: string): void {
    const next = this.#waiting.get(key)?.shift();
    if (next === undefined) this.#locked.delete(key);
    else next();
  }

  isLocked(key: string): boolean {
    return this.#locked.has(key);
  }
}

class RamCache implements FunctionCache {
  readonly #buckets = new Map<string, Map<string, CacheEntry>>();

  get(bucket: string, key: string): CacheEntry | undefined {
    return this.#buckets.get(bucket)?.get(key);
  }

  set(bucket: string, key: string, entry: CacheEntry, size: number, lru: boolean): void {
    let entries = this.#buckets.get(bucket);
    if (entries === undefined) {
      entries = new Map();
      this.#buckets.set(bucket, entries);
    }
    if (!entries.has(key) && entries.size >= size) {
      if (!lru) return;
      entries.delete(entries.keys().next().value!);
    }
    entries.delete(key);
    entries.set(key, entry);
  }
}

/** Patterns by RegExp: good enough where a test is not about patterns. */
export const regExpPatterns: PatternEngine = {
  compile(source: string, flags: string): CompiledPattern {
    let expression: RegExp;
    try {
      expression = new RegExp(source, `d${flags.replace(/[^imsu]/g, '')}`);
    } catch (error) {
      throw new PatternError((error as Error).message, 0);
    }
    return {
      source,
      flags,
      groupCount: new RegExp(`${source}|`).exec('')!.length - 1,
      names: [],
      engine: 'v8',
      exec(subject, start) {
        const sticky = new RegExp(expression.source, `${expression.flags}g`);
        sticky.lastIndex = start;
        const found = sticky.exec(subject);
        return found?.indices?.flatMap((pair) => pair ?? [-1, -1]);
      },
      test: (subject) => expression.test(subject),
    };
  },
};

export class RamHost implements RunHost {
  readonly clock = new PushedClock();
  readonly memory = new RamMemory();
  readonly cache: FunctionCache = new RamCache();
  readonly patterns = regExpPatterns;
  /** What was echoed, one entry each. */
  readonly echoed: string[] = [];
  /** How often an execution let the event loop turn. */
  turns = 0;
  readonly random = { number: () => 0.5, bytes: (count: number) => '\x2a'.repeat(count) };

  echo(text: string): void {
    this.echoed.push(text);
  }

  nextTurn(resume: () => void): void {
    this.turns++;
    setImmediate(resume);
  }

  after(seconds: number, action: () => void): () => void {
    return this.clock.after(seconds, action);
  }
}
