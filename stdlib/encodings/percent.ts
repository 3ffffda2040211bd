// The two encodings that write a byte as a mark and two hex digits: URLs (RFC 3986 §2.1) and xtext (RFC 3461 §4).

const HEX = '0123456789ABCDEF';

function markedByte(mark: string, byte: number): string {
  return mark + HEX[byte >> 4]! + HEX[byte & 15]!;
}

/** All but the unreserved characters of RFC 3986 §2.3 as `%XX`; a space too. */
export function encodeUrl(bytes: string): string {
  return bytes.replace(/[^A-Za-z0-9\-._~]/g, (byte) => markedByte('%', byte.charCodeAt(0)));
}

/** `+` stays, and so does a `%` that two hex digits do not follow. */
export function decodeUrl(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Bytes outside 33 to 126, `+` and `=` as `+XX`. */
export function encodeXtext(bytes: string): string {
  return bytes.replace(/[^\x21-\x7e]|[+=]/g, (byte) => markedByte('+', byte.charCodeAt(0)));
}

/** A `+` that two hex digits do not follow stays. */
export function decodeXtext(text: string): string {
  return text.replace(/\+([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
