// What a script's value is in JavaScript. Numbers, booleans and none are plain; strings hold one byte per character
// (0 to 255, never more); arrays are values with copy-on-write; functions, objects and resources are references.
// `undefined` is no value: in a variable's slot it means "undeclared", in a result "not there".

import type { HslArray } from './array.js';
import type { HslFunction } from './function.js';
import type { HslObject, HslResource } from './object.js';

/** `null` is HSL's none. */
export type Value = null | boolean | number | string | HslArray | HslFunction | HslObject | HslResource;

/** The words scripts and messages use for a value's type. */
export type TypeWord =
  | 'none'
  | 'boolean'
  | 'number'
  | 'string'
  | 'array'
  | 'function'
  | 'object'
  | 'resource';
