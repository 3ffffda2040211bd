// The store behind `cache` (hsl-language 15), in this process. An entry whose time is over stays until its place is
// needed: a call with `update_function` wants to see what it replaces. Buckets are bounded, too, since scripts name
// them, and so are the bytes of all entries, since peers fill them.
//
// A bucket's name begins with its namespace and a line feed (lang/vm/cache.ts). Two namespaces mean something:
// `file:X` is emptied when file X changes, and `$messageid` is a store for each message.

import { type CacheEntry, type Clock, detached, type FunctionCache } from '#lang';
import { detachedValue, valueBytes } from '#stdlib';
import { ExpiryQueue } from './expiry-queue.js';

export interface FunctionCacheOptions {
  /** The clock that entries' times are on. */
  readonly clock: Clock;
  /** Something that changes when the script file `name` does; undefined when there is no such file. */
  readonly fileStamp?: (name: string) => string | undefined;
  readonly mostBuckets?: number;
  /** Bytes of all keys and values, with a fixed share per entry. */
  readonly mostBytes?: number;
}

/** The cache of a process. */
export interface ProcessCache extends FunctionCache {
  /** The same cache as a hook of this message sees it; the message's own entries go by themselves, as the oldest. */
  forMessage(messageId: string): FunctionCache;
  /** Empties a namespace. */
  clear(namespace: string): void;
  /** The buckets, the last used first. */
  list(): Iterable<CacheBucket>;
  /** Drops the buckets that fit. @returns how many those were */
  clearBuckets(fits: (bucket: CacheBucket) => boolean): number;
}

/** A bucket as it is shown. Its words are bytes. */
export interface CacheBucket {
  readonly namespace: string;
  readonly functionName: string;
  /** The file of the function; empty for what is no function of a script. */
  readonly file: string;
  /** Entries that fit into it. */
  readonly mostEntries: number;
  readonly entries: number;
  readonly hits: number;
  readonly misses: number;
  /** Entries that went for others. */
  readonly evicts: number;
}

const MOST_BUCKETS = 10_000;
const MOST_BYTES = 256 * 1024 * 1024;
/** What an entry costs beside its key and value. */
const ENTRY_BYTES = 200;
const PER_MESSAGE = '$messageid\n';

interface HeldEntry {
  /** A text of its own, as the texts in the value: what a script caches may be a part of a message. */
  readonly key: string;
  readonly entry: CacheEntry;
  readonly bytes: number;
}

interface Bucket {
  readonly name: string;
  /** In order of use, the last used at the end. */
  readonly entries: Map<string, HeldEntry>;
  readonly expiries: ExpiryQueue;
  /** The smallest any statement asked for. */
  size: number;
  /** Of a `file:` namespace: the file's stamp when the bucket was last used. */
  stamp: string | undefined;
  hits: number;
  misses: number;
  evicts: number;
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
  readonly #mostBytes: number;
  #bytes = 0;

  constructor({ clock, fileStamp, mostBuckets, mostBytes }: FunctionCacheOptions) {
    this.#clock = clock;
    this.#fileStamp = fileStamp ?? (() => undefined);
    this.#mostBuckets = mostBuckets ?? MOST_BUCKETS;
    this.#mostBytes = mostBytes ?? MOST_BYTES;
  }

  get(bucketName: string, key: string): CacheEntry | undefined {
    const bucket = this.#use(bucketName);
    const held = bucket?.entries.get(key);
    if (bucket === undefined) return undefined;
    if (held === undefined) {
      bucket.misses++;
      return undefined;
    }
    // One whose time is over is called for anew.
    if (held.entry.expires > this.#clock.monotonic()) bucket.hits++;
    else bucket.misses++;
    moveToEnd(bucket.entries, held.key, held);
    return held.entry;
  }

  set(bucketName: string, key: string, entry: CacheEntry, wantedSize: number, lru: boolean): void {
    // Scripts choose the size: below 0 means 0, a bucket that keeps nothing.
    const size = Math.max(0, wantedSize);
    const bucket = this.#use(bucketName) ?? this.#addBucket(bucketName, size);
    if (size < bucket.size) bucket.size = size;
    const { entries } = bucket;
    const isNew = !this.#drop(bucket, key);
    while (entries.size > bucket.size) this.#dropOldest(bucket);
    if (entries.size >= bucket.size) {
      this.#dropExpired(bucket);
      if (entries.size >= bucket.size) {
        if (bucket.size < 1 || (isNew && !lru)) return;
        this.#dropOldest(bucket);
      }
    }
    const bytes = ENTRY_BYTES + key.length + valueBytes(entry.value);
    if (bytes > this.#mostBytes) return;
    const held: HeldEntry = {
      key: detached(key),
      entry: { value: detachedValue(entry.value), expires: entry.expires },
      bytes,
    };
    entries.set(held.key, held);
    this.#bytes += bytes;
    if (bucket.expiries.size > 2 * entries.size + 16) requeue(bucket);
    else bucket.expiries.add(held.key, entry.expires);
    this.#makeRoom();
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
    for (const [name, bucket] of this.#buckets)
      if (name.startsWith(`${namespace}\n`)) this.#dropBucket(name, bucket);
  }

  *list(): Generator<CacheBucket> {
    for (const bucket of [...this.#buckets.values()].reverse()) yield shown(bucket);
  }

  clearBuckets(fits: (bucket: CacheBucket) => boolean): number {
    let cleared = 0;
    for (const [name, bucket] of this.#buckets) {
      if (!fits(shown(bucket))) continue;
      this.#dropBucket(name, bucket);
      cleared++;
    }
    return cleared;
  }

  #use(name: string): Bucket | undefined {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) return undefined;
    moveToEnd(this.#buckets, bucket.name, bucket);
    const stamp = this.#stampOf(name);
    if (stamp !== bucket.stamp) {
      this.#empty(bucket);
      bucket.stamp = stamp;
    }
    return bucket;
  }

  #addBucket(name: string, size: number): Bucket {
    if (this.#buckets.size >= this.#mostBuckets) this.#dropBucket(...oldestOf(this.#buckets));
    const bucket: Bucket = {
      name: detached(name),
      entries: new Map(),
      expiries: new ExpiryQueue(),
      size,
      stamp: this.#stampOf(name),
      hits: 0,
      // The call that made it has found nothing.
      misses: 1,
      evicts: 0,
    };
    this.#buckets.set(bucket.name, bucket);
    return bucket;
  }

  #stampOf(name: string): string | undefined {
    return name.startsWith('file:') ? this.#fileStamp(name.slice(5, name.indexOf('\n'))) : undefined;
  }

  /** Entries of the buckets used least lately go until all that is left may stay. */
  #makeRoom(): void {
    while (this.#bytes > this.#mostBytes) {
      const [name, bucket] = oldestOf(this.#buckets);
      if (bucket.entries.size === 0) this.#buckets.delete(name);
      else this.#dropOldest(bucket);
    }
  }

  #drop(bucket: Bucket, key: string): boolean {
    const held = bucket.entries.get(key);
    if (held === undefined) return false;
    this.#bytes -= held.bytes;
    return bucket.entries.delete(key);
  }

  #dropOldest(bucket: Bucket): void {
    bucket.evicts++;
    this.#drop(bucket, oldestOf(bucket.entries)[0]);
  }

  #dropExpired(bucket: Bucket): void {
    const now = this.#clock.monotonic();
    for (let key = bucket.expiries.take(now); key !== undefined; key = bucket.expiries.take(now)) {
      const held = bucket.entries.get(key);
      if (held !== undefined && held.entry.expires <= now) this.#drop(bucket, key);
    }
  }

  #dropBucket(name: string, bucket: Bucket): void {
    this.#empty(bucket);
    this.#buckets.delete(name);
  }

  #empty(bucket: Bucket): void {
    for (const { bytes } of bucket.entries.values()) this.#bytes -= bytes;
    bucket.entries.clear();
    bucket.expiries.clear();
  }
}

/** The name is the namespace, the file if there is one, and the function, a line each. */
function shown({ name, entries, size, hits, misses, evicts }: Bucket): CacheBucket {
  const [first, last] = [name.indexOf('\n'), name.lastIndexOf('\n')];
  return {
    namespace: name.slice(0, first),
    functionName: name.slice(last + 1),
    file: first === last ? '' : name.slice(first + 1, last),
    mostEntries: size,
    entries: entries.size,
    hits,
    misses,
    evicts,
  };
}

function moveToEnd<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
}

/** Of a map that is not empty. */
function oldestOf<V>(map: Map<string, V>): [string, V] {
  return map.entries().next().value!;
}

/** Forgets the times that no entry has any more. */
function requeue(bucket: Bucket): void {
  bucket.expiries.clear();
  for (const [key, { entry }] of bucket.entries) bucket.expiries.add(key, entry.expires);
}
