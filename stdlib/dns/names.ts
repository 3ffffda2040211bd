// Domain names as they are asked for. Names in answers are read by wire/packet-reader.ts.

import { isIP } from 'node:net';
import { domainToAscii } from '../encodings/idna.js';
import { addressBytes, reverseName } from './addresses.js';
import type { RecordType } from './resolver.js';

const ONLY_ASCII = /^[\x00-\x7f]*$/;
/** Control characters never belong to a name; a backslash would be an escape that we do not read back. */
const PRINTABLE = /^[\x20-\x5b\x5d-\x7e]+$/;
const LONGEST_LABEL = 63;
/** 255 bytes on the wire (RFC 1035 §2.3.4), less the first length and the root. */
const LONGEST_NAME = 253;

/**
 * The name to put into a question, without the final dot; `''` is the root. International names are converted (IDNA).
 * A blank, which SPF's macros can make, is written as names in answers have it (`\\032`).
 * An address asked for its PTR is asked for at its place in the reverse zone.
 * @returns undefined when it is no domain name
 */
export function questionName(given: string, type: RecordType): string | undefined {
  if (given === '.') return '';
  if (type === 'ptr' && isIP(given) !== 0) return reverseName(addressBytes(given)!);
  const name = ONLY_ASCII.test(given) ? given : domainToAscii(given);
  if (name === undefined) return undefined;
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  return isAsciiName(bare) ? bare.replaceAll(' ', '\\032') : undefined;
}

function isAsciiName(name: string): boolean {
  if (name.length === 0 || name.length > LONGEST_NAME || !PRINTABLE.test(name)) return false;
  let labelStart = 0;
  for (let at = 0; at <= name.length; at++) {
    if (at < name.length && name.charCodeAt(at) !== 46) continue;
    const length = at - labelStart;
    if (length === 0 || length > LONGEST_LABEL) return false;
    labelStart = at + 1;
  }
  return true;
}

/** Whether `name` is `zone` or lies below it; both without final dot, the root is ''. */
export function isWithin(name: string, zone: string): boolean {
  if (zone === '') return true;
  const [below, above] = [name.toLowerCase(), zone.toLowerCase()];
  return below === above || below.endsWith(`.${above}`);
}
