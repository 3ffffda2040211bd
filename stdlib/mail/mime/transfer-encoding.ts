// Content-Transfer-Encoding (RFC 2045 §6), both ways. Decoding takes what senders write: what is no base64 is skipped,
// what is no quoted-printable stays as it is. Encoding never makes a line that begins with two dashes (it could be a
// delimiter of the message around) or with "From " (some mailbox formats would change it).

/** The encodings a body can be written in. */
export type TransferEncoding = '7bit' | '8bit' | 'binary' | 'quoted-printable' | 'base64';

/** RFC 2045 §6.7 (5), §6.8. */
const LONGEST_ENCODED_LINE = 76;

/** RFC 5322 §2.1.1. */
const LONGEST_LINE = 998;

const LF = 10;
const CR = 13;
const SPACE = 32;
const TAB = 9;
const EQUALS = 61;

/** The encoding that a field names; undefined for one we cannot write. */
export function namedEncoding(value: string): TransferEncoding | undefined {
  const name = value.toLowerCase();
  switch (name) {
    case '':
      return '7bit';
    case '7bit':
    case '8bit':
    case 'binary':
    case 'quoted-printable':
    case 'base64':
      return name;
    default:
      return undefined;
  }
}

/** A body as it was meant; one in an unknown encoding stays as it is. */
export function decodeBody(body: Buffer, encoding: TransferEncoding | undefined): Buffer {
  if (encoding === 'base64') return decodeBase64Lines(body);
  return encoding === 'quoted-printable' ? decodeQuotedPrintable(body) : body;
}

/** A body in that encoding, with whole lines but no line end after the last one. */
export function encodeBody(body: Buffer, encoding: TransferEncoding, isText: boolean): Buffer {
  switch (encoding) {
    case 'base64':
      return encodeBase64Lines(body);
    case 'quoted-printable':
      return encodeQuotedPrintable(body, isText);
    case 'binary':
      return body;
    default:
      return withCrLf(body);
  }
}

/** What a body is like, as far as its encoding depends on it. */
export interface BodyTraits {
  readonly longestLine: number;
  readonly eightBit: number;
  /** Control characters that do not survive as they are: NUL, and CR without LF. */
  readonly unsafe: number;
  readonly bareLineFeeds: number;
  readonly size: number;
}

/** Looks at a body once. */
export function traitsOf(body: Buffer): BodyTraits {
  let longestLine = 0;
  let eightBit = 0;
  let unsafe = 0;
  let bareLineFeeds = 0;
  let lineStart = 0;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]!;
    if (byte === LF) {
      const isCrLf = at > 0 && body[at - 1] === CR;
      if (!isCrLf) bareLineFeeds++;
      longestLine = Math.max(longestLine, at - lineStart - (isCrLf ? 1 : 0));
      lineStart = at + 1;
    } else if (byte >= 128) eightBit++;
    else if (byte === 0 || (byte === CR && body[at + 1] !== LF)) unsafe++;
  }
  longestLine = Math.max(longestLine, body.length - lineStart);
  return { longestLine, eightBit, unsafe, bareLineFeeds, size: body.length };
}

/** Whether a body can be written so without losing anything but, in a text, the kind of its line ends. */
export function fits(traits: BodyTraits, encoding: TransferEncoding, isText: boolean): boolean {
  if (encoding === '7bit' || encoding === '8bit')
    return (
      traits.longestLine <= LONGEST_LINE &&
      traits.unsafe === 0 &&
      (encoding === '8bit' || traits.eightBit === 0) &&
      (isText || traits.bareLineFeeds === 0)
    );
  return true;
}

/** The encoding that suits a body: as it is, if it can; a text that stays readable quoted-printable, else base64. */
export function chooseEncoding(traits: BodyTraits, isText: boolean): TransferEncoding {
  if (fits(traits, '7bit', isText)) return '7bit';
  return isText && (traits.eightBit + traits.unsafe) * 4 <= traits.size ? 'quoted-printable' : 'base64';
}

/** Line ends made CR LF (RFC 2045 §2.7, §2.8); a CR alone stays. */
export function withCrLf(body: Buffer): Buffer {
  let bare = 0;
  for (let at = body.indexOf(LF); at !== -1; at = body.indexOf(LF, at + 1)) if (body[at - 1] !== CR) bare++;
  if (bare === 0) return body;
  const out = Buffer.allocUnsafe(body.length + bare);
  let to = 0;
  let from = 0;
  for (let at = body.indexOf(LF); at !== -1; at = body.indexOf(LF, at + 1)) {
    if (body[at - 1] === CR) continue;
    to += body.copy(out, to, from, at);
    out[to++] = CR;
    from = at;
  }
  body.copy(out, to, from);
  return out;
}

// --- Base64 -----------------------------------------------------------------------------------------------------

const NOT_BASE64 = /[^A-Za-z0-9+/]+/g;
const STRANGE = /[^A-Za-z0-9+/=\r\n]/;

/** Bytes of base64; what is outside of the alphabet is skipped (RFC 2045 §6.8), and padding ends only its own piece. */
function decodeBase64Lines(body: Buffer): Buffer {
  const text = body.toString('latin1').trimEnd();
  const padding = text.indexOf('=');
  // Node's decoder skips line ends by itself; but it takes the URL alphabet too, and ends at padding.
  if ((padding === -1 || padding >= text.length - 2) && !STRANGE.test(text))
    return Buffer.from(text, 'base64');
  const pieces = text.replace(/=+/g, '=').split('=');
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece.replace(NOT_BASE64, ''), 'base64')));
}

function encodeBase64Lines(body: Buffer): Buffer {
  const lineBytes = (LONGEST_ENCODED_LINE / 4) * 3;
  const lines: string[] = [];
  for (let at = 0; at < body.length; at += lineBytes)
    lines.push(body.toString('base64', at, Math.min(body.length, at + lineBytes)));
  return Buffer.from(lines.join('\r\n'), 'latin1');
}

// --- Quoted-printable -------------------------------------------------------------------------------------------

/** RFC 2045 §6.7: blanks at a line's end are no content; what follows no rule stays as it is. */
function decodeQuotedPrintable(body: Buffer): Buffer {
  const out = Buffer.allocUnsafe(body.length);
  let to = 0;
  let at = 0;
  // Behind the last byte of this line that is no plain blank: blanks after it go with the line's end.
  let solid = 0;
  while (at < body.length) {
    const byte = body[at]!;
    if (byte === EQUALS) {
      const high = hexDigit(body[at + 1]);
      const low = hexDigit(body[at + 2]);
      if (high >= 0 && low >= 0) {
        out[to++] = high * 16 + low;
        at += 3;
        solid = to;
        continue;
      }
      const next = endOfBlankLine(body, at + 1);
      if (next !== -1) {
        at = next;
        solid = to;
        continue;
      }
    }
    if (byte === LF || (byte === CR && body[at + 1] === LF)) {
      to = solid;
      if (byte === CR) out[to++] = body[at++]!;
      out[to++] = LF;
      at++;
      solid = to;
      continue;
    }
    out[to++] = byte;
    at++;
    if (byte !== SPACE && byte !== TAB) solid = to;
  }
  return out.subarray(0, solid);
}

/** Behind the line end at `at`, when only blanks stand before it; -1 when something else does. */
function endOfBlankLine(body: Buffer, at: number): number {
  let end = at;
  while (body[end] === SPACE || body[end] === TAB) end++;
  if (end === body.length) return end;
  if (body[end] === LF) return end + 1;
  return body[end] === CR && body[end + 1] === LF ? end + 2 : -1;
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

const HEX = Buffer.from('0123456789ABCDEF');

/** In a text, line ends are line ends; in anything else they are bytes like others. */
function encodeQuotedPrintable(body: Buffer, isText: boolean): Buffer {
  // Every byte takes three at most, and a soft line end comes after 73 at the earliest.
  const out = Buffer.allocUnsafe(body.length * 3 + Math.ceil(body.length / 24) * 3 + 3);
  let to = 0;
  let column = 0;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]!;
    const isLineEnd = isText && (byte === LF || (byte === CR && body[at + 1] === LF));
    if (isLineEnd) {
      if (byte === CR) at++;
      out[to++] = CR;
      out[to++] = LF;
      column = 0;
      continue;
    }
    const endsLine = at + 1 === body.length || (isText && startsLineEnd(body, at + 1));
    const isPlain =
      (byte > SPACE && byte < 127 && byte !== EQUALS) || ((byte === SPACE || byte === TAB) && !endsLine);
    // The sign of a soft line end needs room, unless this is the line's last.
    const room = endsLine ? LONGEST_ENCODED_LINE : LONGEST_ENCODED_LINE - 1;
    let isEscaped = !isPlain || (column === 0 && startsTrouble(body, at));
    if (column + (isEscaped ? 3 : 1) > room) {
      out[to++] = EQUALS;
      out[to++] = CR;
      out[to++] = LF;
      column = 0;
      isEscaped = !isPlain || startsTrouble(body, at);
    }
    if (isEscaped) {
      out[to++] = EQUALS;
      out[to++] = HEX[byte >> 4]!;
      out[to++] = HEX[byte & 15]!;
      column += 3;
    } else {
      out[to++] = byte;
      column++;
    }
  }
  return out.subarray(0, to);
}

function startsLineEnd(body: Buffer, at: number): boolean {
  return body[at] === LF || (body[at] === CR && body[at + 1] === LF);
}

/** What must not stand at the beginning of a line: a delimiter's dashes, a mailbox file's "From ", a dot alone. */
function startsTrouble(body: Buffer, at: number): boolean {
  switch (body[at]) {
    case 45:
      return body[at + 1] === 45;
    case 46:
      return true;
    case 70:
      return body.toString('latin1', at, at + 5) === 'From ';
    default:
      return false;
  }
}
