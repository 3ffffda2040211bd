// Bytes of any character set as Unicode text. iconv-lite comes first because it reads iso-8859-1 as what it says (the
// web's decoders read windows-1252 instead); what it lacks, ISO-2022-JP above all, Node's TextDecoder has.

import { loadIconv } from '../lazy-packages.js';

/** Node's own "encodings" that iconv-lite passes on; as character sets they would be a trap. */
export const NOT_CHARACTER_SETS = new Set(['base64', 'hex', 'binary', 'internal']);

/** The text, with U+FFFD for what is malformed; undefined when nobody knows the character set. */
export function decodeCharset(bytes: string, charset: string): string | undefined {
  const name = charset.toLowerCase();
  const buffer = Buffer.from(bytes, 'latin1');
  if (name === 'utf-8' || name === 'utf8')
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(buffer);
  if (NOT_CHARACTER_SETS.has(name)) return undefined;
  const iconv = loadIconv();
  if (iconv.encodingExists(name)) return iconv.decode(buffer, name);
  try {
    return new TextDecoder(name).decode(buffer);
  } catch {
    // The constructor throws for a label it does not know, and that is the answer.
    return undefined;
  }
}
