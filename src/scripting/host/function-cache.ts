// The store behind `cache` (hsl-language 15), in this process. An entry whose time is over stays until its place is
// needed: a call with `update_function` wants to see what it replaces. Buckets are bounded, too, since scripts name
// them.
//
// A bucket's name begins with its namespace and a line feed (lang/vm/cache.ts). Two namespaces mean something:
// `file:X` is emptied when file X changes, and `$messageid` is a store for each message.

import type { CacheEntry, Clock, FunctionCache } from '#lang';

export interface FunctionCacheOptions {
  /** The clock that entries' times are on. */
  readonly clock: Clock;
  /** Something that changes when the script file `name` does; undefined when there is no such file. */
  readonly fileStamp?: (name: string) => string | undefined;
  readonly mostBuckets?: number;
}

/** The cache of a process. */
export interface ProcessCache extends FunctionCache {
  /** The same cache as a hook of this message sees it; the message's own entries go by themselves, as the oldest. */
  forMessage(messageId: string): FunctionCache;
  /** Empties a namespace. */
  clear(namespace: string): void;
}

const MOST_BUCKETS = 10_000;
const PER_MESSAGE = '$messageid\n';

interface Bucket {
  /** In order of use, the last used at the end. */
  readonly entries: Map<string, CacheEntry>;
  /** The smallest any statement asked for. */
  size: number;
  /** No entry is over before this moment: saves looking for one. */
  firstExpiry: number;
  /** Of a `file:` namespace: the file's stamp when the bucket was last used. */
  stamp: string | undefined;
}

/** Makes an empty cache. */
export function createFunctionCache(options: FunctionCacheOptions): ProcessCache {
  return new BucketCache(options);
}

class BucketCache implements ProcessCache {
  /** In order of use, the last used at the end. */
  readonly #buckets = new Map<string, Bucket>();
  readonly #clock: Clock;
  readonly #fileStamp: (name: string) => string | undefined;
  readonly #mostBuckets: number;

  constructor({ clock, fileStamp, mostBuckets }: FunctionCacheOptions) {
    this.#clock = clock;
    this.#fileStamp = fileStamp ?? (() => undefined);
    this.#mostBuckets = mostBuckets ?? MOST_BUCKETS;
  }

  get(bucketName: string, key: string): CacheEntry | undefined {
    const bucket = this.#use(bucketName);
    const entry = bucket?.entries.get(key);
    if (bucket !== undefined && entry !== undefined) moveToEnd(bucket.entries, key, entry);
    return entry;
  }

  set(bucketName: string, key: string, entry: CacheEntry, wantedSize: number, lru: boolean): void {
    // Scripts choose the size: below 0 means 0, a bucket that keeps nothing.
    const size = Math.max(0, wantedSize);
    const bucket = this.#use(bucketName) ?? this.#addBucket(bucketName, size);
    if (size < bucket.size) bucket.size = size;
    const { entries } = bucket;
    const isNew = !entries.delete(key);
    while (entries.size > bucket.size) dropOldest(entries);
    if (entries.size >= bucket.size) {
      dropExpired(bucket, this.#clock.monotonic());
      if (entries.size >= bucket.size) {
        if (bucket.size < 1 || (isNew && !lru)) return;
        dropOldest(entries);
      }
    }
    entries.set(key, entry);
    if (entry.expires < bucket.firstExpiry) bucket.firstExpiry = entry.expires;
  }

  forMessage(messageId: string): FunctionCache {
    const named = (bucket: string) =>
      bucket.startsWith(PER_MESSAGE)
        ? `$messageid ${messageId}\n${bucket.slice(PER_MESSAGE.length)}`
        : bucket;
    return {
      get: (bucket, key) => this.get(named(bucket), key),
      set: (bucket, key, entry, size, lru) => this.set(named(bucket), key, entry, size, lru),
    };
  }

  clear(namespace: string): void {
    for (const name of this.#buckets.keys())
      if (name.startsWith(`${namespace}\n`)) this.#buckets.delete(name);
  }

  #use(name: string): Bucket | undefined {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) return undefined;
    moveToEnd(this.#buckets, name, bucket);
    const stamp = this.#stampOf(name);
    if (stamp !== bucket.stamp) {
      bucket.entries.clear();
      bucket.stamp = stamp;
    }
    return bucket;
  }

  #addBucket(name: string, size: number): Bucket {
    if (this.#buckets.size >= this.#mostBuckets) dropOldest(this.#buckets);
    const bucket = { entries: new Map(), size, firstExpiry: Infinity, stamp: this.#stampOf(name) };
    this.#buckets.set(name, bucket);
    return bucket;
  }

  #stampOf(name: string): string | undefined {
    return name.startsWith('file:') ? this.#fileStamp(name.slice(5, name.indexOf('\n'))) : undefined;
  }
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
