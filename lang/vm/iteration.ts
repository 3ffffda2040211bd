// What `foreach` walks (hsl-language 6.3): an array, a generator, or an object of a native class that says how. Guess of
// hsl-language 20 that lives here and in generators.ts: the protocol of iterators.

import type { NativeClass } from '../declare.js';
import { HslArray, type Key } from '../values/array.js';
import { HslObject, share } from '../values/object.js';
import { ScriptFault } from '../values/script-fault.js';
import { DICTIONARY, LIST } from '../values/shape.js';
import { typeWord } from '../values/type-word.js';
import type { Value } from '../values/value.js';
import { GeneratorState } from './generators.js';
import { ScriptClass } from './prepared.js';

/** A walk over an array as it was at the start: the compiler marks the array shared if the body writes its variable. */
export class ArrayIteration {
  /** Of the entry that `next` gave. */
  key: Key = 0;
  #position = 0;
  /** Values of a list or record; undefined for a dictionary. */
  readonly #vec: readonly Value[] | undefined;
  /** Keys of a record. */
  readonly #names: readonly string[] | undefined;
  readonly #keys: Iterator<Key> | undefined;
  readonly #values: Iterator<Value> | undefined;

  constructor(readonly array: HslArray) {
    const { shape } = array;
    const isDictionary = shape === DICTIONARY;
    this.#vec = isDictionary ? undefined : array.vec;
    this.#names = isDictionary || shape === LIST ? undefined : shape.keys;
    this.#keys = isDictionary ? array.map.keys() : undefined;
    this.#values = isDictionary ? array.map.values() : undefined;
  }

  /** Goes to the next entry. @returns its value, and its key in `key`; undefined at the end */
  next(): Value | undefined {
    const vec = this.#vec;
    if (vec === undefined) return this.#nextOfMap();
    const at = this.#position;
    if (at >= vec.length) return undefined;
    this.#position = at + 1;
    this.key = this.#names === undefined ? at : this.#names[at]!;
    const value = vec[at]!;
    if (value instanceof HslArray) value.shared = true;
    return value;
  }

  #nextOfMap(): Value | undefined {
    const step = this.#values!.next();
    if (step.done === true) return undefined;
    this.key = this.#keys!.next().value;
    return share(step.value);
  }
}

/** A walk over a native object (Map, Set, their iterators). */
export class NativeIteration {
  key: Key = 0;
  constructor(readonly entries: Iterator<readonly [Value, Value]>) {}

  /** As ArrayIteration.next. */
  next(): Value | undefined {
    const step = this.entries.next();
    if (step.done === true) return undefined;
    this.key = share(step.value[0]);
    return share(step.value[1]);
  }
}

/** What a register that `Iterate` wrote holds. */
export type Iteration = ArrayIteration | NativeIteration | GeneratorState;

/** Begins to walk a value. @throws ScriptFault when it cannot be walked */
export function iterate(value: Value): Iteration {
  if (value instanceof HslArray) return new ArrayIteration(value);
  if (value instanceof HslObject) {
    if (value.state instanceof GeneratorState) return value.state;
    if (!(value.classOf instanceof ScriptClass)) {
      const entries = (value.classOf as NativeClass).iterate?.(value.state);
      if (entries !== undefined) return new NativeIteration(entries);
    }
    throw new ScriptFault(`foreach cannot walk a ${value.classOf.name}`);
  }
  throw new ScriptFault(`foreach walks arrays and iterators, not ${typeWord(value)}`);
}
