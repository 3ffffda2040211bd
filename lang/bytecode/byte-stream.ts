// Numbers and texts as bytes, for programs that are kept in a file. Integers are written in groups of seven bits, small
// ones in one byte; texts as UTF-8 with their length before them.

/** Appends to a growing buffer. */
export class ByteWriter {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** A signed integer of up to 32 bits. */
  int(value: number): void {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  bool(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
  }

  text(value: string): void {
    const bytes = encoder.encode(value);
    this.int(bytes.length);
    this.bytes(bytes);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  ints(values: ArrayLike<number>): void {
    this.int(values.length);
    for (let i = 0; i < values.length; i++) this.int(values[i]!);
  }

  list<T>(items: readonly T[], write: (item: T) => void): void {
    this.int(items.length);
    for (const item of items) write(item);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes are not what a writer made. */
export class DamagedBytes extends Error {}

/** Reads what a ByteWriter wrote. @throws DamagedBytes */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new DamagedBytes('the bytes end too early');
    return value;
  }

  int(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      if (shift > 28) throw new DamagedBytes('an integer is too long');
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  /** A length: never more than there are bytes left, so that damage cannot ask for memory. */
  count(): number {
    const value = this.int();
    if (value < 0 || value > this.#bytes.length - this.#at) throw new DamagedBytes('a length is too large');
    return value;
  }

  bool(): boolean {
    const value = this.byte();
    if (value > 1) throw new DamagedBytes('a boolean is neither true nor false');
    return value === 1;
  }

  double(): number {
    if (this.#at + 8 > this.#bytes.length) throw new DamagedBytes('the bytes end too early');
    this.#at += 8;
    return this.#view.getFloat64(this.#at - 8);
  }

  text(): string {
    const length = this.count();
    this.#at += length;
    try {
      return decoder.decode(this.#bytes.subarray(this.#at - length, this.#at));
    } catch {
      throw new DamagedBytes('a text is not UTF-8');
    }
  }

  /** Everything that has not been read. */
  rest(): Uint8Array {
    const rest = this.#bytes.subarray(this.#at);
    this.#at = this.#bytes.length;
    return rest;
  }

  ints(): Int32Array {
    const values = new Int32Array(this.count());
    for (let i = 0; i < values.length; i++) values[i] = this.int();
    return values;
  }

  list<T>(read: () => T): T[] {
    const items: T[] = [];
    for (let left = this.count(); left > 0; left--) items.push(read());
    return items;
  }
}
