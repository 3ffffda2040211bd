// The one array type: an ordered map with value semantics. It has three states, told apart by which parts are there:
//
//   list        keys 0..n-1 in order                 values only
//   dictionary  any other keys                        values in a Map, in order of insertion
//   (record: few constant string keys, values packed; see shape.ts once it is there)
//
// Copy-on-write: whoever stores an array in a second place sets `shared` (see `share` in object.ts); whoever is about to
// write to a shared one writes to `clone()` instead. A clone marks its nested arrays shared, so deep copies stay lazy.

import type { Value } from './value.js';

/** A key after `toKey`: an integer, a string that is no canonical integer, or another value compared strictly. */
export type Key = Value;

/**
 * What a subscript means as a key (hsl-language 3.5): booleans are 0 and 1, fractions are cut, strings that are
 * canonical integers are numbers.
 */
export function toKey(key: Value): Key {
  if (typeof key === 'number') return Number.isInteger(key) ? key + 0 : Math.trunc(key) + 0;
  if (typeof key === 'string') return stringToKey(key);
  if (typeof key === 'boolean') return key ? 1 : 0;
  return key;
}

/** `toKey` for strings: "12" is 12, "012" and "1.0" stay strings. */
export function stringToKey(key: string): number | string {
  const length = key.length;
  if (length === 0 || length > 17) return key;
  const first = key.charCodeAt(0);
  // Most keys are words: decide by the first byte.
  if (first > 57 || (first < 48 && first !== 45)) return key;
  const number = Number(key);
  return Number.isSafeInteger(number) && String(number) === key ? number : key;
}

export class HslArray {
  /** True while more than one place may hold this array: the next writer clones. */
  shared = false;
  #list: Value[] | undefined;
  #map: Map<Key, Value> | undefined;
  /** The highest integer key plus one, never below 0; -1 when it must be found again. */
  #next = 0;

  private constructor(list: Value[] | undefined, map: Map<Key, Value> | undefined) {
    this.#list = list;
    this.#map = map;
    this.#next = list === undefined ? -1 : list.length;
  }

  static empty(): HslArray {
    return new HslArray([], undefined);
  }

  /** Takes the JavaScript array over: the caller must not touch it again. */
  static fromList(values: Value[]): HslArray {
    return new HslArray(values, undefined);
  }

  /** Keys are taken as `toKey` makes them; a later duplicate overwrites in place. */
  static fromEntries(entries: Iterable<readonly [Value, Value]>): HslArray {
    const array = HslArray.empty();
    for (const [key, value] of entries) array.set(key, value);
    return array;
  }

  /** String keys from a plain object, in its own order. For constants and host records. */
  static fromRecord(record: Readonly<Record<string, Value>>): HslArray {
    const array = HslArray.empty();
    for (const key in record) array.set(key, record[key]!);
    return array;
  }

  get length(): number {
    return this.#list !== undefined ? this.#list.length : this.#map!.size;
  }

  /** True for keys 0..n-1 in order (the empty array included). */
  get isList(): boolean {
    if (this.#list !== undefined) return true;
    let index = 0;
    for (const key of this.#map!.keys()) if (key !== index++) return false;
    return true;
  }

  /** The value under `key` (normalised here), or undefined when there is none. */
  get(key: Value): Value | undefined {
    const normal = toKey(key);
    if (this.#list !== undefined) return typeof normal === 'number' ? this.#list[normal] : undefined;
    return this.#map!.get(normal);
  }

  has(key: Value): boolean {
    return this.get(key) !== undefined;
  }

  /** Writes in place: the array must not be shared. Values that stay in use elsewhere are passed through `share`. */
  set(key: Value, value: Value): void {
    const normal = toKey(key);
    const list = this.#list;
    if (list !== undefined) {
      if (typeof normal === 'number' && normal >= 0 && normal <= list.length) {
        list[normal] = value;
        if (normal === this.#next) this.#next++;
        return;
      }
      this.#toMap();
    }
    this.#map!.set(normal, value);
    if (typeof normal === 'number' && this.#next !== -1 && normal >= this.#next) this.#next = normal + 1;
  }

  /** Adds under the highest integer key plus one. The array must not be shared. */
  append(value: Value): void {
    if (this.#list !== undefined) {
      this.#list.push(value);
      this.#next++;
      return;
    }
    this.#map!.set(this.nextIndex, value);
    this.#next++;
  }

  /** The key that `append` would use. */
  get nextIndex(): number {
    if (this.#next === -1) {
      let next = 0;
      for (const key of this.#map!.keys()) if (typeof key === 'number' && key >= next) next = key + 1;
      this.#next = next;
    }
    return this.#next;
  }

  /** Removes a key; the others keep theirs. The array must not be shared. @returns whether it was there */
  delete(key: Value): boolean {
    const normal = toKey(key);
    const list = this.#list;
    if (list !== undefined) {
      if (typeof normal !== 'number' || normal < 0 || normal >= list.length) return false;
      if (normal === list.length - 1) {
        list.pop();
        this.#next = list.length;
        return true;
      }
      this.#toMap();
    }
    if (!this.#map!.delete(normal)) return false;
    if (typeof normal === 'number' && normal === this.#next - 1) this.#next = -1;
    return true;
  }

  /** A copy to write to. Nested arrays are then held twice, so they are marked. */
  clone(): HslArray {
    if (this.#list !== undefined) {
      const copy = this.#list.slice();
      for (const value of copy) if (value instanceof HslArray) value.shared = true;
      return new HslArray(copy, undefined);
    }
    for (const value of this.#map!.values()) if (value instanceof HslArray) value.shared = true;
    const copy = new HslArray(undefined, new Map(this.#map));
    copy.#next = this.#next;
    return copy;
  }

  *keys(): IterableIterator<Key> {
    if (this.#list !== undefined) for (let i = 0; i < this.#list.length; i++) yield i;
    else yield* this.#map!.keys();
  }

  values(): IterableIterator<Value> {
    return this.#list !== undefined ? this.#list.values() : this.#map!.values();
  }

  entries(): IterableIterator<[Key, Value]> {
    return this.#list !== undefined ? this.#list.entries() : this.#map!.entries();
  }

  /** The values in order, as a fresh JavaScript array. */
  toList(): Value[] {
    return this.#list !== undefined ? this.#list.slice() : [...this.#map!.values()];
  }

  #toMap(): void {
    this.#map = new Map(this.#list!.entries() as Iterable<[Key, Value]>);
    this.#list = undefined;
  }
}
