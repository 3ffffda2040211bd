// What one call may make, however large the numbers in a script or the data of a peer are. V8 ends the process when a
// string or array outgrows it, so every builtin whose result can be much larger than its arguments asks here first.

import { type CallContext, ScriptFault } from '#lang';

/** The longest text one builtin makes: 256 MiB, half of what V8 can hold. */
export const LONGEST_TEXT_BYTES = 256 * 1024 * 1024;

/** The most elements one builtin puts into a new array. */
export const MOST_ELEMENTS = 16 * 1024 * 1024;

/** How deep json and yaml may nest. */
export const DEEPEST_NESTING = 512;

/** Counts a text of `bytes` that `name` is about to make. @throws ScriptFault when it would be too long */
export function reserveText(ctx: CallContext, name: string, bytes: number): void {
  if (!(bytes <= LONGEST_TEXT_BYTES)) {
    throw new ScriptFault(
      `${name}: the result would have ${bytes} bytes; at most ${LONGEST_TEXT_BYTES} are possible`,
    );
  }
  ctx.charge(bytes);
}

/** Counts `more` bytes of a text that grows piece by piece and has `size` already. @throws ScriptFault when it would be too long */
export function reserveMore(ctx: CallContext, name: string, size: number, more: number): void {
  if (size + more > LONGEST_TEXT_BYTES) reserveText(ctx, name, size + more);
  ctx.charge(more);
}

/** Counts an array of `count` elements that `name` is about to make. @throws ScriptFault when there would be too many */
export function reserveElements(ctx: CallContext, name: string, count: number): void {
  if (!(count <= MOST_ELEMENTS)) {
    throw new ScriptFault(
      `${name}: the result would have ${count} elements; at most ${MOST_ELEMENTS} are possible`,
    );
  }
  ctx.charge(count * 16);
}

/** Counts what `name` makes piece by piece: memory, and elements up to MOST_ELEMENTS. The function throws beyond. */
export function elementsReserver(ctx: CallContext, name: string): (bytes: number, elements: number) => void {
  let total = 0;
  return (bytes, elements) => {
    total += elements;
    if (total > MOST_ELEMENTS)
      throw new ScriptFault(`${name}: the result would have more than ${MOST_ELEMENTS} elements`);
    ctx.charge(bytes);
  };
}
