// Rate counters in this process: for every entry the moments of its latest events, so a window slides exactly.
//
// Memory is bounded per namespace and over all. Entries stand in order of use; when the namespace is full, the one unused
// for longest goes, and when all together are too large, the namespace unused for longest. An entry holds at most as many
// moments as the largest count it was asked with, in a ring that grows with the events that happened, not with the number
// somebody wrote.

import { detached } from '#lang';
import type { RateRequest, RateStore } from '../services.js';

export interface RateLimits {
  /** Bytes of one namespace, counted as keys plus 8 per event plus a fixed share per entry. */
  readonly namespaceBytes: number;
  /** Bytes of all namespaces. */
  readonly totalBytes: number;
  /** Namespaces; the one unused for longest goes. */
  readonly namespaces: number;
}

const DEFAULT_LIMITS: RateLimits = {
  namespaceBytes: 64 * 1024 * 1024,
  totalBytes: 256 * 1024 * 1024,
  namespaces: 1024,
};

/** The largest count that can be asked for: every event is kept, and this many fill half a namespace. */
export const MOST_EVENTS = 4_000_000;

/** What an entry costs beside its key and events. */
const ENTRY_BYTES = 160;

/** What the control interface lists. */
export interface RateEntry {
  readonly namespace: string;
  readonly entry: string;
  readonly count: number;
  /** The longest that was asked for: `count` is of so many seconds. */
  readonly intervalSeconds: number;
}

export function createLocalRates(limits: Partial<RateLimits> = {}): LocalRates {
  return new LocalRates({ ...DEFAULT_LIMITS, ...limits });
}

export class LocalRates implements RateStore {
  readonly #limits: RateLimits;
  readonly #namespaces = new Map<string, RateNamespace>();
  #newest: string | undefined;
  #bytes = 0;

  constructor(limits: RateLimits) {
    this.#limits = limits;
  }

  hit(request: RateRequest): boolean {
    const namespace = this.#use(request.namespace) ?? this.#add(request.namespace);
    const before = namespace.bytes;
    const isRecorded = namespace.hit(request);
    this.#bytes += namespace.bytes - before;
    while (this.#bytes > this.#limits.totalBytes && this.#namespaces.size > 1) this.#dropOldest();
    return isRecorded;
  }

  count(request: RateRequest): number {
    const events = this.#use(request.namespace)?.use(request.entry);
    return events?.within(request.nowSeconds, request.intervalSeconds) ?? 0;
  }

  /** Entries with events in the longest interval they were used with; of one namespace, or of all. */
  list(nowSeconds: number, namespace?: string): RateEntry[] {
    const all = [...this.each(nowSeconds)].filter(({ count }) => count > 0);
    return namespace === undefined ? all : all.filter((found) => found.namespace === namespace);
  }

  /**
   * The same one by one, and those without events too, so that who goes through them can let others have a turn. Entries may come and
   * go between two steps, any may be used or cleared, and each is met once: use changes their order, so theirs is that of now.
   */
  *each(nowSeconds: number): Generator<RateEntry> {
    for (const [namespace, entries] of [...this.#namespaces]) {
      for (const [entry, events] of [...entries.entries()]) {
        if (!entries.has(entry, events)) continue;
        const intervalSeconds = events.longestInterval;
        yield { namespace, entry, count: events.within(nowSeconds, intervalSeconds), intervalSeconds };
      }
    }
  }

  /** Forgets an entry, or with no entry named a whole namespace. @returns whether there was anything */
  clear(namespace: string, entry?: string): boolean {
    const entries = this.#namespaces.get(namespace);
    if (entries === undefined) return false;
    const before = entries.bytes;
    const isCleared = entry === undefined ? this.#namespaces.delete(namespace) : entries.delete(entry);
    this.#bytes -= entry === undefined ? before : before - entries.bytes;
    return isCleared;
  }

  /** Bytes of all entries, as they are counted. */
  get sizeBytes(): number {
    return this.#bytes;
  }

  /** The namespace, now the newest in order of use. */
  #use(name: string): RateNamespace | undefined {
    if (name === this.#newest) return this.#namespaces.get(name);
    const namespace = this.#namespaces.get(name);
    if (namespace === undefined) return undefined;
    // Deleted and set again: a Map keeps the order of insertion, so the first key is the one unused for longest.
    this.#namespaces.delete(name);
    this.#namespaces.set(namespace.name, namespace);
    this.#newest = namespace.name;
    return namespace;
  }

  #add(name: string): RateNamespace {
    if (this.#namespaces.size >= this.#limits.namespaces) this.#dropOldest();
    const namespace = new RateNamespace(detached(name), this.#limits.namespaceBytes);
    this.#namespaces.set(namespace.name, namespace);
    this.#newest = namespace.name;
    return namespace;
  }

  #dropOldest(): void {
    const [name, namespace] = this.#namespaces.entries().next().value!;
    this.#bytes -= namespace.bytes;
    this.#namespaces.delete(name);
  }
}

class RateNamespace {
  readonly #entries = new Map<string, EventRing>();
  readonly #mostBytes: number;
  #newest: string | undefined;
  bytes = 0;

  constructor(
    readonly name: string,
    mostBytes: number,
  ) {
    this.#mostBytes = mostBytes;
  }

  entries(): IterableIterator<[string, EventRing]> {
    return this.#entries.entries();
  }

  /** Whether these are still the entry's events. */
  has(entry: string, events: EventRing): boolean {
    return this.#entries.get(entry) === events;
  }

  /** The entry's events, now the newest in order of use. */
  use(entry: string): EventRing | undefined {
    const events = this.#entries.get(entry);
    if (events === undefined || entry === this.#newest) return events;
    this.#entries.delete(entry);
    this.#entries.set(events.entry, events);
    this.#newest = events.entry;
    return events;
  }

  hit(request: RateRequest): boolean {
    const events = this.use(request.entry) ?? this.#add(request);
    events.widen(request.count, request.intervalSeconds);
    if (events.within(request.nowSeconds, request.intervalSeconds) >= request.count) return false;
    const before = events.sizeBytes;
    events.add(request.nowSeconds);
    this.bytes += events.sizeBytes - before;
    while (this.bytes > this.#mostBytes && this.#entries.size > 1) this.#dropOldest();
    return true;
  }

  #add({ entry, nowSeconds }: RateRequest): EventRing {
    this.#dropDead(nowSeconds);
    const events = new EventRing(detached(entry));
    this.bytes += ENTRY_BYTES + entry.length + events.sizeBytes;
    this.#entries.set(events.entry, events);
    this.#newest = events.entry;
    return events;
  }

  delete(entry: string): boolean {
    const events = this.#entries.get(entry);
    if (events === undefined) return false;
    this.#entries.delete(entry);
    this.bytes -= ENTRY_BYTES + entry.length + events.sizeBytes;
    if (entry === this.#newest) this.#newest = undefined;
    return true;
  }

  #dropOldest(): void {
    this.delete(this.#entries.keys().next().value as string);
  }

  /** Each new entry pays for looking at the two oldest ones, so what nobody asks for any more goes by itself. */
  #dropDead(nowSeconds: number): void {
    for (let i = 0; i < 2; i++) {
      const oldest = this.#entries.entries().next().value;
      if (oldest === undefined || oldest[1].within(nowSeconds, oldest[1].longestInterval) > 0) return;
      this.delete(oldest[0]);
    }
  }
}

/** Moments in order, the newest `capacity` of them. */
class EventRing {
  #moments = new Float64Array(2);
  #first = 0;
  #size = 0;
  #capacity = 1;
  longestInterval = 0;

  constructor(
    /** Its key: the text that asks for it may be a part of something larger. */
    readonly entry: string,
  ) {}

  get sizeBytes(): number {
    return this.#moments.length * 8;
  }

  /** Remembers what the entry is asked for from now on. */
  widen(count: number, intervalSeconds: number): void {
    if (count > this.#capacity) this.#capacity = count;
    if (intervalSeconds > this.longestInterval) this.longestInterval = intervalSeconds;
  }

  /** Events less than `intervalSeconds` old. */
  within(nowSeconds: number, intervalSeconds: number): number {
    const since = nowSeconds - intervalSeconds;
    // Moments ascend: binary search for the first one inside.
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#at(middle) > since) high = middle;
      else low = middle + 1;
    }
    return this.#size - low;
  }

  add(nowSeconds: number): void {
    const since = nowSeconds - this.longestInterval;
    while (this.#size > 0 && (this.#at(0) <= since || this.#size >= this.#capacity)) {
      this.#first = (this.#first + 1) % this.#moments.length;
      this.#size--;
    }
    if (this.#size === this.#moments.length) this.#grow();
    this.#moments[(this.#first + this.#size) % this.#moments.length] = nowSeconds;
    this.#size++;
  }

  #at(index: number): number {
    return this.#moments[(this.#first + index) % this.#moments.length]!;
  }

  #grow(): void {
    const larger = new Float64Array(this.#moments.length * 2);
    for (let i = 0; i < this.#size; i++) larger[i] = this.#at(i);
    this.#moments = larger;
    this.#first = 0;
  }
}
