// The type of a value: as the word that scripts and messages use, and as a bit for quick argument checks.

import { HslArray } from './array.js';
import { HslFunction } from './function.js';
import { HslObject } from './object.js';
import type { TypeWord, Value } from './value.js';

/** One bit per type, so that a set of types is one number. */
export const TYPE_BITS = {
  none: 1,
  boolean: 2,
  number: 4,
  string: 8,
  array: 16,
  function: 32,
  object: 64,
  resource: 128,
} as const satisfies Record<TypeWord, number>;

/** All types. */
export const ANY_TYPE = 255;

/** The bit of a value's type. */
export function typeBit(value: Value): number {
  switch (typeof value) {
    case 'string':
      return TYPE_BITS.string;
    case 'number':
      return TYPE_BITS.number;
    case 'boolean':
      return TYPE_BITS.boolean;
    default:
      if (value === null) return TYPE_BITS.none;
      if (value instanceof HslArray) return TYPE_BITS.array;
      if (value instanceof HslObject) return TYPE_BITS.object;
      return value instanceof HslFunction ? TYPE_BITS.function : TYPE_BITS.resource;
  }
}

/** The word for a value's type. */
export function typeWord(value: Value): TypeWord {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    default:
      if (value === null) return 'none';
      if (value instanceof HslArray) return 'array';
      if (value instanceof HslObject) return 'object';
      return value instanceof HslFunction ? 'function' : 'resource';
  }
}
