// Binary records (stdlib 7.1): a format of letters, each with an optional count or `*`.

/** One letter of a format. */
interface Field {
  readonly code: string;
  /** undefined: none was written; `*` is 'all'. */
  readonly repeat: number | 'all' | undefined;
}

/** Sizes of the number codes, in bytes. */
const NUMBER_BYTES: Readonly<Record<string, number>> = { C: 1, c: 1, n: 2, v: 2, N: 4, V: 4, e: 8, E: 8 };

export type Packable = string | number;

/** Why nothing came of it: a word of the format, or an argument by position from 0. */
export type PackProblem =
  | { readonly kind: 'format'; readonly message: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'type'; readonly argument: number; readonly expected: 'string' | 'number' };

/** The fields of a format; undefined when a letter is unknown or `x` has a `*`. */
function readFormat(format: string, codes: string): Field[] | undefined {
  const fields: Field[] = [];
  const part = /([A-Za-z])(\*|[0-9]+)?/y;
  while (part.lastIndex < format.length) {
    const match = part.exec(format);
    if (match === null || !codes.includes(match[1]!)) return undefined;
    const repeat = match[2] === undefined ? undefined : match[2] === '*' ? 'all' : Number(match[2]);
    if (match[1] === 'x' && repeat === 'all') return undefined;
    fields.push({ code: match[1]!, repeat });
  }
  return fields;
}

/** Packs `args`. `reserve` is told the size of each padded piece before it is made. */
export function packValues(
  format: string,
  args: readonly unknown[],
  reserve: (bytes: number) => void,
): string | PackProblem {
  const fields = readFormat(format, 'aZHCnNvVeEx');
  if (fields === undefined) return { kind: 'format', message: format };
  let next = 0;
  const pieces: string[] = [];
  for (const { code, repeat } of fields) {
    if (code === 'x') {
      reserve(repeatCount(repeat));
      pieces.push('\0'.repeat(repeatCount(repeat)));
    } else if (code === 'a' || code === 'Z' || code === 'H') {
      if (next >= args.length) return { kind: 'missing' };
      const text = args[next];
      if (typeof text !== 'string') return { kind: 'type', argument: next, expected: 'string' };
      next++;
      const piece = code === 'H' ? packHex(text, repeat) : packText(text, code, repeat, reserve);
      if (piece === undefined) return { kind: 'format', message: format };
      pieces.push(piece);
    } else {
      const count = repeat === 'all' ? args.length - next : (repeat ?? 1);
      if (count > args.length - next) return { kind: 'missing' };
      for (let i = 0; i < count; i++, next++) {
        const number = args[next];
        if (typeof number !== 'number') return { kind: 'type', argument: next, expected: 'number' };
        pieces.push(packNumber(code, number));
      }
    }
  }
  return pieces.join('');
}

function repeatCount(repeat: number | 'all' | undefined): number {
  return typeof repeat === 'number' ? repeat : 1;
}

function packText(
  text: string,
  code: 'a' | 'Z',
  repeat: Field['repeat'],
  reserve: (bytes: number) => void,
): string {
  if (repeat === 'all') return code === 'Z' ? `${text}\0` : text;
  const size = repeat ?? 1;
  if (size === 0) return '';
  reserve(size);
  return text.slice(0, code === 'Z' ? size - 1 : size).padEnd(size, '\0');
}

/** High nibble first; an odd last nibble is followed by 0. */
function packHex(text: string, repeat: Field['repeat']): string | undefined {
  const nibbles = repeat === 'all' ? text.length : (repeat ?? 1);
  if (nibbles > text.length) return undefined;
  const digits = text.slice(0, nibbles);
  if (!/^[0-9a-fA-F]*$/.test(digits)) return undefined;
  return Buffer.from(digits.length % 2 === 0 ? digits : `${digits}0`, 'hex').toString('latin1');
}

/** Numbers are cut to integers and reduced modulo the size. */
function packNumber(code: string, number: number): string {
  const size = NUMBER_BYTES[code]!;
  const bytes = Buffer.alloc(size);
  if (code === 'e') bytes.writeDoubleLE(number);
  else if (code === 'E') bytes.writeDoubleBE(number);
  else {
    const modulus = 2 ** (8 * size);
    const whole = Number.isFinite(number) ? Math.trunc(number) % modulus : 0;
    const unsigned = whole < 0 ? whole + modulus : whole;
    if (code === 'v' || code === 'V') bytes.writeUIntLE(unsigned, 0, size);
    else bytes.writeUIntBE(unsigned, 0, size);
  }
  return bytes.toString('latin1');
}

/** The values of a record from `offset`, in format order; undefined when data or format does not fit. */
export function unpackValues(format: string, data: string, offset: number): Packable[] | undefined {
  const fields = readFormat(format, 'aZHcCnNvVeEx');
  if (fields === undefined || offset < 0 || offset > data.length) return undefined;
  const values: Packable[] = [];
  const bytes = Buffer.from(data, 'latin1');
  let at = offset;
  for (const { code, repeat } of fields) {
    const left = data.length - at;
    if (code === 'x') {
      if (repeatCount(repeat) > left) return undefined;
      at += repeatCount(repeat);
    } else if (code === 'a' || code === 'Z') {
      // `Z*` ends behind the NUL it finds; with a number the field has that size whatever is in it.
      const size = repeat !== 'all' ? (repeat ?? 1) : code === 'Z' ? throughNul(data, at) : left;
      if (size > left) return undefined;
      const field = data.slice(at, at + size);
      const nul = code === 'Z' ? field.indexOf('\0') : -1;
      values.push(nul === -1 ? field : field.slice(0, nul));
      at += size;
    } else if (code === 'H') {
      const nibbles = repeat === 'all' ? left * 2 : (repeat ?? 1);
      const size = Math.ceil(nibbles / 2);
      if (size > left) return undefined;
      values.push(bytes.toString('hex', at, at + size).slice(0, nibbles));
      at += size;
    } else {
      const size = NUMBER_BYTES[code]!;
      const count = repeat === 'all' ? Math.floor(left / size) : (repeat ?? 1);
      if (count * size > left) return undefined;
      for (let i = 0; i < count; i++, at += size) values.push(unpackNumber(code, bytes, at));
    }
  }
  return values;
}

/** Bytes up to and with the next NUL, or all that are left. */
function throughNul(data: string, at: number): number {
  const nul = data.indexOf('\0', at);
  return (nul === -1 ? data.length : nul + 1) - at;
}

function unpackNumber(code: string, bytes: Buffer, at: number): number {
  switch (code) {
    case 'c':
      return bytes.readInt8(at);
    case 'C':
      return bytes.readUInt8(at);
    case 'n':
      return bytes.readUInt16BE(at);
    case 'v':
      return bytes.readUInt16LE(at);
    case 'N':
      return bytes.readUInt32BE(at);
    case 'V':
      return bytes.readUInt32LE(at);
    case 'e':
      return bytes.readDoubleLE(at);
    default:
      return bytes.readDoubleBE(at);
  }
}
