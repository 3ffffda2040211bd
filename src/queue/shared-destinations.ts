// Next hops that come again and again, kept once: when a hundred thousand messages wait for one host, each would have its own list of
// that host's addresses otherwise.

import type { Destination } from '../delivery/deliverer.js';

/** So many are known, and up to as many more from before. */
const REMEMBERED = 2000;

/** Gives equal destinations that come close together as one object. */
export class SharedDestinations {
  #recent = new Map<string, Destination>();
  #before = new Map<string, Destination>();

  /** The same destination. */
  share(destination: Destination): Destination {
    const key = JSON.stringify(destination);
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const known = this.#before.get(key) ?? destination;
    if (this.#recent.size >= REMEMBERED) {
      this.#before = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, known);
    return known;
  }
}
