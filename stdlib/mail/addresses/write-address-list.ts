// Lists of addresses as header fields have them: names quoted or encoded where they must be.

import { encodeMimeWords } from '../../encodings/mimeword.js';
import { parseAddressList } from './address-list.js';
import { quoteText } from './quoted-text.js';

const ATOM = "[\\w!#$%&'*+\\-/=?^`{|}~]+";
const ATOMS = new RegExp(`^${ATOM}(?: ${ATOM})*$`);

/**
 * An address with its display name; line ends and other control characters in the name become blanks. Without a name it is
 * bare, but a local part alone is not an address then and stays in brackets. Bytes.
 */
export function addressWithName(name: string, address: string): string {
  const shown = name.replace(/[\x00-\x1f\x7f]+/g, ' ');
  if (shown.trim() === '') return isReadAs(address, address) ? address : `<${address}>`;
  return `${writeName(shown)} <${address}>`;
}

function writeName(name: string): string {
  // An encoded word in quotes would be read as itself by some and decoded by others.
  if (/[\x80-\xff]/.test(name) || name.includes('=?')) return encodeMimeWords(name);
  return ATOMS.test(name) ? name : quoteText(name);
}

/** Whether the text can stand in angle brackets and is read there as itself. */
export function isWritableAddress(address: string): boolean {
  if (/[\x00-\x1f\x7f]/.test(address)) return false;
  return isReadAs(`<${address}>`, address);
}

function isReadAs(text: string, address: string): boolean {
  const read = parseAddressList(text);
  return read?.unreadable === 0 && read.addresses.length === 1 && read.addresses[0]!.address === address;
}
