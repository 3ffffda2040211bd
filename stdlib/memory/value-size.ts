// About how many bytes a value holds that scripts leave in the process. Strings count their bytes, arrays their elements;
// what an object or function holds behind the library's back is not seen.

import { HslArray, HslFunction, HslObject, type NativeClass, type Value } from '#lang';

/** What one element of an array takes beside its value. */
const ELEMENT_BYTES = 16;

/** Something that is not an array or a text. */
const REFERENCE_BYTES = 64;

/** Bytes of a value, what it holds twice counted once. */
export function valueBytes(value: Value): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  const seen = new Set<object>();
  const waiting: object[] = [];
  let bytes = 0;
  const visit = (held: unknown): void => {
    if (typeof held === 'string') bytes += held.length;
    else if (typeof held === 'object' && held !== null && !seen.has(held)) {
      seen.add(held);
      waiting.push(held);
    }
  };
  visit(value);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next instanceof HslArray) {
      bytes += next.length * ELEMENT_BYTES;
      for (const [key, held] of next.entries()) {
        if (typeof key === 'string') bytes += key.length;
        visit(held);
      }
      continue;
    }
    bytes += REFERENCE_BYTES;
    if (next instanceof HslObject) visitObject(next, visit);
    else if (next instanceof HslFunction) visit(next.self);
  }
  return bytes;
}

function visitObject(object: HslObject, visit: (held: unknown) => void): void {
  if (object.fields !== undefined) for (const held of object.fields.values()) visit(held);
  else for (const held of (object.classOf as NativeClass).holds?.(object.state) ?? []) visit(held);
}
