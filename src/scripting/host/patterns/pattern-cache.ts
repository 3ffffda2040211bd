// Compiled patterns by source and flags, a bounded number of them. Two generations instead of a list in order of use:
// what was not asked for during one generation is dropped with the next.

import type { CompiledPattern } from '#lang';

/** A long pattern takes the room of several. */
const BYTES_PER_PLACE = 256;

/** Keeps about `places` patterns, those used last. */
export class PatternCache {
  readonly #placesPerGeneration: number;
  #young = new Map<string, CompiledPattern>();
  #old = new Map<string, CompiledPattern>();
  #used = 0;

  constructor(places: number) {
    this.#placesPerGeneration = Math.max(1, places / 2);
  }

  get(source: string, flags: string): CompiledPattern | undefined {
    const key = keyOf(source, flags);
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    // Under its own text, not the one that asks: that may be a part of something larger.
    if (old !== undefined) this.#add(keyOf(old.source, old.flags), old);
    return old;
  }

  set(pattern: CompiledPattern): void {
    this.#add(keyOf(pattern.source, pattern.flags), pattern);
  }

  /** How many patterns are held at the moment. */
  get size(): number {
    let size = this.#young.size;
    for (const key of this.#old.keys()) if (!this.#young.has(key)) size++;
    return size;
  }

  #add(key: string, pattern: CompiledPattern): void {
    const places = 1 + pattern.source.length / BYTES_PER_PLACE;
    // One that would fill a generation by itself is not worth all the others.
    if (places > this.#placesPerGeneration) return;
    if (this.#used + places > this.#placesPerGeneration) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#used = 0;
    }
    this.#young.set(key, pattern);
    this.#used += places;
  }
}

/** No flag is a slash, so the first slash ends the flags. */
function keyOf(source: string, flags: string): string {
  return `${flags}/${source}`;
}
