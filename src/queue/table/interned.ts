// Values that many messages share, each kept once and counted: a transport id costs a message four bytes instead of a string.
// Counting lets values go with their last message; otherwise a year of HELO names would stay in memory.

import { detached } from '#lang';

/** Shared values, each known by a number. */
export class Interned<T> {
  readonly #numbers = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #values: (T | undefined)[] = [];
  readonly #users: number[] = [];
  readonly #free: number[] = [];

  /** How many different values there are. */
  get size(): number {
    return this.#numbers.size;
  }

  /** The number of the value with this key, with one user more. */
  add(key: string, value: T): number {
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#free.pop() ?? this.#values.length;
      // A name that a script cut out of a message must not keep the message.
      const own = detached(key);
      this.#numbers.set(own, number);
      this.#keys[number] = own;
      this.#values[number] = typeof value === 'string' ? (detached(value) as T & string) : value;
      this.#users[number] = 0;
    }
    this.#users[number]!++;
    return number;
  }

  get(number: number): T {
    return this.#values[number]!;
  }

  /** One user less. */
  release(number: number): void {
    if (--this.#users[number]! > 0) return;
    this.#numbers.delete(this.#keys[number]!);
    this.#keys[number] = '';
    this.#values[number] = undefined;
    this.#free.push(number);
  }
}
