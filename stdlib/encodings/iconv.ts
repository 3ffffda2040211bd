// From one character set to another, as iconv(3) of glibc does it: strict unless the target's name says `//TRANSLIT` (write
// something alike) or `//IGNORE` (leave out what cannot be read or written).

import type { Charset } from './iconv-charset.js';
import { findCharset } from './iconv-find.js';
import { substitutesFor } from './iconv-transliterate.js';

/** Linux's numbers for what can go wrong. */
export const EINVAL = 22;
export const EILSEQ = 84;

/** Characters whose substitutes are remembered. */
const MOST_REMEMBERED = 10_000;

/** A conversion between two character sets. */
export class Conversion {
  readonly #from: Charset;
  readonly #to: Required<Charset>;
  readonly #transliterates: boolean;
  readonly #ignores: boolean;
  /** What a character becomes; undefined when it cannot be written. */
  readonly #written = new Map<string, string | undefined>();
  /** 0 after a success. */
  errno = 0;

  constructor(from: Charset, to: Required<Charset>, flags: ReadonlySet<string>) {
    this.#from = from;
    this.#to = to;
    this.#transliterates = flags.has('TRANSLIT');
    this.#ignores = flags.has('IGNORE');
  }

  /** The text in the other character set; undefined when it cannot be, and `errno` says why. */
  convert(bytes: Buffer): Buffer | undefined {
    const { text, flaw } = this.#from.decode(bytes);
    this.errno = 0;
    if (flaw !== undefined && !this.#ignores) {
      this.errno = flaw === 'incomplete' ? EINVAL : EILSEQ;
      return undefined;
    }
    const writable = this.#to.canEncode(text) ? text : this.#adapted(text);
    if (writable === undefined) this.errno = EILSEQ;
    return writable === undefined ? undefined : this.#to.encode(writable);
  }

  #adapted(text: string): string | undefined {
    const adapted: string[] = [];
    for (const character of text) {
      const written = this.#writtenAs(character);
      if (written === undefined) return undefined;
      adapted.push(written);
    }
    return adapted.join('');
  }

  #writtenAs(character: string): string | undefined {
    if (this.#written.has(character)) return this.#written.get(character);
    const written = this.#findWritten(character);
    if (this.#written.size >= MOST_REMEMBERED) this.#written.clear();
    this.#written.set(character, written);
    return written;
  }

  #findWritten(character: string): string | undefined {
    if (this.#to.canEncode(character)) return character;
    const alike = this.#transliterates
      ? substitutesFor(character).find((substitute) => this.#to.canEncode(substitute))
      : undefined;
    return alike ?? (this.#ignores ? '' : undefined);
  }
}

/** Opens a conversion; undefined when one of the character sets is unknown, or the second can only be read. */
export function openConversion(fromName: string, toName: string): Conversion | undefined {
  const [from = ''] = fromName.split('//');
  const [to = '', ...flags] = toName.split('//');
  const source = findCharset(from);
  const target = findCharset(to);
  if (source === undefined || target === undefined || !isWritable(target)) return undefined;
  return new Conversion(source, target, new Set(flags.map((flag) => flag.toUpperCase())));
}

function isWritable(charset: Charset): charset is Required<Charset> {
  return charset.encode !== undefined;
}
