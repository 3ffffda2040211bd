// Answers that still hold, the least used forgotten first. A hit is one look-up in a Map and no promise.

import { detached } from '#lang';
import type { DnsAnswer } from './resolver.js';

interface Entry {
  /** A text of its own: the name that asks may be a part of a message. */
  readonly key: string;
  readonly answer: DnsAnswer;
  readonly storedAtMs: number;
  readonly expiresAtMs: number;
  readonly sizeBytes: number;
  /** What was handed out last, with TTLs `shownAgeSeconds` lower. */
  shown: DnsAnswer;
  shownAgeSeconds: number;
  /** How many answers had come into the cache when this one was used last. */
  usedAt: number;
}

/** What an entry may take on average; many large ones push out more than their number. */
const AVERAGE_BYTES = 2048;
/** Map, key and entry. */
const ENTRY_BYTES = 256;

/** Since the start, except `size`. */
export interface CacheCounters {
  readonly size: number;
  readonly hits: number;
  readonly expires: number;
  readonly evicts: number;
}

/** A cache of at most `capacity` answers; 0 keeps nothing. */
export class AnswerCache {
  readonly #capacity: number;
  readonly #mostBytes: number;
  /** In the order of use: the first is the next to go. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #stored = 0;
  #hits = 0;
  #expires = 0;
  #evicts = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#mostBytes = capacity * AVERAGE_BYTES;
  }

  get counters(): CacheCounters {
    return {
      size: this.#entries.size,
      hits: this.#hits,
      expires: this.#expires,
      evicts: this.#evicts,
    };
  }

  /** The answer with the TTLs that are left. */
  get(key: string, nowMs: number): DnsAnswer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAtMs <= nowMs) {
      this.#drop(key, entry);
      this.#expires++;
      return undefined;
    }
    this.#hits++;
    // Its place in the order matters only once another answer has come in.
    if (entry.usedAt !== this.#stored) {
      this.#entries.delete(key);
      this.#entries.set(entry.key, entry);
      entry.usedAt = this.#stored;
    }
    const ageSeconds = Math.floor((nowMs - entry.storedAtMs) / 1000);
    if (ageSeconds !== entry.shownAgeSeconds) {
      entry.shown = aged(entry.answer, ageSeconds);
      entry.shownAgeSeconds = ageSeconds;
    }
    return entry.shown;
  }

  /** Remembers an answer for a while; 0 seconds is not at all. `sizeBytes`: of the message it came in. */
  set(key: string, answer: DnsAnswer, lifetimeSeconds: number, sizeBytes: number, nowMs: number): void {
    const old = this.#entries.get(key);
    if (old !== undefined) this.#drop(key, old);
    if (!(lifetimeSeconds > 0) || this.#capacity === 0) return;
    const entry: Entry = {
      key: detached(key),
      answer,
      storedAtMs: nowMs,
      expiresAtMs: nowMs + lifetimeSeconds * 1000,
      sizeBytes: sizeBytes + ENTRY_BYTES,
      shown: answer,
      shownAgeSeconds: 0,
      usedAt: ++this.#stored,
    };
    this.#entries.set(entry.key, entry);
    this.#bytes += entry.sizeBytes;
    for (const [oldest, one] of this.#entries) {
      if (this.#entries.size <= this.#capacity && this.#bytes <= this.#mostBytes) break;
      this.#drop(oldest, one);
      this.#evicts++;
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  #drop(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.sizeBytes;
  }
}

function aged(answer: DnsAnswer, ageSeconds: number): DnsAnswer {
  if (answer.kind !== 'records') return answer;
  const records = answer.records.map((record) => ({
    ...record,
    ttlSeconds: Math.max(record.ttlSeconds - ageSeconds, 0),
  }));
  return { ...answer, records };
}
