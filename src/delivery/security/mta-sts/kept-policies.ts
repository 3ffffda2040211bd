// The policies in memory, in the order of their use: the first is the next to go. Bounded by their number and by their bytes, as
// domains may have policies of 64 KiB, and what does not fit here is not written to disk either (store.ts reads no larger file).

import type { KeptPolicy } from './store.js';

/** In JSON; a policy of two hosts has some 200. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Policies by domain. */
export class KeptPolicies {
  readonly #capacity: number;
  readonly #byDomain = new Map<string, { readonly kept: KeptPolicy; readonly bytes: number }>();
  #bytes = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The policy of a domain, which counts as used now. */
  use(domain: string): KeptPolicy | undefined {
    const entry = this.#byDomain.get(domain);
    if (entry === undefined) return undefined;
    this.#byDomain.delete(domain);
    this.#byDomain.set(domain, entry);
    return entry.kept;
  }

  /** Keeps one, in the place of the domain's older one; those that were not used for longest make room. */
  keep(kept: KeptPolicy): void {
    this.drop(kept.domain);
    const bytes = JSON.stringify(kept).length;
    this.#byDomain.set(kept.domain, { kept, bytes });
    this.#bytes += bytes;
    for (const domain of this.#byDomain.keys()) {
      if (this.#byDomain.size <= this.#capacity && this.#bytes <= MOST_BYTES) return;
      this.drop(domain);
    }
  }

  /** Forgets one. */
  drop(domain: string): void {
    const entry = this.#byDomain.get(domain);
    if (entry === undefined) return;
    this.#byDomain.delete(domain);
    this.#bytes -= entry.bytes;
  }

  /** All of them. */
  all(): KeptPolicy[] {
    return Array.from(this.#byDomain.values(), ({ kept }) => kept);
  }
}
