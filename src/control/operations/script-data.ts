// What scripts keep in the process (control-api 4.7): shared memory, cached calls, counted rates.

import type { ProcessCache } from '../../scripting/host/index.js';
import type { Operation } from '../operation.js';
import { cacheClear, cacheList } from './hsl-cache.js';
import { HslMemory, type MemoryParts } from './hsl-memory.js';
import { type KeptRates, rateClear, rateList } from './hsl-rate.js';

/** Where it is kept. */
export interface ScriptData extends MemoryParts {
  readonly cache: Pick<ProcessCache, 'list' | 'clearBuckets'>;
  readonly rates: KeptRates;
  /** Seconds that only go forward: those that rates are counted by. */
  readonly monotonic: () => number;
}

/** Their operations. */
export function scriptData(
  data: ScriptData,
): Readonly<Record<'g' | 'h' | 'i' | 'j' | 'y' | 'z' | 'A' | 'K', Operation>> {
  const memory = new HslMemory(data);
  return {
    g: cacheList(data.cache),
    h: cacheClear(data.cache),
    i: rateList(data.rates, data.monotonic),
    j: rateClear(data.rates, data.monotonic),
    y: { run: (request: Parameters<HslMemory['fetch']>[0]) => memory.fetch(request) },
    z: { run: (request: Parameters<HslMemory['store']>[0], caller) => memory.store(request, caller) },
    A: { run: (request: Parameters<HslMemory['delete']>[0], caller) => memory.delete(request, caller) },
    K: { run: (request: Parameters<HslMemory['list']>[0], caller) => memory.list(request, caller) },
  };
}
