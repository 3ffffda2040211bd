// Elements of arrays, strings and objects: what the interpreter does not do itself when it reads, writes or removes one.
// Writing makes the container fit for it first (hsl-language 5.2): a shared array is copied, none and scalars become an
// empty array, an object stays.

import { HslArray, type Key, toKey } from '../values/array.js';
import { BYTES_PER_ELEMENT } from '../values/meter.js';
import { HslObject, share } from '../values/object.js';
import { ScriptFault } from '../values/script-fault.js';
import { DICTIONARY, LIST } from '../values/shape.js';
import { typeWord } from '../values/type-word.js';
import type { Value } from '../values/value.js';
import type { Fiber } from './fiber.js';
import { findMember, getMember, hasMember, ownMember, setMember, unsetMember } from './objects.js';
import type { FieldCache } from './prepared.js';

// --- Reading ------------------------------------------------------------------------------------------------------

/** `base[key]`. */
export function getElement(fiber: Fiber, base: Value | undefined, key: Value): Value {
  if (base instanceof HslArray) return base.getNormal(toKey(key)) ?? null;
  if (typeof base === 'string') return characterAt(base, toKey(key)) ?? null;
  return base instanceof HslObject ? getMember(fiber, base, toKey(key)) : null;
}

function characterAt(text: string, key: Key): string | undefined {
  return typeof key === 'number' && key >= 0 ? text[key] : undefined;
}

/** `base[key]` where a private member reads as none. */
export function getElementQuiet(fiber: Fiber, base: Value | undefined, key: Value): Value {
  if (base instanceof HslObject && !hasMember(fiber, base, toKey(key))) return null;
  return getElement(fiber, base, key);
}

/** `isset(base[key])`. */
export function issetElement(fiber: Fiber, base: Value | undefined, key: Value): boolean {
  if (base instanceof HslArray) return base.getNormal(toKey(key)) !== undefined;
  if (typeof base === 'string') return characterAt(base, toKey(key)) !== undefined;
  return base instanceof HslObject && hasMember(fiber, base, toKey(key));
}

/** `base[constant]`, and teaches the instruction's cache. */
export function getField(fiber: Fiber, base: Value | undefined, cache: FieldCache): Value {
  if (!(base instanceof HslArray))
    return base instanceof HslObject ? getMember(fiber, base, cache.key) : null;
  const { shape } = base;
  if (shape === DICTIONARY) return base.map.get(cache.key) ?? null;
  const index = shape.indexes.get(cache.key);
  if (index === undefined) return null;
  cache.shape = shape;
  cache.index = index;
  return base.vec[index]!;
}

/** Element of `source` for destructuring; undefined when there is none. */
export function destructured(source: Value, key: Value): Value | undefined {
  return source instanceof HslArray ? source.getNormal(toKey(key)) : undefined;
}

/** The values with a numeric key not below `from`: what `...$rest` takes. */
export function restOf(fiber: Fiber, source: Value, from: number): HslArray {
  if (!(source instanceof HslArray)) return HslArray.empty();
  const values: Value[] = [];
  for (const [key, value] of source.entries())
    if (typeof key === 'number' && key >= from) values.push(share(value));
  fiber.charge(values.length * BYTES_PER_ELEMENT);
  return HslArray.fromList(values);
}

// --- Writing ------------------------------------------------------------------------------------------------------

/** What a container becomes before it is written to. The caller stores it where it was. */
export function writableContainer(fiber: Fiber, value: Value | undefined): HslArray | HslObject {
  if (value instanceof HslArray) {
    if (!value.shared) return value;
    fiber.charge(value.length * BYTES_PER_ELEMENT);
    return value.clone();
  }
  if (value instanceof HslObject) return value;
  if (typeof value === 'object' && value !== null)
    throw new ScriptFault(`a ${typeWord(value)} has no elements that can be set`);
  return HslArray.empty();
}

/** `container[key] = value` where the container is fit for writing. */
export function setElement(fiber: Fiber, container: HslArray | HslObject, key: Value, value: Value): void {
  if (container instanceof HslObject) {
    setMember(fiber, container, toKey(key), value);
    return;
  }
  fiber.charge(BYTES_PER_ELEMENT);
  container.setNormal(toKey(key), value);
}

/** `container[constant] = value`, and teaches the instruction's cache. */
export function setField(
  fiber: Fiber,
  container: HslArray | HslObject,
  cache: FieldCache,
  value: Value,
): void {
  if (container instanceof HslObject) {
    setMember(fiber, container, cache.key, value);
    return;
  }
  fiber.charge(BYTES_PER_ELEMENT);
  const before = container.shape;
  container.setNormal(cache.key, value);
  const after = container.shape;
  if (after === DICTIONARY || after === LIST) return;
  if (after === before) {
    cache.shape = after;
    cache.index = after.indexes.get(cache.key)!;
  } else if (before !== LIST) {
    cache.from = before;
    cache.to = after;
  }
}

/** `container[] = value`. */
export function appendElement(fiber: Fiber, container: HslArray | HslObject, value: Value): void {
  if (container instanceof HslObject) throw new ScriptFault('nothing can be appended to an object');
  fiber.charge(BYTES_PER_ELEMENT);
  container.append(value);
}

/** The element, made fit for writing to its own elements. */
export function ownElement(fiber: Fiber, container: HslArray | HslObject, key: Value): Value {
  const normal = toKey(key);
  if (container instanceof HslObject) return ownMember(fiber, container, normal);
  const value = container.getNormal(normal);
  if (value instanceof HslArray && !value.shared) return value;
  const own = writableContainer(fiber, value);
  if (own !== value) {
    fiber.charge(BYTES_PER_ELEMENT);
    container.setNormal(normal, own);
  }
  return own;
}

/** A new array at the end of the container. */
export function ownAppended(fiber: Fiber, container: HslArray | HslObject): Value {
  const own = HslArray.empty();
  appendElement(fiber, container, own);
  return own;
}

/** `...value` inside an array literal: fresh indexes for numeric keys, string keys kept. None adds nothing. */
export function spreadInto(fiber: Fiber, container: HslArray, value: Value): void {
  if (value === null) return;
  if (!(value instanceof HslArray))
    throw new ScriptFault(`only an array can be spread, not ${typeWord(value)}`);
  fiber.charge(value.length * BYTES_PER_ELEMENT);
  for (const [key, element] of value.entries()) {
    share(element);
    if (typeof key === 'number') container.append(element);
    else container.setNormal(key, element);
  }
}

/** `...value` inside an argument list: keys do not count. */
export function spreadArguments(fiber: Fiber, container: HslArray, value: Value): void {
  if (value === null) return;
  if (!(value instanceof HslArray))
    throw new ScriptFault(`only an array can be spread, not ${typeWord(value)}`);
  fiber.charge(value.length * BYTES_PER_ELEMENT);
  for (const element of value.values()) container.append(share(element));
}

// --- Removing -----------------------------------------------------------------------------------------------------

/** What a container becomes before something is removed from it: nothing is created. */
export function removableContainer(fiber: Fiber, value: Value | undefined): Value | undefined {
  return value instanceof HslArray && value.shared ? writableContainer(fiber, value) : value;
}

/** The element on the path of an unset, made fit for removing something from it; none if there is no such path. */
export function findElement(fiber: Fiber, container: Value | undefined, key: Value): Value {
  const normal = toKey(key);
  if (container instanceof HslObject) return findMember(fiber, container, normal);
  if (!(container instanceof HslArray)) return null;
  const value = container.getNormal(normal);
  if (value === undefined) return null;
  return value instanceof HslArray ? ownElement(fiber, container, normal) : value;
}

/** `unset(container[key])`. @returns whether it was there */
export function unsetElement(fiber: Fiber, container: Value | undefined, key: Value): boolean {
  if (container instanceof HslArray) return container.delete(key);
  return container instanceof HslObject && unsetMember(fiber, container, toKey(key));
}
