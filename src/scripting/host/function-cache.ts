// The store behind `cache`, in this process. An entry whose time is over stays until its place is needed: a call with
// `update_function` wants to see what it replaces. Buckets are bounded, too, since scripts name them (`namespace`).

import type { CacheEntry, Clock, FunctionCache } from '#lang';

/** Namespaces can be anything, even a message's id. */
const MOST_BUCKETS = 10_000;

interface Bucket {
  /** In order of use, the last used at the end. */
  readonly entries: Map<string, CacheEntry>;
  /** The smallest any statement asked for. */
  size: number;
  /** No entry is over before this moment: saves looking for one. */
  firstExpiry: number;
}

/** Makes an empty store; `clock` is the one that entries' times are on. */
export function createFunctionCache(clock: Clock, mostBuckets = MOST_BUCKETS): FunctionCache {
  const buckets = new Map<string, Bucket>();

  const bucketFor = (name: string, size: number): Bucket => {
    const known = buckets.get(name);
    if (known !== undefined) {
      moveToEnd(buckets, name, known);
      return known;
    }
    if (buckets.size >= mostBuckets) dropOldest(buckets);
    const bucket: Bucket = { entries: new Map(), size, firstExpiry: Infinity };
    buckets.set(name, bucket);
    return bucket;
  };

  return {
    get(bucketName, key) {
      const bucket = buckets.get(bucketName);
      if (bucket === undefined) return undefined;
      // Used last: to the end of both orders.
      moveToEnd(buckets, bucketName, bucket);
      const entry = bucket.entries.get(key);
      if (entry !== undefined) moveToEnd(bucket.entries, key, entry);
      return entry;
    },

    set(bucketName, key, entry, size, lru) {
      const bucket = bucketFor(bucketName, size);
      if (size < bucket.size) bucket.size = size;
      const { entries } = bucket;
      const isNew = !entries.delete(key);
      while (entries.size > bucket.size) dropOldest(entries);
      if (entries.size >= bucket.size) {
        dropExpired(bucket, clock.monotonic());
        if (entries.size >= bucket.size) {
          if (bucket.size < 1 || (isNew && !lru)) return;
          dropOldest(entries);
        }
      }
      entries.set(key, entry);
      if (entry.expires < bucket.firstExpiry) bucket.firstExpiry = entry.expires;
    },
  };
}

function moveToEnd<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
}

function dropOldest(map: Map<string, unknown>): void {
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}

function dropExpired(bucket: Bucket, now: number): void {
  if (now < bucket.firstExpiry) return;
  let first = Infinity;
  for (const [key, { expires }] of bucket.entries) {
    if (expires <= now) bucket.entries.delete(key);
    else if (expires < first) first = expires;
  }
  bucket.firstExpiry = first;
}
