// Objects and resources: the values with an identity.

import type { HslArray } from './array.js';
import type { Value } from './value.js';

/** An instance of a script class or of a native one. Two variables can hold the same object. */
export class HslObject {
  constructor(
    /** The class: the VM's own record for script classes, a NativeClass declaration for native ones. */
    readonly classOf: { readonly name: string },
    /** Script-visible variables by name; for native objects undefined. */
    readonly fields: Map<string, Value> | undefined,
    /** A native object's state; for script objects undefined. */
    readonly state: unknown,
  ) {}
}

/** An opaque library value: a compiled pattern, a key, a file behind a message. */
export class HslResource {
  constructor(
    /** What it is, in one word (`Regex`, `FileResource`); shown in messages. */
    readonly type: string,
    readonly payload: unknown,
  ) {}
}

/**
 * What a data import gives that scripts can change and that is no array: among a program's constants it stands for a value
 * that every execution makes for itself. Scripts never see it.
 */
export class FreshValue extends HslResource {
  constructor(
    type: string,
    readonly make: () => Value,
  ) {
    super(type, undefined);
  }
}

/** A value that others may hold as well: an array is marked, so that the next writer copies. Call it on what you store twice. */
export function share<T extends Value>(value: T): T {
  if (typeof value === 'object' && value !== null && 'shared' in value)
    (value as unknown as HslArray).shared = true;
  return value;
}
