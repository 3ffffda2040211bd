// Which keys are over, without looking at those that are not: a binary heap by the moment they end. A key that was given a
// new time leaves its old one behind; whoever takes it checks, and rebuilds the queue when too many are left.

interface Expiry {
  readonly key: string;
  readonly at: number;
}

export class ExpiryQueue {
  #heap: Expiry[] = [];

  get size(): number {
    return this.#heap.length;
  }

  add(key: string, at: number): void {
    const heap = this.#heap;
    const added = { key, at };
    let index = heap.push(added) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (heap[parent]!.at <= at) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = added;
  }

  /** Takes the key that was over first, if any is at `now`. */
  take(now: number): string | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.at > now) return undefined;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    return first.key;
  }

  clear(): void {
    this.#heap = [];
  }

  /** Puts an element at the top and lets it down to its place. */
  #sink(moved: Expiry): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++;
      if (heap[child]!.at >= moved.at) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = moved;
  }
}
