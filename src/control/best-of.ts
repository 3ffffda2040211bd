// The first so many of a long row of things in some order, without keeping or sorting the row: a heap whose top is the worst that is
// kept. A list of a million messages, sorted, costs no more at once than one step of it.

/** Keeps the `capacity` smallest; `compare` as for sort. */
export class BestOf<Item> {
  readonly #capacity: number;
  readonly #compare: (a: Item, b: Item) => number;
  readonly #heap: Item[] = [];

  constructor(capacity: number, compare: (a: Item, b: Item) => number) {
    this.#capacity = capacity;
    this.#compare = compare;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Whether it would be kept now: for who has to make it to offer it. */
  wants(item: Item): boolean {
    if (this.#heap.length < this.#capacity) return true;
    return this.#capacity > 0 && this.#compare(item, this.#heap[0]!) < 0;
  }

  /** Takes one into account. */
  offer(item: Item): void {
    if (this.#heap.length < this.#capacity) {
      this.#heap.push(item);
      this.#rise(this.#heap.length - 1);
    } else if (this.#capacity > 0 && this.#compare(item, this.#heap[0]!) < 0) {
      this.#heap[0] = item;
      this.#sink();
    }
  }

  /** Takes the worst of those that are kept out. */
  takeWorst(): Item | undefined {
    const heap = this.#heap;
    const worst = heap[0];
    const last = heap.pop();
    if (heap.length > 0) {
      heap[0] = last!;
      this.#sink();
    }
    return worst;
  }

  #rise(from: number): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#compare(heap[at]!, heap[parent]!) <= 0) return;
      [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
      at = parent;
    }
  }

  #sink(): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) return;
      if (child + 1 < heap.length && this.#compare(heap[child + 1]!, heap[child]!) > 0) child++;
      if (this.#compare(heap[child]!, heap[at]!) <= 0) return;
      [heap[at], heap[child]] = [heap[child]!, heap[at]!];
      at = child;
    }
  }
}
