// Distinguished names as text (RFC 4514) and as lists of names and values. A part of several pairs (`cn=a+sn=b`) is one
// list with all of them: [cn, a, sn, b].

const TYPE = /^[ ]*([A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*)[ ]*=[ ]*/;
/** Tags of strings, whose bytes are the value: OCTET, UTF8, Printable, T61, IA5. */
const STRING_TAGS = [0x04, 0x0c, 0x13, 0x14, 0x16];

/** The parts of a name, the leaf first; undefined when it is none. The empty text is the root, with no parts. */
export function parseDistinguishedName(text: string): string[][] | undefined {
  if (/^ *$/.test(text)) return [];
  const parts: string[][] = [];
  let part: string[] = [];
  let rest = text;
  for (;;) {
    const type = TYPE.exec(rest);
    if (type === null) return undefined;
    const value = parseValue(rest.slice(type[0].length));
    if (value === undefined) return undefined;
    part.push(type[1]!, value.text);
    if (value.end !== '+') {
      parts.push(part);
      part = [];
    }
    if (value.end === '') return parts;
    rest = value.rest;
  }
}

/** Without the spaces at its end; other white space is a value like any other. */
function lengthWithoutSpaces(text: string): number {
  let length = text.length;
  while (text[length - 1] === ' ') length--;
  return length;
}

interface ParsedValue {
  readonly text: string;
  /** What stands behind it: `,`, `+` or nothing. */
  readonly end: string;
  readonly rest: string;
}

function parseValue(text: string): ParsedValue | undefined {
  if (text.startsWith('#')) return parseHexValue(text);
  let value = '';
  // Spaces at the end do not belong to it unless they are escaped.
  let kept = 0;
  for (let at = 0; ; at++) {
    const char = text[at] ?? '';
    if (char === '' || char === ',' || char === ';' || char === '+')
      return {
        text: value.slice(0, Math.max(kept, lengthWithoutSpaces(value))),
        end: char,
        rest: text.slice(at + 1),
      };
    if (char !== '\\') {
      if (/["<>\x00]/.test(char)) return undefined;
      value += char;
      continue;
    }
    const escaped = /^(?:([0-9A-Fa-f]{2})|([ "#+,;<=>\\]))/.exec(text.slice(at + 1));
    if (escaped === null) return undefined;
    value += escaped[1] === undefined ? escaped[2]! : String.fromCharCode(Number.parseInt(escaped[1], 16));
    kept = value.length;
    at += escaped[0].length;
  }
}

/** `#` and the BER of a value in hex: that of a string is its bytes, others have no text. */
function parseHexValue(text: string): ParsedValue | undefined {
  const match = /^#((?:[0-9A-Fa-f]{2})+) *([,;+]|$)/.exec(text);
  if (match === null) return undefined;
  const bytes = Buffer.from(match[1]!, 'hex');
  if (
    !STRING_TAGS.includes(bytes[0]!) ||
    bytes[1] === undefined ||
    bytes[1] >= 0x80 ||
    bytes.length !== 2 + bytes[1]
  )
    return undefined;
  return { text: bytes.toString('latin1', 2), end: match[2]!, rest: text.slice(match[0].length) };
}

/** The text of a name; undefined when a type is none. */
export function formatDistinguishedName(parts: readonly (readonly string[])[]): string | undefined {
  const texts: string[] = [];
  for (const part of parts) {
    if (part.length === 0 || part.length % 2 !== 0) return undefined;
    const pairs: string[] = [];
    for (let i = 0; i < part.length; i += 2) {
      const type = TYPE.exec(`${part[i]!}=`);
      if (type === null || type[1] !== part[i]) return undefined;
      pairs.push(`${part[i]!}=${escapeValue(part[i + 1]!)}`);
    }
    texts.push(pairs.join('+'));
  }
  return texts.join(',');
}

function escapeValue(value: string): string {
  return value.replace(/^[ #]| $|["+,;<>\\\x00-\x1f\x7f]/g, (char) =>
    char < ' ' || char === '\x7f' ? `\\${char.charCodeAt(0).toString(16).padStart(2, '0')}` : `\\${char}`,
  );
}
