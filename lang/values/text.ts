// The two conversions between script strings (bytes, one per character) and Unicode text. Everything that leaves for a
// place that wants text (JSON, logs, the web) or comes from one passes here; no other code decodes or encodes.

const onlyAscii = /^[\x00-\x7f]*$/;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Bytes as Unicode text; bytes that are not UTF-8 become U+FFFD. */
export function bytesToText(bytes: string): string {
  return onlyAscii.test(bytes) ? bytes : decoder.decode(Buffer.from(bytes, 'latin1'));
}

/** Unicode text as UTF-8 bytes; a lone surrogate becomes U+FFFD. */
export function textToBytes(text: string): string {
  return onlyAscii.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** Shorter texts JavaScript copies by itself. */
const SHORTEST_SLICE = 13;

/**
 * The same text on its own. A part of a text keeps the whole of it in memory: a name cut out of a message would keep the
 * message. Whatever outlives an execution is detached first.
 */
export function detached(text: string): string {
  // Joined with another character it is copied when a part of it is asked for.
  return text.length < SHORTEST_SLICE ? text : ` ${text}`.slice(1);
}
