// Encoded words in header fields (RFC 2047).

import { textToBytes } from '#lang';
import { decodeBase64 } from './base64.js';
import { decodeCharset } from './charset.js';

/** RFC 2047 §2: no encoded word is longer. */
const LONGEST_WORD = 75;
const PREFIX = '=?utf-8?Q?';
const SUFFIX = '?=';
const ROOM = LONGEST_WORD - PREFIX.length - SUFFIX.length;

/** One UTF-8 sequence, or a byte that is part of none. */
const CHARACTERS =
  /[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x80-\xff]/g;

/** What may stand for itself even inside a phrase (RFC 2047 §5 (3)). */
const SAFE = /[A-Za-z0-9!*+\-/]/;

/** UTF-8 bytes as Q-encoded words, one space apart; printable ASCII that cannot be mistaken for one stays as it is. */
export function encodeMimeWords(bytes: string): string {
  if (/^[\x20-\x7e]*$/.test(bytes) && !bytes.includes('=?')) return bytes;
  const words: string[] = [];
  let word = '';
  for (const [character] of bytes.matchAll(CHARACTERS)) {
    const encoded = encodeCharacter(character);
    if (word.length + encoded.length > ROOM) {
      words.push(PREFIX + word + SUFFIX);
      word = '';
    }
    word += encoded;
  }
  words.push(PREFIX + word + SUFFIX);
  return words.join(' ');
}

function encodeCharacter(character: string): string {
  if (SAFE.test(character)) return character;
  if (character === ' ') return '_';
  let encoded = '';
  for (let i = 0; i < character.length; i++)
    encoded += `=${character.charCodeAt(i).toString(16).toUpperCase().padStart(2, '0')}`;
  return encoded;
}

/** A charset may carry a language behind `*` (RFC 2231 §5). Blanks inside are not allowed, but many senders put them. */
const ENCODED_WORD = /=\?([^?*\s]{1,64})(?:\*[^?\s]{0,64})?\?([bBqQ])\?([^?\r\n]*)\?=/g;

interface Run {
  readonly charset: string;
  bytes: string;
  /** As written, for a run whose charset nobody knows. */
  source: string;
}

/**
 * A field's text as UTF-8 bytes, with its encoded words decoded. White space between words goes; neighbours of one
 * charset are decoded together, because many senders cut in the middle of a character. A bad word stays as it is.
 */
export function decodeMimeWords(field: string): string {
  let text = '';
  let run: Run | undefined;
  let end = 0;
  for (const match of field.matchAll(ENCODED_WORD)) {
    const [source, charset, encoding, payload] = match as unknown as [string, string, string, string];
    const bytes = encoding.toUpperCase() === 'B' ? decodeBase64(payload) : decodeQ(payload);
    if (bytes === undefined) continue;
    const between = field.slice(end, match.index);
    const isNeighbour = run !== undefined && /^[ \t\r\n]*$/.test(between);
    if (run !== undefined && isNeighbour && run.charset === charset.toLowerCase()) {
      run.bytes += bytes;
      run.source += between + source;
    } else {
      text += finishRun(run);
      // White space between two words is no text, unless one of them stays encoded.
      if (!isNeighbour || !isKnown(run!) || !isKnown({ charset: charset.toLowerCase() })) text += between;
      run = { charset: charset.toLowerCase(), bytes, source };
    }
    end = match.index + source.length;
  }
  return text + finishRun(run) + field.slice(end);
}

function finishRun(run: Run | undefined): string {
  if (run === undefined) return '';
  const decoded = decodeCharset(run.bytes, run.charset);
  return decoded === undefined ? run.source : textToBytes(decoded);
}

function isKnown(run: { readonly charset: string }): boolean {
  return decodeCharset('', run.charset) !== undefined;
}

function decodeQ(payload: string): string | undefined {
  if (/=(?![0-9A-Fa-f]{2})/.test(payload)) return undefined;
  return payload
    .replaceAll('_', ' ')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
