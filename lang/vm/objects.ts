// Members of objects: reading, writing and removing them, with the rules of private and readonly (hsl-language 12).
// `->` and `[]` are the same thing, so everything here takes a key.

import type { NativeClass } from '../declare.js';
import { HslArray, type Key } from '../values/array.js';
import { HslFunction } from '../values/function.js';
import { HslObject } from '../values/object.js';
import { ScriptFault } from '../values/script-fault.js';
import { typeWord } from '../values/type-word.js';
import type { Value } from '../values/value.js';
import { checkedMethod } from './checked-builtin.js';
import type { Fiber } from './fiber.js';
import { ScriptClass, ScriptTarget } from './prepared.js';

/** Whether the running function may use the class's private members. */
export function isInsideClass(fiber: Fiber, owner: ScriptClass): boolean {
  const frame = fiber.frame!;
  return frame.fn.classIndex === owner.index && frame.instance === owner.instance;
}

function isOwnInstance(fiber: Fiber, object: HslObject, owner: ScriptClass): boolean {
  const frame = fiber.frame!;
  const { thisRegister } = frame.fn;
  return (
    thisRegister !== -1 &&
    fiber.registers[frame.base + thisRegister] === object &&
    isInsideClass(fiber, owner)
  );
}

function memberName(key: Key): string | undefined {
  if (typeof key === 'string') return key;
  return typeof key === 'number' ? String(key) : undefined;
}

/** `object[key]`: a variable, else a function bound to the object, else none. @throws ScriptFault for private ones */
export function getMember(fiber: Fiber, object: HslObject, key: Key): Value {
  const name = memberName(key);
  if (name === undefined) return null;
  const owner = object.classOf;
  if (!(owner instanceof ScriptClass)) return nativeMember(object, owner as NativeClass, name);
  const value = object.fields!.get(name);
  if (value !== undefined) {
    if (owner.privateFields?.has(name) === true && !isInsideClass(fiber, owner))
      throw new ScriptFault(`${owner.name}->${name} is private`);
    return value;
  }
  const method = owner.methods.get(name);
  if (method === undefined) return null;
  if (method.isPrivate && !isInsideClass(fiber, owner))
    throw new ScriptFault(`${owner.name}->${name} is private`);
  return new HslFunction(new ScriptTarget(owner.instance, method.fn), method.fn.name, undefined, object);
}

function nativeMember(object: HslObject, owner: NativeClass, name: string): Value {
  const method = Object.hasOwn(owner.methods, name) ? owner.methods[name] : undefined;
  return method === undefined ? null : new HslFunction(checkedMethod(owner, method), name, undefined, object);
}

/** Whether the member is there and may be used here: what `isset` and `??` ask before they read. */
export function hasMember(fiber: Fiber, object: HslObject, key: Key): boolean {
  const name = memberName(key);
  if (name === undefined) return false;
  const owner = object.classOf;
  if (!(owner instanceof ScriptClass)) return Object.hasOwn((owner as NativeClass).methods, name);
  const isPrivate = object.fields!.has(name)
    ? owner.privateFields?.has(name) === true
    : owner.methods.get(name)?.isPrivate;
  // Undefined: neither a variable nor a function.
  return isPrivate !== undefined && (!isPrivate || isInsideClass(fiber, owner));
}

/** Checks that the running function may use the variable. @returns its name */
function usable(fiber: Fiber, object: HslObject, key: Key): string {
  const owner = object.classOf;
  if (!(owner instanceof ScriptClass))
    throw new ScriptFault(`objects of class ${owner.name} have no variables that a script can set`);
  const name = memberName(key);
  if (name === undefined)
    throw new ScriptFault(`a member of an object is named by a string, not by ${typeWord(key)}`);
  if (owner.privateFields?.has(name) === true && !isInsideClass(fiber, owner))
    throw new ScriptFault(`${owner.name}->${name} is private`);
  return name;
}

/** Checks that the running function may write the variable. @returns its name */
function writable(fiber: Fiber, object: HslObject, key: Key): string {
  const name = usable(fiber, object, key);
  const owner = object.classOf as ScriptClass;
  if (owner.readonlyFields?.has(name) === true && !isOwnInstance(fiber, object, owner))
    throw new ScriptFault(`${owner.name}->${name} is readonly outside of its object`);
  return name;
}

/** `object[key] = value`. */
export function setMember(fiber: Fiber, object: HslObject, key: Key, value: Value): void {
  const name = writable(fiber, object, key);
  object.fields!.set(name, value);
}

/** The member, made fit for writing to its elements. An object it holds is another matter: nothing is written here then. */
export function ownMember(fiber: Fiber, object: HslObject, key: Key): Value {
  const name = usable(fiber, object, key);
  const fields = object.fields!;
  const value = fields.get(name);
  if (value instanceof HslObject) return value;
  writable(fiber, object, key);
  if (value instanceof HslArray && !value.shared) return value;
  const own = value instanceof HslArray ? value.clone() : HslArray.empty();
  fields.set(name, own);
  return own;
}

/** Like `ownMember`, but creates nothing. */
export function findMember(fiber: Fiber, object: HslObject, key: Key): Value {
  if (!hasMember(fiber, object, key)) return null;
  const value = getMember(fiber, object, key);
  return value instanceof HslArray ? ownMember(fiber, object, key) : value;
}

/** `unset(object[key])`. @returns whether it was there */
export function unsetMember(fiber: Fiber, object: HslObject, key: Key): boolean {
  const name = writable(fiber, object, key);
  return object.fields!.delete(name);
}

/** `value->name` on any value: a member, an element, or none. */
export function readMember(fiber: Fiber, value: Value, name: string): Value {
  if (value instanceof HslArray) return value.get(name) ?? null;
  return value instanceof HslObject ? getMember(fiber, value, name) : null;
}
