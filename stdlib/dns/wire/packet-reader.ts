// Reads the parts of a DNS message, and nothing beyond them: every step is checked against the message's end, and a name
// costs at most 127 labels and a few jumps, so that no message is slow to read. dns-packet, which writes our questions,
// is not used to read answers: it joins labels without escaping the dots inside them (a label "a.b" would pass as two),
// reads them as UTF-8, and follows chains of pointers of any length in sections that nobody looks at.

/** The bytes are no DNS message, or one that nobody would send in good faith. */
export class PacketProblem extends Error {}

const HEADER_BYTES = 12;
/** 255 bytes with all lengths and the root (RFC 1035 §2.3.4). */
const LONGEST_NAME_BYTES = 255;
/** A name that was compressed well needs one; chains of a few exist. */
const MOST_JUMPS = 16;

/** A place in a message that moves on as it is read. */
export class PacketReader {
  readonly #bytes: Buffer;
  #at: number;
  #end: number;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  uint8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  /** The next `count` bytes; they are not copied. */
  bytes(count: number): Buffer {
    const start = this.#take(count);
    return this.#bytes.subarray(start, start + count);
  }

  /** A length and so many bytes (RFC 1035 §3.3), one per character. */
  text(): string {
    return this.bytes(this.uint8()).toString('latin1');
  }

  /** All that is left, one byte per character. */
  rest(): string {
    return this.bytes(this.left).toString('latin1');
  }

  /** A reader of the next `count` bytes, which are skipped here. Names in it may point to all that came before. */
  part(count: number): PacketReader {
    const start = this.#take(count);
    return new PacketReader(this.#bytes, start, start + count);
  }

  skip(count: number): void {
    this.#take(count);
  }

  /** A domain name without the final dot; the root is ''. */
  name(): string {
    let text = '';
    let length = 1;
    let jumps = 0;
    let at = this.#at;
    let end = this.#end;
    // Pointers lead backwards, each to before the place the last one led to (RFC 1035 §4.1.4): no loop is possible.
    let lowest = at;
    for (;;) {
      if (at >= end) throw new PacketProblem('a name runs beyond its end');
      const size = this.#bytes[at]!;
      if (size >= 0xc0) {
        if (at + 1 >= end) throw new PacketProblem('a name runs beyond its end');
        const target = ((size & 0x3f) << 8) | this.#bytes[at + 1]!;
        if (jumps === 0) this.#at = at + 2;
        if (++jumps > MOST_JUMPS || target >= lowest || target < HEADER_BYTES)
          throw new PacketProblem('a name points to no earlier name');
        lowest = target;
        at = target;
        end = this.#bytes.length;
        continue;
      }
      if (size > 63) throw new PacketProblem(`a label begins with the unknown byte ${size}`);
      if (size === 0) {
        if (jumps === 0) this.#at = at + 1;
        return text;
      }
      length += size + 1;
      if (length > LONGEST_NAME_BYTES) throw new PacketProblem('a name has more than 255 bytes');
      if (at + 1 + size > end) throw new PacketProblem('a label runs beyond its end');
      const label = this.#bytes.toString('latin1', at + 1, at + 1 + size);
      text = text === '' ? escapeLabel(label) : `${text}.${escapeLabel(label)}`;
      at += size + 1;
    }
  }

  #take(count: number): number {
    const start = this.#at;
    if (start + count > this.#end) throw new PacketProblem(`${count} more bytes were expected`);
    this.#at = start + count;
    return start;
  }
}

const PLAIN_LABEL = /^[\x21-\x2d\x2f-\x5b\x5d-\x7e]*$/;

/** As RFC 1035 §5.1 writes labels: no byte of them can be taken for a dot, a blank or a control character. */
function escapeLabel(label: string): string {
  if (PLAIN_LABEL.test(label)) return label;
  return label.replace(/[^\x21-\x2d\x2f-\x5b\x5d-\x7e]/g, (byte) =>
    byte === '.' || byte === '\\' ? `\\${byte}` : `\\${String(byte.charCodeAt(0)).padStart(3, '0')}`,
  );
}
