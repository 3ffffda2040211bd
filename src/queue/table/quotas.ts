// Quotas: how many messages of each name are in the queue, and how large they are (queue-and-config 6). Only counted; what happens
// above a limit is the business of scripts. The table of messages keeps them in step: whoever is in it is counted, so they are right
// again when the spool has been read.

import { detached } from '#lang';

/** What a quota holds. */
export interface QuotaUse {
  readonly count: number;
  readonly bytes: number;
}

const NOTHING: QuotaUse = Object.freeze({ count: 0, bytes: 0 });

/** The quotas in use, by name. */
export class Quotas {
  readonly #used = new Map<string, { count: number; bytes: number }>();

  /** How many names are in use. */
  get size(): number {
    return this.#used.size;
  }

  /** Zeros for a name that is not in use. */
  of(name: string): QuotaUse {
    const used = this.#used.get(name);
    return used === undefined ? NOTHING : { ...used };
  }

  /** Name and use, in no order. */
  *list(): Generator<QuotaUse & { readonly name: string }> {
    for (const [name, used] of this.#used) yield { name, ...used };
  }

  /** A message with these names is there. A name that stands twice counts once. */
  add(names: readonly string[], sizeBytes: number): void {
    if (names.length === 0) return;
    for (const name of new Set(names)) {
      const used = this.#used.get(name);
      if (used === undefined) {
        this.#used.set(detached(name), { count: 1, bytes: sizeBytes });
      } else {
        used.count++;
        used.bytes += sizeBytes;
      }
    }
  }

  /** It is gone. */
  remove(names: readonly string[], sizeBytes: number): void {
    if (names.length === 0) return;
    for (const name of new Set(names)) {
      const used = this.#used.get(name);
      if (used === undefined) continue;
      used.count--;
      used.bytes -= sizeBytes;
      if (used.count === 0) this.#used.delete(name);
    }
  }
}
