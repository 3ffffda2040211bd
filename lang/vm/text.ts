// Joining many values at once: long concatenations and interpolated strings.

import { toText } from '../values/convert.js';
import { chargeString } from '../values/meter.js';
import { joinable } from '../values/operators.js';
import type { Fiber } from './fiber.js';

/** `a . b . c …` over the registers [from, from + count). None is refused, as by `.`. */
export function joinMany(fiber: Fiber, from: number, count: number): string {
  let text = '';
  for (let i = from; i < from + count; i++) text += joinable(fiber.registers[i]!);
  chargeString(fiber, text.length);
  return text;
}

/** An interpolated string over the registers [from, from + count): every value as by string(). */
export function template(fiber: Fiber, from: number, count: number): string {
  let text = '';
  for (let i = from; i < from + count; i++) text += toText(fiber.registers[i]!);
  chargeString(fiber, text.length);
  return text;
}
