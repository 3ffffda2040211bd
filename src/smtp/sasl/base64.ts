// Base64 as SASL exchanges use it (RFC 4648 §4): the one way to write some bytes and no other. What a lenient decoder would
// skip or guess could mean one name to us and another to whoever looks at the log.

/** The bytes, one per character; undefined when the text is not base64. */
export function decodeBase64(text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes.toString('latin1') : undefined;
}

/** The base64 of bytes, one per character. */
export function encodeBase64(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('base64');
}
