// The grammar of a mailbox (RFC 5321 §4.1.2), as bytes: one character per byte, like every script string. The SMTP engine
// reads paths with it, scripts give addresses in it, and whatever writes an address to a wire or a log writes with it.
//
// A mailbox is kept unquoted: `"john doe"@x` has the local part `john doe`. `mailboxToText` puts the quotes back exactly
// where the grammar needs them, so text → mailbox → text → mailbox is stable. Bytes above 127 are part of atoms and
// labels here (RFC 6531); who may not take them, because SMTPUTF8 was not announced, looks with `isAscii`.

import { isIP, isIPv4, isIPv6 } from 'node:net';

/** A local part without its quotes, and a domain or address literal. Bytes as sent. */
export interface Mailbox {
  readonly localPart: string;
  readonly domain: string;
}

const dotString = /[\w!#$%&'*+\-/=?^`{|}~\x80-\xff]+(?:\.[\w!#$%&'*+\-/=?^`{|}~\x80-\xff]+)*/y;
const quotedString = /"((?:[\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\x20-\x7e])*)"/y;
const onlyDotString = new RegExp(`^${dotString.source}$`);
// An underscore is no letter of RFC 1123, but hosts with one exist and send mail.
const label = '[\\w\\x80-\\xff](?:[\\w\\-\\x80-\\xff]*[\\w\\x80-\\xff])?';
const domainName = new RegExp(`${label}(?:\\.${label})*`, 'y');
const onlyDomainName = new RegExp(`^${label}(?:\\.${label})*$`);
const bracketed = /\[([^[\]\\\x00-\x20\x7f-\xff]+)\]/y;
const generalLiteral = /^[A-Za-z0-9-]*[A-Za-z0-9]:[\x21-\x5a\x5e-\x7e]+$/;

/** Longest domain (RFC 5321 §4.5.3.1.2). Local parts have no limit of their own: long ones are in wide use. */
const longestDomain = 255;
const longestLabel = 63;

/** Where a mailbox that begins at `at` ends, and what it is; undefined when there is none. */
export function scanMailbox(text: string, at: number): { mailbox: Mailbox; end: number } | undefined {
  let localPart: string;
  if (text.charCodeAt(at) === 0x22) {
    quotedString.lastIndex = at;
    const match = quotedString.exec(text);
    if (match === null) return undefined;
    localPart = match[1]!.replace(/\\(.)/g, '$1');
    at += match[0].length;
  } else {
    dotString.lastIndex = at;
    const match = dotString.exec(text);
    if (match === null) return undefined;
    localPart = match[0];
    at += match[0].length;
  }
  if (text.charCodeAt(at) !== 0x40) return undefined;
  const end = scanDomain(text, at + 1);
  return end === undefined ? undefined : { mailbox: { localPart, domain: text.slice(at + 1, end) }, end };
}

/** Where a domain or address literal that begins at `at` ends. */
export function scanDomain(text: string, at: number): number | undefined {
  if (text.charCodeAt(at) === 0x5b) {
    bracketed.lastIndex = at;
    const match = bracketed.exec(text);
    return match !== null && isLiteralContent(match[1]!) ? at + match[0].length : undefined;
  }
  domainName.lastIndex = at;
  const match = domainName.exec(text);
  return match !== null && fitsLengths(match[0]) ? at + match[0].length : undefined;
}

/** Reads a whole text as a mailbox. */
export function textToMailbox(text: string): Mailbox | undefined {
  const found = scanMailbox(text, 0);
  return found !== undefined && found.end === text.length ? found.mailbox : undefined;
}

/** Writes a mailbox; the null path is the empty text, and a local part without domain stays alone. */
export function mailboxToText(mailbox: Mailbox): string {
  const { localPart, domain } = mailbox;
  if (domain === '') return localPart === '' ? '' : quoteLocalPart(localPart);
  return `${quoteLocalPart(localPart)}@${domain}`;
}

/** Adds quotes and backslashes when the local part is no plain dot-string. */
export function quoteLocalPart(localPart: string): string {
  return onlyDotString.test(localPart) ? localPart : `"${localPart.replace(/["\\]/g, '\\$&')}"`;
}

/** Whether a local part can be written at all, quoted if need be: no control characters. */
export function isLocalPart(text: string): boolean {
  return !/[\x00-\x1f\x7f]/.test(text);
}

/** Whether the whole text is a domain name or an address literal. */
export function isDomain(text: string): boolean {
  if (text.charCodeAt(0) === 0x5b) return scanDomain(text, 0) === text.length;
  return onlyDomainName.test(text) && fitsLengths(text);
}

/** Whether the text is an IPv4 or IPv6 address, without brackets. */
export function isIpAddress(text: string): boolean {
  return isIP(text) !== 0;
}

/** Whether every byte is ASCII. */
export function isAscii(text: string): boolean {
  return !/[\x80-\xff]/.test(text);
}

/** Lower case for the letters A to Z only: the bytes of UTF-8 letters must not be touched. */
export function lowerCaseAscii(text: string): string {
  return isAscii(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function isLiteralContent(content: string): boolean {
  if (isIPv4(content)) return true;
  if (/^ipv6:/i.test(content)) return isIPv6(content.slice(5));
  return generalLiteral.test(content);
}

function fitsLengths(domain: string): boolean {
  if (domain.length <= longestLabel) return true;
  return domain.length <= longestDomain && domain.split('.').every((part) => part.length <= longestLabel);
}
