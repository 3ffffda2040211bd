// A header field's text, both ways: from its raw bytes to what a script reads, and from a script's value to bytes that
// may stand in a message. A value can never end its field: whatever it holds, no line of the result begins a new one.
//
// Values may be a megabyte of blanks: what runs over a value here takes time in proportion to its length.

import { textToBytes } from '#lang';
import { decodeCharset } from '../../encodings/charset.js';
import { decodeMimeWords, encodeMimeWords } from '../../encodings/mimeword.js';

/** Where folding tries to break (RFC 5322 §2.1.1). */
const preferredLineLength = 78;

/** A run without blanks that is longer becomes encoded words, which can be folded: no line may have more than 998. */
const longestUnfoldable = 900;

/** How encoded words are written (RFC 2047 §4). */
export type WordEncoding = 'q' | 'b';

/** Fields that hold addresses, where only the names may be encoded words (RFC 2047 §5). */
const addressFields = new Set([
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'bcc',
  'resent-from',
  'resent-sender',
  'resent-to',
  'resent-cc',
  'resent-bcc',
  'resent-reply-to',
  'mail-followup-to',
  'disposition-notification-to',
  'return-receipt-to',
  'errors-to',
]);

/** Whether the text can be a field's name (RFC 5322 §2.2). */
export function isFieldName(name: string): boolean {
  return /^[\x21-\x39\x3b-\x7e]+$/.test(name);
}

/** A field with a value as people mean it: encoded words where needed, folded. UTF-8 bytes in, a complete field out. */
export function encodeField(name: string, value: string, words: WordEncoding = 'q'): Buffer {
  const oneLine = value
    .replace(/\r?\n[ \t]+/g, ' ')
    .replace(/[\r\n]+/g, ' ')
    .replace(/\x00/g, '');
  const encoded = addressFields.has(name.toLowerCase())
    ? encodeAddresses(oneLine, words)
    : encodeWords(oneLine, words);
  return Buffer.from(`${foldLine(`${name}: ${encoded}`)}\r\n`, 'latin1');
}

/** A field with a value that is already as it must be; only line ends are made right, and lines kept inside the field. */
export function rawField(name: string, value: string): Buffer {
  const lines = value.slice(0, endWithout(value, '\r\n')).replace(
    /(?:\r\n|\r|\n)+([ \t]?)/g,
    // Text behind a line end must begin with a blank, or it would be a field of its own.
    (_, blank: string) => (blank === '' ? '\r\n ' : `\r\n${blank}`),
  );
  return Buffer.from(`${name}: ${lines}\r\n`, 'latin1');
}

/** A raw value with its folding taken out (RFC 5322 §2.2.3). */
export function unfold(raw: string): string {
  const joined = raw.includes('\n') ? raw.replace(/\r?\n(?=[ \t])/g, '') : raw;
  let start = 0;
  while (joined[start] === ' ' || joined[start] === '\t') start++;
  return joined.slice(start, Math.max(start, endWithout(joined, ' \t\r\n')));
}

/** Without blanks and line ends at its end and, unless told otherwise, at its beginning. */
export function trimBlanks(text: string, atBothEnds = true): string {
  const end = endWithout(text, ' \t\r\n');
  let start = 0;
  if (atBothEnds) while (start < end && ' \t\r\n'.includes(text[start]!)) start++;
  return text.slice(start, end);
}

/** Where the text ends when those characters at its end do not count. A pattern for it would take quadratic time. */
function endWithout(text: string, characters: string): number {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1]!)) end--;
  return end;
}

/**
 * An unfolded value as UTF-8. Raw 8-bit bytes are read by the part's own charset, else as UTF-8 if they are, else as
 * windows-1252; encoded words say themselves what they are.
 */
export function decodeValue(value: string, charset: string | undefined): string {
  const text = toUtf8(value, charset);
  return text.includes('=?') ? decodeMimeWords(text) : text;
}

/** The charset parameter of a Content-Type value, if there is one. */
export function charsetOf(contentType: string): string | undefined {
  const match = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i.exec(contentType);
  return match === null ? undefined : (match[1] ?? match[2]);
}

/** Bytes of that charset, or of the one they seem to have, as UTF-8. */
export function toUtf8(bytes: string, charset: string | undefined): string {
  if (!/[\x80-\xff]/.test(bytes)) return bytes;
  // Charsets that say nothing about 8-bit bytes, or that ASCII text cannot be in.
  if (
    charset !== undefined &&
    !/^(?:utf-?(?:8|7|16|32)(?:[bl]e)?|us-ascii|ascii|ucs-?[24]|)$/i.test(charset)
  ) {
    const decoded = decodeCharset(bytes, charset);
    if (decoded !== undefined) return textToBytes(decoded);
  }
  if (isUtf8(bytes)) return bytes;
  return textToBytes(decodeCharset(bytes, 'windows-1252') ?? bytes);
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

function isUtf8(bytes: string): boolean {
  try {
    strictUtf8.decode(Buffer.from(bytes, 'latin1'));
    return true;
  } catch {
    // The decoder's only way to say no.
    return false;
  }
}

/** Plain text as it is, anything else as encoded words. */
function encodeWords(text: string, words: WordEncoding): string {
  const isPlain = /^[\x20-\x7e\t]*$/.test(text) && !text.includes('=?');
  if (isPlain && !hasLongRun(text)) return text;
  return words === 'b' || isPlain ? base64Words(text) : encodeMimeWords(text);
}

function hasLongRun(text: string): boolean {
  let run = 0;
  for (let at = 0; at < text.length; at++) {
    run = text[at] === ' ' || text[at] === '\t' ? 0 : run + 1;
    if (run > longestUnfoldable) return true;
  }
  return false;
}

/** One UTF-8 sequence, or a byte that is part of none. */
const characters =
  /[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x80-\xff]/g;

/** Bytes that fit an encoded word of 75 characters in base64, whole characters in each (RFC 2047 §2, §5). */
const base64WordBytes = 45;

function base64Words(bytes: string): string {
  const words: string[] = [];
  let word = '';
  const finish = () => words.push(`=?utf-8?B?${Buffer.from(word, 'latin1').toString('base64')}?=`);
  for (const [character] of bytes.matchAll(characters)) {
    if (word.length + character.length > base64WordBytes) {
      finish();
      word = '';
    }
    word += character;
  }
  finish();
  return words.join(' ');
}

const closers: Readonly<Record<string, string>> = { '"': '"', '<': '>', '(': ')' };

/** Quoted texts, addresses in angle brackets, comments, blanks, separators, words. */
function* addressTokens(value: string): Generator<string> {
  // What was not closed once is a letter from then on, or each would cost a look at all the rest.
  const unclosed = new Set<string>();
  for (let at = 0; at < value.length; ) {
    const char = value[at]!;
    let end = at + 1;
    if (closers[char] !== undefined && !unclosed.has(char)) {
      const close = endOfEnclosed(value, at, closers[char]);
      if (close === undefined) unclosed.add(char);
      else end = close;
    } else if (!/[ \t,;:<"(]/.test(char)) {
      while (end < value.length && !/[ \t,;:<"(]/.test(value[end]!)) end++;
    }
    yield value.slice(at, end);
    at = end;
  }
}

function endOfEnclosed(value: string, open: number, closer: string): number | undefined {
  for (let at = open + 1; at < value.length; at++) {
    if (value[at] === '\\' && closer !== '>') at++;
    else if (value[at] === closer) return at + 1;
  }
  return undefined;
}

/**
 * A list of addresses with encoded words for names that need them. Neighbouring words of a name become one text, so that
 * the blanks between them survive. What is no name stays as it is, 8-bit bytes of an address included (RFC 6532).
 */
function encodeAddresses(value: string, words: WordEncoding): string {
  if (/^[\x20-\x7e\t]*$/.test(value) && !hasLongRun(value)) return value;
  let out = '';
  let phrase: string[] = [];
  const finish = () => {
    out += encodePhrase(phrase, words);
    phrase = [];
  };
  for (const token of addressTokens(value)) {
    if (/^[<,;:]/.test(token)) {
      finish();
      out += token;
    } else {
      phrase.push(token);
    }
  }
  finish();
  return out;
}

function encodePhrase(tokens: readonly string[], words: WordEncoding): string {
  const first = tokens.findIndex(needsEncoding);
  if (first === -1) return tokens.join('');
  const last = tokens.findLastIndex(needsEncoding);
  const text = tokens
    .slice(first, last + 1)
    .map((token) => (/^".*"$/s.test(token) ? token.slice(1, -1).replace(/\\([\s\S])/g, '$1') : token))
    .join('');
  // An address without angle brackets has no name to encode.
  if (text.includes('@') && tokens.every((token) => !token.startsWith('"'))) return tokens.join('');
  const comment = /^\((.*)\)$/s.exec(text);
  const encode = words === 'b' || /^[\x20-\x7e\t]*$/.test(text) ? base64Words : encodeMimeWords;
  const encoded = comment === null ? encode(text) : `(${encode(comment[1]!)})`;
  return tokens.slice(0, first).join('') + encoded + tokens.slice(last + 1).join('');
}

function needsEncoding(token: string): boolean {
  return /[^\x20-\x7e\t]/.test(token) || hasLongRun(token);
}

/** Breaks a line before blanks so that pieces fit where they can; what has no blank stays long. */
function foldLine(line: string): string {
  if (line.length <= preferredLineLength) return line;
  const words = line.match(/[ \t]*[^ \t]+|[ \t]+$/g) ?? [line];
  let folded = '';
  let length = 0;
  for (const [index, word] of words.entries()) {
    // The first word is the name; a fold right behind it would leave a line of blanks to some readers.
    if (index > 1 && length + word.length > preferredLineLength && /^[ \t]+[^ \t]/.test(word)) {
      folded += '\r\n';
      length = 0;
    }
    folded += word;
    length += word.length;
  }
  return folded;
}
