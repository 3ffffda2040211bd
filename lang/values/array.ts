// The one array type: an ordered map with value semantics. It has three states, told apart by `shape`:
//
//   list        shape LIST         keys 0..n-1 in order; values in `vec`
//   record      any other shape    few string keys, listed by the shape; values in `vec`, in the shape's order
//   dictionary  shape DICTIONARY   any keys; entries in `map`, in order of insertion
//
// An empty array is a list and becomes a record with its first string key. A list or record that gets another kind of key,
// loses one from its middle, or grows too many, becomes a dictionary and stays one.
//
// Copy-on-write: whoever stores an array in a second place sets `shared` (see `share` in object.ts); whoever is about to
// write to a shared one writes to `clone()` instead. A clone marks its nested arrays shared, so deep copies stay lazy.
//
// `shape`, `vec` and `map` are for lang/values and lang/vm (the interpreter reads them in place); everybody else uses the
// methods.

import { isSame } from './compare.js';
import { DICTIONARY, EMPTY_RECORD, LIST, type Shape } from './shape.js';
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

// What `vec` and `map` are while the array does not use them. Never written to.
const NO_VALUES: Value[] = [];
const NO_ENTRIES = new Map<Key, Value>();

/** What is known about arrays inside an array. */
export const enum Nesting {
  Unknown,
  /** There are none. */
  Flat,
  /** There may be some. */
  Nested,
}

export class HslArray {
  /** True while more than one place may hold this array: the next writer clones. */
  shared = false;
  /** Whether arrays may be among the values: a clone looks for them only then. Whoever writes one into `vec` says so here. */
  nesting: Nesting = Nesting.Unknown;
  /** For dictionaries: the highest integer key plus one, never below 0; -1 when it must be found again. */
  #next = -1;

  private constructor(
    public shape: Shape,
    public vec: Value[],
    public map: Map<Key, Value>,
  ) {}

  static empty(): HslArray {
    return new HslArray(LIST, [], NO_ENTRIES);
  }

  /** Takes the JavaScript array over: the caller must not touch it again. */
  static fromList(values: Value[]): HslArray {
    return new HslArray(LIST, values, NO_ENTRIES);
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

  /** A record: one value per key of the shape, taken over. */
  static fromShape(shape: Shape, values: Value[]): HslArray {
    return new HslArray(shape, values, NO_ENTRIES);
  }

  get length(): number {
    return this.shape === DICTIONARY ? this.map.size : this.vec.length;
  }

  /** True for keys 0..n-1 in order (the empty array included). */
  get isList(): boolean {
    if (this.shape === LIST) return true;
    if (this.shape !== DICTIONARY) return false;
    let index = 0;
    for (const key of this.map.keys()) if (key !== index++) return false;
    return true;
  }

  /** The value under `key` (normalised here), or undefined when there is none. */
  get(key: Value): Value | undefined {
    return this.getNormal(toKey(key));
  }

  /** `get` for a key that `toKey` has made. */
  getNormal(key: Key): Value | undefined {
    const shape = this.shape;
    if (shape === LIST) return typeof key === 'number' && key >= 0 ? this.vec[key] : undefined;
    if (shape === DICTIONARY) return this.map.get(typeof key === 'object' ? this.#heldKey(key) : key);
    if (typeof key !== 'string') return undefined;
    const index = shape.indexes.get(key);
    return index === undefined ? undefined : this.vec[index];
  }

  has(key: Value): boolean {
    return this.get(key) !== undefined;
  }

  /** Writes in place: the array must not be shared. Values that stay in use elsewhere are passed through `share`. */
  set(key: Value, value: Value): void {
    this.setNormal(toKey(key), value);
  }

  /** `set` for a key that `toKey` has made. */
  setNormal(key: Key, value: Value): void {
    if (value instanceof HslArray) this.nesting = Nesting.Nested;
    const shape = this.shape;
    if (shape === LIST) {
      const vec = this.vec;
      if (typeof key === 'number') {
        if (key === vec.length) {
          vec.push(value);
          return;
        }
        if (key >= 0 && key < vec.length) {
          vec[key] = value;
          return;
        }
      } else if (vec.length === 0 && typeof key === 'string' && this.#grow(EMPTY_RECORD, key, value)) {
        return;
      }
      this.#toMap();
    } else if (shape !== DICTIONARY) {
      if (typeof key === 'string') {
        const index = shape.indexes.get(key);
        if (index !== undefined) {
          this.vec[index] = value;
          return;
        }
        if (this.#grow(shape, key, value)) return;
      }
      this.#toMap();
    }
    this.map.set(typeof key === 'object' ? this.#heldKey(key) : key, value);
    if (typeof key === 'number' && this.#next !== -1 && key >= this.#next) this.#next = key + 1;
  }

  /** Adds under the highest integer key plus one. The array must not be shared. */
  append(value: Value): void {
    if (value instanceof HslArray) this.nesting = Nesting.Nested;
    if (this.shape === LIST) {
      this.vec.push(value);
      return;
    }
    if (this.shape !== DICTIONARY) this.#toMap();
    this.map.set(this.nextIndex, value);
    this.#next++;
  }

  /** The key that `append` would use. */
  get nextIndex(): number {
    if (this.shape === LIST) return this.vec.length;
    if (this.shape !== DICTIONARY) return 0;
    if (this.#next === -1) {
      let next = 0;
      for (const key of this.map.keys()) if (typeof key === 'number' && key >= next) next = key + 1;
      this.#next = next;
    }
    return this.#next;
  }

  /** Removes a key; the others keep theirs. The array must not be shared. @returns whether it was there */
  delete(key: Value): boolean {
    const normal = toKey(key);
    const shape = this.shape;
    if (shape !== DICTIONARY) {
      if (this.getNormal(normal) === undefined) return false;
      const last = this.vec.length - 1;
      if (shape === LIST ? normal === last : shape.indexes.get(normal as string) === last) {
        this.vec.pop();
        if (shape !== LIST) this.shape = last === 0 ? LIST : shape.parent!;
        return true;
      }
      this.#toMap();
    }
    if (!this.map.delete(this.#heldKey(normal))) return false;
    if (typeof normal === 'number' && normal === this.#next - 1) this.#next = -1;
    return true;
  }

  /** A copy to write to. Nested arrays are then held twice, so they are marked. */
  clone(): HslArray {
    if (this.nesting !== Nesting.Flat) this.nesting = this.#shareNested() ? Nesting.Nested : Nesting.Flat;
    const isDictionary = this.shape === DICTIONARY;
    const copy = new HslArray(
      this.shape,
      isDictionary ? NO_VALUES : this.vec.slice(),
      isDictionary ? new Map(this.map) : NO_ENTRIES,
    );
    copy.nesting = this.nesting;
    copy.#next = this.#next;
    return copy;
  }

  /** Marks the arrays inside. @returns whether there are any */
  #shareNested(): boolean {
    let found = false;
    for (const value of this.values()) {
      if (value instanceof HslArray) {
        value.shared = true;
        found = true;
      }
    }
    return found;
  }

  keys(): IterableIterator<Key> {
    if (this.shape === LIST) return this.vec.keys();
    return this.shape === DICTIONARY ? this.map.keys() : this.shape.keys.values();
  }

  values(): IterableIterator<Value> {
    return this.shape === DICTIONARY ? this.map.values() : this.vec.values();
  }

  entries(): IterableIterator<[Key, Value]> {
    if (this.shape === LIST) return this.vec.entries();
    return this.shape === DICTIONARY ? this.map.entries() : this.#recordEntries();
  }

  /** The values in order, as a fresh JavaScript array. */
  toList(): Value[] {
    return this.shape === DICTIONARY ? [...this.map.values()] : this.vec.slice();
  }

  *#recordEntries(): IterableIterator<[Key, Value]> {
    const keys = this.shape.keys;
    for (let i = 0; i < keys.length; i++) yield [keys[i]!, this.vec[i]!];
  }

  /** Keys are compared strictly, and arrays are the same when they hold the same: the key here that is `key`. */
  #heldKey(key: Key): Key {
    if (!(key instanceof HslArray)) return key;
    for (const held of this.map.keys()) if (held instanceof HslArray && isSame(held, key)) return held;
    key.shared = true;
    return key;
  }

  /** Adds a key to a record; false when it must become a dictionary. */
  #grow(shape: Shape, key: string, value: Value): boolean {
    const next = shape.with(key);
    if (next === undefined) return false;
    this.shape = next;
    this.vec.push(value);
    return true;
  }

  #toMap(): void {
    const map = new Map<Key, Value>();
    const vec = this.vec;
    if (this.shape === LIST) for (let i = 0; i < vec.length; i++) map.set(i, vec[i]!);
    else for (let i = 0; i < vec.length; i++) map.set(this.shape.keys[i]!, vec[i]!);
    this.#next = this.shape === LIST ? vec.length : 0;
    this.shape = DICTIONARY;
    this.vec = NO_VALUES;
    this.map = map;
  }
}
