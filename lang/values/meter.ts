// How operations that may make something very large ask first.

import { ScriptFault } from './script-fault.js';

/** Counts what an execution allocates. */
export interface Meter {
  /** Counts bytes about to be allocated; throws when the execution may not have that many. */
  charge(bytes: number): void;
}

/** Bytes that one element of an array counts for. */
export const BYTES_PER_ELEMENT = 16;

/** Neither the JavaScript engine nor a mail server is well with more than this in one value. */
const MAX_STRING_BYTES = 2 ** 29 - 25;
const MAX_ELEMENTS = 2 ** 26;

/** Refuses what no string can hold, counts the rest. */
export function chargeString(meter: Meter, bytes: number): void {
  if (bytes > MAX_STRING_BYTES)
    throw new ScriptFault(`the string would have ${bytes} bytes; a string has at most ${MAX_STRING_BYTES}`);
  meter.charge(bytes);
}

/** Refuses what no array can hold, counts the rest. */
export function chargeElements(meter: Meter, elements: number): void {
  if (elements > MAX_ELEMENTS)
    throw new ScriptFault(`the array would have ${elements} elements; an array has at most ${MAX_ELEMENTS}`);
  meter.charge(elements * BYTES_PER_ELEMENT);
}
