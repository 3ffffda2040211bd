// How much memory is in use, with garbage collected first.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/** Bytes of JavaScript values that something still holds. */
export function heldBytes(): number {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  // What the first round finds dead may hold something that only the second can free.
  collect();
  collect();
  // Long texts made of buffers lie outside the heap.
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
