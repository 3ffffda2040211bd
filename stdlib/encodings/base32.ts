// Base32 (RFC 4648 §6) on byte strings.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Length of the last group without padding, by the bytes it holds; others do not occur. */
const GROUP_DIGITS = [0, 2, 4, 5, 7];

/** Upper case, padded. */
export function encodeBase32(bytes: string): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 5) {
    const size = Math.min(5, bytes.length - at);
    let bits = 0;
    let buffer = 0;
    let group = '';
    for (let i = 0; i < size; i++) {
      buffer = (buffer << 8) | bytes.charCodeAt(at + i);
      bits += 8;
      while (bits >= 5) {
        bits -= 5;
        group += ALPHABET[(buffer >> bits) & 31]!;
      }
      buffer &= 0xff;
    }
    if (bits > 0) group += ALPHABET[(buffer << (5 - bits)) & 31]!;
    text += group.padEnd(8, '=');
  }
  return text;
}

/** Either case; white space is skipped and padding may be missing. Undefined when anything else is wrong. */
export function decodeBase32(text: string): string | undefined {
  const clean = text.replace(/[ \t\r\n]+/g, '').toUpperCase();
  const digits = /^([A-Z2-7]*)=*$/.exec(clean)?.[1];
  if (digits === undefined) return undefined;
  if (digits.length < clean.length && (clean.length % 8 !== 0 || clean.length - digits.length > 6))
    return undefined;
  if (digits.length % 8 !== 0 && !GROUP_DIGITS.includes(digits.length % 8)) return undefined;
  let bits = 0;
  let buffer = 0;
  const bytes = Buffer.alloc(Math.floor((digits.length * 5) / 8));
  let size = 0;
  for (let i = 0; i < digits.length; i++) {
    buffer = ((buffer << 5) | ALPHABET.indexOf(digits[i]!)) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[size++] = (buffer >> bits) & 0xff;
    }
  }
  return bytes.toString('latin1');
}
