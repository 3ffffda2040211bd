// Reads ASN.1 in DER, and in BER as mail programs write it (unknown lengths, texts in pieces). An element is looked into
// when somebody asks for it, so a list of a million entries costs nothing until it is walked. X.690 §8 and §10.

/** The bytes are no ASN.1, or another structure than expected. Caught where the outermost structure is read. */
export class MalformedDer extends Error {}

/** How deep elements of unknown length may nest; known lengths cost nothing to skip. */
const DEEPEST_NESTING = 32;

/** Identifier octets of the universal types that we meet. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The identifier octet of `[number]`, constructed unless `primitive`. */
export const context = (number: number, primitive = false): number => (primitive ? 0x80 : 0xa0) | number;

const CONSTRUCTED = 0x20;

/** One element: identifier, length, content. */
export class DerElement {
  constructor(
    readonly bytes: Buffer,
    /** The identifier octet: class, constructed or not, number. */
    readonly tag: number,
    readonly start: number,
    readonly contentStart: number,
    readonly contentEnd: number,
    /** Behind the element, the end mark of an unknown length included. */
    readonly end: number,
  ) {}

  /** The content; for a constructed element its elements as they are written. */
  get content(): Buffer {
    return this.bytes.subarray(this.contentStart, this.contentEnd);
  }

  /** The whole element. */
  get raw(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }

  get isConstructed(): boolean {
    return (this.tag & CONSTRUCTED) !== 0;
  }

  /** The elements inside, one by one. */
  *children(): Generator<DerElement, undefined> {
    if (!this.isConstructed) throw new MalformedDer('no elements inside');
    for (let at = this.contentStart; at < this.contentEnd; ) {
      const child = readElement(this.bytes, at, this.contentEnd);
      yield child;
      at = child.end;
    }
    return undefined;
  }

  /** The elements inside, in order; for structures, which have few. */
  fields(): Fields {
    return new Fields(this);
  }

  /** The only element inside. */
  inner(): DerElement {
    const child = readElement(this.bytes, this.contentStart, this.contentEnd);
    if (!this.isConstructed || child.end !== this.contentEnd) throw new MalformedDer('expected one element');
    return child;
  }

  /** @throws MalformedDer unless the element has this identifier */
  expect(tag: number): this {
    if (this.tag !== tag)
      throw new MalformedDer(`expected ${tag.toString(16)}, found ${this.tag.toString(16)}`);
    return this;
  }
}

/** The elements of a structure, taken from the first to the last. */
export class Fields {
  readonly #of: DerElement;
  #at: number;

  constructor(of: DerElement) {
    if (!of.isConstructed) throw new MalformedDer('no structure');
    this.#of = of;
    this.#at = of.contentStart;
  }

  /** Whether there is one more. */
  get hasNext(): boolean {
    return this.#at < this.#of.contentEnd;
  }

  /** The next one. @throws MalformedDer when there is none, or one with another tag */
  next(tag?: number): DerElement {
    const element = readElement(this.#of.bytes, this.#at, this.#of.contentEnd);
    if (tag !== undefined) element.expect(tag);
    this.#at = element.end;
    return element;
  }

  /** @throws MalformedDer when there is one more: what nobody reads must not hide there */
  end(): void {
    if (this.hasNext) throw new MalformedDer('more elements than there should be');
  }

  /** The next one if it has one of these tags. */
  optional(...tag: readonly number[]): DerElement | undefined {
    if (!this.hasNext || !tag.includes(this.#of.bytes[this.#at]!)) return undefined;
    return this.next();
  }
}

/** Reads the element at `at`, which may reach up to `end`. @throws MalformedDer */
export function readElement(bytes: Buffer, at = 0, end = bytes.length, depth = 0): DerElement {
  if (at + 2 > end) throw new MalformedDer('too short');
  const tag = bytes[at]!;
  if ((tag & 0x1f) === 0x1f) throw new MalformedDer('a tag of several bytes');
  const first = bytes[at + 1]!;
  if (first === 0x80) return readUnknownLength(bytes, tag, at, end, depth);
  let contentStart = at + 2;
  let length = first;
  if (first > 0x80) {
    const count = first & 0x7f;
    if (count > 4 || contentStart + count > end) throw new MalformedDer('a length of too many bytes');
    length = bytes.readUIntBE(contentStart, count);
    contentStart += count;
  }
  const contentEnd = contentStart + length;
  if (contentEnd > end) throw new MalformedDer('longer than what it is in');
  return new DerElement(bytes, tag, at, contentStart, contentEnd, contentEnd);
}

function readUnknownLength(
  bytes: Buffer,
  tag: number,
  start: number,
  end: number,
  depth: number,
): DerElement {
  if ((tag & CONSTRUCTED) === 0 || depth > DEEPEST_NESTING)
    throw new MalformedDer('an unknown length where none can be');
  const contentStart = start + 2;
  let at = contentStart;
  while (bytes[at] !== 0 || bytes[at + 1] !== 0 || at + 2 > end)
    at = readElement(bytes, at, end, depth + 1).end;
  return new DerElement(bytes, tag, start, contentStart, at, at + 2);
}

/** Reads bytes that are one element and nothing more. @throws MalformedDer */
export function readWhole(bytes: Buffer): DerElement {
  const element = readElement(bytes);
  if (element.end !== bytes.length) throw new MalformedDer('bytes behind the end');
  return element;
}

/** What `read` makes of foreign bytes; undefined when they are malformed. */
export function unlessMalformed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedDer) return undefined;
    throw error;
  }
}

// --- Values ----------------------------------------------------------------------------------------------------------

/** An object identifier in dotted form. */
export function readOid(element: DerElement): string {
  const { content } = element.expect(tags.oid);
  if (content.length === 0 || content.length > 64 || content.at(-1)! >= 0x80)
    throw new MalformedDer('no object identifier');
  const numbers: number[] = [];
  let number = 0;
  for (const byte of content) {
    number = number * 128 + (byte & 0x7f);
    if (number > Number.MAX_SAFE_INTEGER / 256) throw new MalformedDer('an object identifier too large');
    if (byte < 0x80) {
      numbers.push(number);
      number = 0;
    }
  }
  const [first = 0, ...rest] = numbers;
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...rest].join('.');
}

/** A small number that is not negative. */
export function readSmallInteger(element: DerElement): number {
  const { content } = element.expect(tags.integer);
  if (content.length === 0 || content.length > 5 || content[0]! >= 0x80)
    throw new MalformedDer('no small number');
  return content.readUIntBE(0, content.length);
}

/** The bytes of an OCTET STRING, whole or in pieces; also under another tag, `[0] IMPLICIT` and the like. */
export function readOctets(element: DerElement, depth = 0): Buffer {
  if (!element.isConstructed) return element.content;
  if (depth > DEEPEST_NESTING) throw new MalformedDer('pieces too deep');
  const pieces: Buffer[] = [];
  for (const child of element.children()) {
    if ((child.tag & ~CONSTRUCTED) !== tags.octetString) throw new MalformedDer('pieces of another type');
    pieces.push(readOctets(child, depth + 1));
  }
  return Buffer.concat(pieces);
}

/** The bytes of a BIT STRING; with `isWhole` all bits of the last byte count, as in keys and signatures. */
export function readBits(element: DerElement, isWhole = true): Buffer {
  const { content } = element.expect(tags.bitString);
  if (content.length === 0 || content[0]! > (isWhole ? 0 : 7)) throw new MalformedDer('no bit string');
  return content.subarray(1);
}

/** UTCTime or GeneralizedTime as Unix time (RFC 5280 §4.1.2.5). */
export function readTime(element: DerElement): number {
  const text = element.content.toString('latin1');
  const isShort = element.tag === tags.utcTime;
  if (!isShort) element.expect(tags.generalizedTime);
  const match = (
    isShort
      ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z$/
      : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:\.\d+)?Z$/
  ).exec(text);
  if (match === null) throw new MalformedDer('no time');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  const fullYear = isShort ? year + (year < 50 ? 2000 : 1900) : year;
  const date = new Date(0);
  date.setUTCFullYear(fullYear, month - 1, day);
  date.setUTCHours(hour, minute, second);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) throw new MalformedDer('no such day');
  return date.getTime() / 1000;
}
