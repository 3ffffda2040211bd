// What Iconv asks of a character set, and those that Node's own decoders answer. Unlike `decodeCharset`, which reads mail as
// well as it can, a Charset tells what is malformed and what cannot be written.

/** What came of decoding: the characters that are whole, and whether there was more. */
export interface Decoded {
  readonly text: string;
  /** `incomplete`: the last character is cut off. */
  readonly flaw: 'malformed' | 'incomplete' | undefined;
}

export interface Charset {
  decode(bytes: Buffer): Decoded;
  /** Writes a text that `canEncode`; absent for a character set that can only be read. */
  readonly encode?: (text: string) => Buffer;
  canEncode(text: string): boolean;
}

/** Decodes with one of Node's decoders. */
export function decodeAsWeb(bytes: Buffer, name: string): Decoded {
  const text = new TextDecoder(name, { ignoreBOM: true }).decode(bytes);
  if (!text.includes('\ufffd')) return { text, flaw: undefined };
  let isWhole = false;
  try {
    // Not asked to end, it takes the first half of a character without complaint.
    new TextDecoder(name, { fatal: true }).decode(bytes, { stream: true });
    isWhole = true;
  } catch {
    // Malformed before its end.
  }
  return { text: text.replaceAll('\ufffd', ''), flaw: isWhole ? 'incomplete' : 'malformed' };
}
