// How much memory an execution's values take, roughly: strings by their bytes, arrays by their elements, whatever is held
// twice counted once. Allocations are only added up; when the sum reaches the limit this finds what is still alive, as a
// garbage collector would, so that a script may allocate without end as long as it lets go.

import type { NativeClass } from '../declare.js';
import { HslArray } from '../values/array.js';
import { HslFunction } from '../values/function.js';
import { BYTES_PER_ELEMENT } from '../values/meter.js';
import { HslObject } from '../values/object.js';
import type { Fiber } from './fiber.js';
import { GeneratorState } from './generators.js';
import { ArrayIteration } from './iteration.js';
import { Cell } from './prepared.js';

/** Strings shorter than this are taken for shared or negligible: looking each up would cost more than they do. */
const SMALL_STRING = 64;

/** Bytes of strings and arrays that the fiber's registers and globals lead to. */
export function measureMemory(fiber: Fiber): number {
  const seen = new Set<unknown>();
  const waiting: unknown[] = [];
  let bytes = 0;

  const visit = (value: unknown): void => {
    if (typeof value === 'string') {
      if (value.length < SMALL_STRING) bytes += value.length;
      else if (!seen.has(value)) {
        seen.add(value);
        bytes += value.length;
      }
    } else if (typeof value === 'object' && value !== null && !seen.has(value)) {
      seen.add(value);
      waiting.push(value);
    }
  };

  // What lies above the topmost frame is left over from calls that have returned.
  const top = fiber.frame?.top ?? 0;
  for (let register = 0; register < top; register++) visit(fiber.registers[register]);
  for (const value of fiber.instance.globals) visit(value);
  for (let frame = fiber.frame; frame !== undefined; frame = frame.previous) {
    visit(frame.object);
    visit(frame.generator);
  }
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next instanceof HslArray) {
      bytes += next.length * BYTES_PER_ELEMENT;
      for (const value of next.values()) visit(value);
    } else if (next instanceof Cell) visit(next.value);
    else if (next instanceof HslObject) visitObject(next, visit);
    else if (next instanceof HslFunction) {
      visit(next.self);
      next.captures?.forEach(visit);
    } else if (next instanceof GeneratorState) next.registers.forEach(visit);
    else if (next instanceof ArrayIteration) visit(next.array);
  }
  return bytes;
}

function visitObject(object: HslObject, visit: (value: unknown) => void): void {
  if (object.fields !== undefined) for (const value of object.fields.values()) visit(value);
  else if (object.state instanceof GeneratorState) visit(object.state);
  else for (const value of (object.classOf as NativeClass).holds?.(object.state) ?? []) visit(value);
}
