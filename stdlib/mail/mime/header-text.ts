// A header field's text, both ways: from its raw bytes to what a script reads, and from a script's value to bytes that
// may stand in a message. A value can never end its field: whatever it holds, no line of the result begins a new one.

import { textToBytes } from '#lang';
import { decodeCharset } from '../../encodings/charset.js';
import { decodeMimeWords, encodeMimeWords } from '../../encodings/mimeword.js';

/** Where folding tries to break (RFC 5322 §2.1.1). */
const preferredLineLength = 78;

/** Whether the text can be a field's name (RFC 5322 §2.2). */
export function isFieldName(name: string): boolean {
  return /^[\x21-\x39\x3b-\x7e]+$/.test(name);
}

/** A field with a value as people mean it: encoded words where needed, folded. UTF-8 bytes in, a complete field out. */
export function encodeField(name: string, value: string): Buffer {
  const oneLine = value
    .replace(/\r?\n[ \t]+/g, ' ')
    .replace(/[\r\n]+/g, ' ')
    .replace(/\x00/g, '');
  return Buffer.from(`${foldLine(`${name}: ${encodeMimeWords(oneLine)}`)}\r\n`, 'latin1');
}

/** A field with a value that is already as it must be; only line ends are made right, and lines kept inside the field. */
export function rawField(name: string, value: string): Buffer {
  const lines = value
    .replace(/(?:\r\n|\r|\n)+$/, '')
    .replace(/(?:\r\n|\r|\n)+([ \t]?)/g, (_, blank: string) =>
      // Text behind a line end must begin with a blank, or it would be a field of its own.
      blank === '' ? '\r\n ' : `\r\n${blank}`,
    );
  return Buffer.from(`${name}: ${lines}\r\n`, 'latin1');
}

/** A raw value with its folding taken out (RFC 5322 §2.2.3). */
export function unfold(raw: string): string {
  return raw
    .replace(/\r?\n(?=[ \t])/g, '')
    .replace(/^[ \t]+/, '')
    .replace(/[ \t\r\n]+$/, '');
}

/**
 * An unfolded value as UTF-8: encoded words decoded; raw 8-bit bytes read by the message's own charset, else as UTF-8 if
 * they are, else as windows-1252.
 */
export function decodeValue(value: string, charset: string | undefined): string {
  return toUtf8(/=\?/.test(value) ? decodeMimeWords(value) : value, charset);
}

/** The charset parameter of a Content-Type value, if there is one. */
export function charsetOf(contentType: string): string | undefined {
  const match = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i.exec(contentType);
  return match === null ? undefined : (match[1] ?? match[2]);
}

function toUtf8(bytes: string, charset: string | undefined): string {
  if (!/[\x80-\xff]/.test(bytes)) return bytes;
  if (isUtf8(bytes)) return bytes;
  const decoded =
    charset !== undefined && !/^(?:utf-?8|us-ascii)$/i.test(charset)
      ? decodeCharset(bytes, charset)
      : undefined;
  return textToBytes(decoded ?? decodeCharset(bytes, 'windows-1252') ?? bytes);
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
