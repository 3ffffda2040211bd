// g and h: the buckets in which `cache` keeps the results of calls, shown and dropped.

import { bytesToText, textToBytes } from '#lang';
import type { CacheBucket, ProcessCache } from '../../scripting/host/index.js';
import type { Operation } from '../operation.js';

/** As many as a process has. */
const MOST = 10_000;

/** Lists buckets. */
export function cacheList(cache: Pick<ProcessCache, 'list'>): Operation<undefined> {
  return {
    run() {
      const buckets: object[] = [];
      for (const bucket of cache.list()) {
        if (buckets.length === MOST) break;
        buckets.push(shown(bucket));
      }
      return { buckets };
    },
  };
}

/** Drops buckets: those of a namespace, of a function, of both, or all. */
export function cacheClear(
  cache: Pick<ProcessCache, 'clearBuckets'>,
): Operation<{ readonly namespace?: string; readonly function?: string }> {
  return {
    run({ namespace, function: functionName }) {
      const wanted = [namespace, functionName].map((word) =>
        word === undefined ? undefined : textToBytes(word),
      );
      return {
        cleared: cache.clearBuckets(
          (bucket) =>
            (wanted[0] === undefined || bucket.namespace === wanted[0]) &&
            (wanted[1] === undefined || bucket.functionName === wanted[1]),
        ),
      };
    },
  };
}

function shown(bucket: CacheBucket): object {
  const { namespace, functionName, file, mostEntries, entries, hits, misses, evicts } = bucket;
  return {
    namespace: bytesToText(namespace),
    function: bytesToText(functionName),
    file: bytesToText(file),
    // What a script asked for may be any number.
    maxsize: Math.min(Math.floor(mostEntries), Number.MAX_SAFE_INTEGER),
    size: entries,
    hits,
    misses,
    evicts,
  };
}
