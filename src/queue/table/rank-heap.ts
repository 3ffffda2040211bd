// Things by rank, the lowest first: a binary heap in which each thing knows its place, so that it can be moved or taken out.

/** What has a rank. */
export interface Ranked {
  rank: number;
  /** Where it is in its heap; the heap's own affair. */
  place: number;
}

/** Things by rank. */
export class RankHeap<T extends Ranked> {
  readonly #items: T[] = [];

  get first(): T | undefined {
    return this.#items[0];
  }

  get size(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  remove(item: T): void {
    const last = this.#items.pop()!;
    if (last === item) return;
    this.#put(last, item.place);
    this.moved(last);
  }

  /** The rank of an item has changed. */
  moved(item: T): void {
    this.#rise(item, item.place);
    this.#sink(item, item.place);
  }

  #put(item: T, at: number): void {
    this.#items[at] = item;
    item.place = at;
  }

  #rise(item: T, from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const other = this.#items[parent]!;
      if (other.rank <= item.rank) break;
      this.#put(other, at);
      at = parent;
    }
    this.#put(item, at);
  }

  #sink(item: T, from: number): void {
    const items = this.#items;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]!.rank < items[child]!.rank) child++;
      const other = items[child]!;
      if (other.rank >= item.rank) break;
      this.#put(other, at);
      at = child;
    }
    this.#put(item, at);
  }
}
