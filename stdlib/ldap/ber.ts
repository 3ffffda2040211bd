// Reads BER as LDAP uses it (RFC 4511 §5.1): definite lengths, one-byte tags. Every element lies inside its parent, or the
// message is refused; reading goes forward only.

/** A message that is no LDAP. */
export class BerError extends Error {}

export interface Element {
  readonly tag: number;
  readonly value: Buffer;
}

/** The whole length of the element that begins `bytes`, or undefined when too little of it is there to tell. */
export function elementLength(bytes: Buffer): number | undefined {
  const first = bytes[1];
  if (first === undefined) return undefined;
  if (first < 0x80) return 2 + first;
  const count = first & 0x7f;
  if (count === 0) throw new BerError('a length without end');
  if (count > 4) throw new BerError(`a length of ${count} bytes`);
  if (bytes.length < 2 + count) return undefined;
  return 2 + count + bytes.readUIntBE(2, count);
}

/** The elements of a constructed value, in order; they fill it. */
export class BerSequence {
  #at = 0;

  constructor(readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.#at >= this.bytes.length;
  }

  /** The tag of the next element. */
  get nextTag(): number | undefined {
    return this.bytes[this.#at];
  }

  /** The next element, which must have the tag if one is given. @throws BerError */
  next(tag?: number): Element {
    const rest = this.bytes.subarray(this.#at);
    const found = rest[0];
    const length = elementLength(rest);
    if (found === undefined || length === undefined || length > rest.length)
      throw new BerError('an element that does not end where it says');
    if (tag !== undefined && found !== tag)
      throw new BerError(`tag 0x${found.toString(16)} where 0x${tag.toString(16)} belongs`);
    this.#at += length;
    const header = length <= 129 && rest[1]! < 0x80 ? 2 : 2 + (rest[1]! & 0x7f);
    return { tag: found, value: rest.subarray(header, length) };
  }

  /** The next element as a sequence. */
  sequence(tag = 0x30): BerSequence {
    return new BerSequence(this.next(tag).value);
  }

  /** The next element as text, one character per byte. */
  text(tag = 0x04): string {
    return this.next(tag).value.toString('latin1');
  }

  /** The next element as a number of at most four bytes, as INTEGER or ENUMERATED. */
  integer(tag = 0x02): number {
    const { value } = this.next(tag);
    if (value.length === 0 || value.length > 4) throw new BerError(`a number of ${value.length} bytes`);
    return value.readIntBE(0, value.length);
  }
}
