// Numbers: the token takes everything that begins with a digit and could be meant as one, and this file says whether
// it is. So `1__0` is one bad number with a reason, not a number followed by a surprising name.

/** What a number token stands for, or a sentence why it is none. */
export type NumberReading =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'ambiguous' }
  | { readonly kind: 'bad'; readonly why: string };

const decimal = /^\d+(?:_\d+)*(?:\.\d+(?:_\d+)*)?$/;
const bases = [
  { prefix: '0x', name: 'hexadecimal', base: 16, digits: /^[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*$/ },
  { prefix: '0o', name: 'octal', base: 8, digits: /^[0-7]+(?:_[0-7]+)*$/ },
  { prefix: '0b', name: 'binary', base: 2, digits: /^[01]+(?:_[01]+)*$/ },
] as const;

/** Reads a number token's text. */
export function readNumber(image: string): NumberReading {
  const plain = image.replaceAll('_', '');
  if (decimal.test(image)) return { kind: 'number', value: Number(plain) };
  const based = bases.find((row) => image.startsWith(row.prefix));
  if (based?.digits.test(image.slice(2))) return { kind: 'number', value: basedValue(plain, based.base) };
  // Several points, or a point behind a hexadecimal number: `1.2.3` is 1.2 . 3 or 1 . 2.3.
  if (/^\w+(?:\.\d\w*)+$/.test(image) && image.split('.').every((part) => readable(part)))
    return { kind: 'ambiguous' };
  return { kind: 'bad', why: reason(image) };
}

function basedValue(plain: string, base: number): number {
  // Number() reads any length exactly rounded, but knows the prefixes only as they are written here.
  if (plain.length < 12) return Number.parseInt(plain.slice(2), base);
  return Number(plain);
}

function readable(part: string): boolean {
  return (
    decimal.test(part) || bases.some((row) => part.startsWith(row.prefix) && row.digits.test(part.slice(2)))
  );
}

function reason(image: string): string {
  const lower = image.toLowerCase();
  const based = bases.find((row) => lower.startsWith(row.prefix));
  if (based !== undefined) {
    if (!image.startsWith(based.prefix)) return `the prefix is written ${based.prefix}`;
    if (image.length === 2) return `a ${based.name} number has at least one digit behind ${based.prefix}`;
  }
  if (image.includes('__') || /_(?:$|\.)|^0[xob]_|\._/.test(image))
    return 'a _ stands between two digits only';
  if (based !== undefined) return `that is no ${based.name} digit`;
  if (/^[\d_.]+[eE]\d*$/.test(image)) return 'there is no exponent form';
  return 'a name cannot begin with a digit';
}
