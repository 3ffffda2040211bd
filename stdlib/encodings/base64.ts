// Base64 and base64url (RFC 4648 §4, §5) on byte strings.

const BLANK = /[ \t\r\n]+/g;
const STANDARD = /^[A-Za-z0-9+/]*={0,2}$/;
const URL_SAFE = /^[A-Za-z0-9_-]*={0,2}$/;

export function encodeBase64(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('base64');
}

/** White space is skipped and padding may be missing; undefined when anything else is wrong. */
export function decodeBase64(text: string): string | undefined {
  return decode(text, STANDARD, 'base64');
}

/** Without padding. */
export function encodeBase64Url(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('base64url');
}

/** White space is skipped, padding accepted; undefined when anything else is wrong. */
export function decodeBase64Url(text: string): string | undefined {
  return decode(text, URL_SAFE, 'base64url');
}

function decode(text: string, alphabet: RegExp, encoding: 'base64' | 'base64url'): string | undefined {
  const clean = text.replace(BLANK, '');
  if (!alphabet.test(clean)) return undefined;
  const digits = clean.indexOf('=') === -1 ? clean.length : clean.indexOf('=');
  if (digits % 4 === 1) return undefined;
  // With padding at all it must be right: "Zg=" and "Zm9v=" are cut or joined texts.
  if (digits < clean.length && clean.length % 4 !== 0) return undefined;
  return Buffer.from(clean, encoding).toString('latin1');
}
