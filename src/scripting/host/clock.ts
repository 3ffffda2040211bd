// The real clock and real random numbers.

import { randomBytes, randomFillSync } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Clock, Random } from '#lang';

/** The machine's clocks. */
export const realClock: Clock = {
  now: () => Date.now() / 1000,
  monotonic: () => performance.now() / 1000,
};

/** Numbers from one draw of the system's generator. */
const NUMBERS_PER_DRAW = 256;
const pool = new Uint32Array(NUMBERS_PER_DRAW * 2);
let next = pool.length;

/** Ids take a few bytes each: one draw serves many. No byte is given out twice. */
const LARGEST_POOLED = 64;
const bytePool = Buffer.alloc(4096);
let byteAt = bytePool.length;

/** Random numbers and bytes of cryptographic quality: scripts make tokens and boundaries of them. */
export const secureRandom: Random = {
  number() {
    if (next === pool.length) {
      randomFillSync(pool);
      next = 0;
    }
    // 53 bits, as many as a number has.
    const high = pool[next++]! >>> 5;
    const low = pool[next++]! >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  },
  bytes(count) {
    if (count > LARGEST_POOLED) return randomBytes(count).toString('latin1');
    if (byteAt + count > bytePool.length) {
      randomFillSync(bytePool);
      byteAt = 0;
    }
    byteAt += count;
    return bytePool.toString('latin1', byteAt - count, byteAt);
  },
};
