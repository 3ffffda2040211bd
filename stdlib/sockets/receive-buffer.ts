// Bytes that have come and that nobody has asked for yet: a queue of chunks, cut only where somebody takes from it.

export class ReceiveBuffer {
  #chunks: Buffer[] = [];
  /** How much of the first chunk is gone. */
  #gone = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The buffer is kept, not copied. */
  append(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The first `count` bytes, or all there are when there are fewer; they stay. */
  peek(count: number): Buffer {
    const wanted = Math.min(count, this.#length);
    const first = this.#chunks[0];
    if (first === undefined || wanted === 0) return Buffer.alloc(0);
    if (first.length - this.#gone >= wanted) return first.subarray(this.#gone, this.#gone + wanted);
    const parts: Buffer[] = [first.subarray(this.#gone)];
    let have = first.length - this.#gone;
    for (let i = 1; have < wanted; i++) {
      const part = this.#chunks[i]!.subarray(0, wanted - have);
      parts.push(part);
      have += part.length;
    }
    return Buffer.concat(parts, wanted);
  }

  /** The first `count` bytes, or all there are when there are fewer; they are gone then. */
  take(count: number): Buffer {
    const taken = this.peek(count);
    this.#length -= taken.length;
    let left = taken.length;
    let whole = 0;
    while (left > 0) {
      const rest = this.#chunks[whole]!.length - this.#gone;
      if (left < rest) {
        this.#gone += left;
        break;
      }
      left -= rest;
      this.#gone = 0;
      whole++;
    }
    if (whole > 0) this.#chunks.splice(0, whole);
    return taken;
  }

  clear(): void {
    this.#chunks = [];
    this.#gone = 0;
    this.#length = 0;
  }
}
