// y, K, z, A: the memory that scripts share (`memory_*`), read and changed from outside. Values come and go as JSON.

import { bytesToText, ScriptFault, textToBytes, type Value } from '#lang';
import { type LocalMemory, readJson, writeJson } from '#stdlib';
import { type Caller, ControlError, nextTurn } from '../operation.js';

const DEFAULT_LIMIT = 100;
const HIGHEST_LIMIT = 10_000;
/** Keys that are looked at before others have a turn. */
const SLICE = 2000;
/** So long a script may hold a key that somebody wants to change. */
const LOCKED_SECONDS = 5;
/** One timer is no longer: a process's own end after 24 days. */
const LONGEST_TIMER_SECONDS = 86_400;
/** Keys that are to go by themselves. */
const MOST_TIMED = 100_000;
/** Characters of a value that is told. */
const LONGEST_VALUE = 64 * 1024 * 1024;

/** What it works on. */
export interface MemoryParts {
  readonly memory: Pick<LocalMemory, 'get' | 'set' | 'delete' | 'isLocked' | 'lock' | 'unlock' | 'list'>;
  /** Calls once after that time, until the result is called. */
  readonly after: (seconds: number, call: () => void) => () => void;
}

/** Works on shared memory. */
export class HslMemory {
  readonly #parts: MemoryParts;
  /** Takes back what was planned for a key. */
  readonly #timed = new Map<string, () => void>();

  constructor(parts: MemoryParts) {
    this.#parts = parts;
  }

  /** Tells a value. */
  async fetch({ key = '' }: { readonly key?: string }): Promise<object> {
    const value = this.#parts.memory.get(textToBytes(key));
    if (value === undefined) return { found: false };
    const text = await jsonOf(value);
    if (text === undefined)
      return {
        found: true,
        problem:
          'its value cannot be said in JSON: it holds an object, a function, or bytes that are no UTF-8',
      };
    return { found: true, value: text };
  }

  /** Stores a value. @throws ControlError */
  async store(
    { key = '', value = '', ttl }: { readonly key?: string; readonly value?: string; readonly ttl?: number },
    { signal }: Caller,
  ): Promise<undefined> {
    if (ttl !== undefined && !(ttl > 0))
      throw new ControlError(`ttl: found ${ttl}; expected seconds, more than 0`);
    if (ttl !== undefined && this.#timed.size >= MOST_TIMED)
      throw new ControlError(`ttl: ${MOST_TIMED} keys have one already; expected a key without`);
    const read = await valueIn(value);
    const name = textToBytes(key);
    await this.#whenFree(name, signal, () => {
      try {
        this.#parts.memory.set(name, read);
      } catch (error) {
        if (error instanceof ScriptFault) throw new ControlError(bytesToText(error.message));
        throw error;
      }
    });
    this.#untime(name);
    if (ttl !== undefined) this.#time(name, this.#parts.memory.get(name), ttl);
    return undefined;
  }

  /** Takes a key away. @throws ControlError */
  async delete({ key = '' }: { readonly key?: string }, { signal }: Caller): Promise<object> {
    const name = textToBytes(key);
    let deleted = false;
    await this.#whenFree(name, signal, () => {
      deleted = this.#parts.memory.delete(name);
    });
    this.#untime(name);
    return { deleted };
  }

  /** Lists keys, in the order in which they were first stored. @throws ControlError */
  async list(
    { prefix = '', limit = DEFAULT_LIMIT }: { readonly prefix?: string; readonly limit?: number },
    { signal }: Caller,
  ): Promise<object> {
    if (limit > HIGHEST_LIMIT)
      throw new ControlError(`limit: found ${limit}; expected at most ${HIGHEST_LIMIT}`);
    const keys: string[] = [];
    let total = 0;
    let seen = 0;
    const begins = textToBytes(prefix);
    for (const { key } of this.#parts.memory.list()) {
      if (key.startsWith(begins)) {
        total++;
        if (keys.length < limit) keys.push(bytesToText(key));
      }
      if (++seen % SLICE !== 0) continue;
      await nextTurn();
      if (signal.aborted) break;
    }
    return { keys, total };
  }

  /** Changes a key that no script holds, or waits until none does. @throws ControlError */
  async #whenFree(key: string, signal: AbortSignal, change: () => void): Promise<void> {
    const { memory, after } = this.#parts;
    if (!memory.isLocked(key)) {
      change();
      return;
    }
    const pending = memory.lock(key);
    const outcome = await new Promise<'granted' | 'late'>((resolve) => {
      const end = (how: 'granted' | 'late'): void => {
        cancel();
        signal.removeEventListener('abort', giveUp);
        resolve(how);
      };
      const giveUp = (): void => end('late');
      const cancel = after(LOCKED_SECONDS, giveUp);
      signal.addEventListener('abort', giveUp);
      void pending.granted.then(() => end('granted'));
    });
    if (outcome === 'late') {
      pending.cancel();
      throw new ControlError(
        `the key ${JSON.stringify(bytesToText(key))} is held by a script for more than ${LOCKED_SECONDS} s; try again later`,
      );
    }
    try {
      change();
    } finally {
      memory.unlock(key);
    }
  }

  /** It goes after that time, unless a script has stored something else meanwhile; one that a script holds, as soon as it is free. */
  #time(key: string, stored: Value | undefined, seconds: number): void {
    const { memory, after } = this.#parts;
    const step = Math.min(seconds, LONGEST_TIMER_SECONDS);
    const cancel = after(step, () => {
      this.#timed.delete(key);
      if (memory.get(key) !== stored) return;
      if (seconds > step) this.#time(key, stored, seconds - step);
      else if (memory.isLocked(key)) this.#time(key, stored, LOCKED_SECONDS);
      else memory.delete(key);
    });
    this.#timed.set(key, cancel);
  }

  #untime(key: string): void {
    this.#timed.get(key)?.();
    this.#timed.delete(key);
  }
}

async function valueIn(text: string): Promise<Value> {
  const reading = readJson(textToBytes(text), false, () => {});
  for (;;) {
    const step = reading.next();
    if (!step.done) {
      await nextTurn();
      continue;
    }
    if ('value' in step.value) return step.value.value;
    throw new ControlError(
      `value: this is no JSON, in line ${step.value.line}: ${bytesToText(step.value.problem)}`,
    );
  }
}

/** Undefined for what JSON cannot say. @throws ControlError */
async function jsonOf(value: Value): Promise<string | undefined> {
  let length = 0;
  const writing = writeJson(value, { ensureAscii: false, pretty: false }, (bytes) => {
    length += bytes;
    if (length > LONGEST_VALUE)
      throw new ControlError(`the value has more than ${LONGEST_VALUE} characters and is not told`);
  });
  try {
    for (;;) {
      const step = writing.next();
      if (step.done) return step.value === undefined ? undefined : bytesToText(step.value);
      await nextTurn();
    }
  } catch (error) {
    if (error instanceof ScriptFault) return undefined;
    throw error;
  }
}
