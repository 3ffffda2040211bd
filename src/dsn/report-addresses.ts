// Addresses and names as fields of a report write them, with their types (RFC 3464 §2.1.2, RFC 6533 §3).

import { isIP, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { type Address, isAscii, mailboxToText } from '#stdlib';
import { addressLine, isUtf8Text, oneLine } from './field-text.js';

/** `rfc822; user@domain`; an address beyond ASCII has the type `utf-8`, and where UTF-8 is not allowed, escapes. */
export function typedAddress(address: Address, allowsUtf8: boolean): string {
  const text = mailboxToText(address);
  return isUtf8Text(text)
    ? `utf-8; ${internationalAddress(text, allowsUtf8)}`
    : `rfc822; ${addressLine(text, false)}`;
}

/**
 * An address for the notification's own header. Only a local part beyond ASCII makes it need SMTPUTF8: a domain has a form in
 * ASCII (RFC 5890), which every next hop takes.
 */
export function headerAddress({ localPart, domain }: Address): string {
  if (!isAscii(localPart) || isAscii(domain)) return mailboxToText({ localPart, domain });
  const aLabels = domainToASCII(Buffer.from(domain, 'latin1').toString('utf8'));
  return mailboxToText({ localPart, domain: aLabels === '' ? domain : aLabels });
}

/** ORCPT as it was given: `type;address`. Without a type it is a mail address; undefined when there is no address in it. */
export function originalRecipient(orcpt: string, allowsUtf8: boolean): string | undefined {
  const [, type = '', address = ''] = /^\s*([A-Za-z0-9-]{1,60})\s*;([\s\S]*)$/.exec(orcpt) ?? [
    '',
    'rfc822',
    orcpt,
  ];
  if (oneLine(address, false) === '') return undefined;
  if (!isAscii(address) && isUtf8Text(address) && /^(?:rfc822|utf-8)$/i.test(type))
    return `utf-8; ${internationalAddress(address.trim(), allowsUtf8)}`;
  if (type.toLowerCase() === 'utf-8')
    return `utf-8; ${unescaped(addressLine(address, allowsUtf8), allowsUtf8)}`;
  return `${type}; ${addressLine(address, false)}`;
}

/** No name in DNS is longer. */
const LONGEST_NAME = 255;

/** `dns; mx.example.com`, for an address `dns; [192.0.2.1]`. */
export function mtaName(host: string): string {
  const name = oneLine(host, false).replaceAll(' ', '').slice(0, LONGEST_NAME);
  if (isIP(name) === 0) return `dns; ${name}`;
  return `dns; [${isIPv6(name) ? 'IPv6:' : ''}${name}]`;
}

/** UTF-8 as it is (utf-8-addr-unitext), or as `\x{E4}` (utf-8-addr-xtext). */
function internationalAddress(utf8: string, allowsUtf8: boolean): string {
  const line = addressLine(utf8, true);
  if (allowsUtf8) return line;
  return [...Buffer.from(line, 'latin1').toString('utf8')]
    .map((character) =>
      /^[\x21-\x2a\x2c-\x3c\x3e-\x5b\x5d-\x7e]$/.test(character)
        ? character
        : `\\x{${character.codePointAt(0)!.toString(16).toUpperCase().padStart(2, '0')}}`,
    )
    .join('');
}

/** An address of ORCPT that came with escapes; they are for where UTF-8 cannot go. */
function unescaped(address: string, allowsUtf8: boolean): string {
  if (!allowsUtf8) return address;
  return address.replace(/\\x\{([0-9A-Fa-f]{2,6})\}/g, (written, hex: string) => {
    const codePoint = Number.parseInt(hex, 16);
    if (codePoint <= 0x20 || codePoint === 0x7f || codePoint > 0x10ffff) return written;
    if (codePoint >= 0xd800 && codePoint <= 0xdfff) return written;
    return Buffer.from(String.fromCodePoint(codePoint), 'utf8').toString('latin1');
  });
}
