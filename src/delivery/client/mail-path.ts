// Addresses and parameters as SMTP writes them. Nothing that comes from a message or a script may put a line break, a
// space or an angle bracket where the peer would read it as something else, so what cannot be written is refused here.
// All text is one character per byte.

import { isUtf8 } from 'node:buffer';
import { domainToASCII } from 'node:url';
import type { Address, DsnParameters } from '#hooks';

const DOT_ATOM =
  /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\x80-\xff]+(?:\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\x80-\xff]+)*$/;
const QUOTABLE = /^[\x20-\x7e\x80-\xff]*$/;
const DOMAIN = /^(?:[A-Za-z0-9_.\x80-\xff-]+|\[[A-Za-z0-9:.]+\])$/;
const NON_ASCII = /[\x80-\xff]/;
const KEYWORD = /^[A-Za-z0-9][A-Za-z0-9-]*$/; // RFC 5321 §4.1.2 esmtp-keyword
const VALUE = /^[\x21-\x3c\x3e-\x7e\x80-\xff]+$/; // esmtp-value; the bytes above ASCII are RFC 6531's

/** A path ready for MAIL or RCPT. */
export interface MailPath {
  /** With its angle brackets. */
  readonly text: string;
  /** The peer must know SMTPUTF8 to read it. */
  readonly needsSmtpUtf8: boolean;
  /** The same path with its domain in A-labels (RFC 5890), if that spares the peer SMTPUTF8. */
  readonly asciiText?: string;
}

/** Writes an address as a path, or says why it cannot be one. */
export function writeMailPath(address: Address): MailPath | { readonly problem: string } {
  const { localPart, domain } = address;
  if (localPart === '' && domain === '') return { text: '<>', needsSmtpUtf8: false };
  if (localPart === '') return { problem: 'its local part is empty' };
  if (!QUOTABLE.test(localPart)) return { problem: 'its local part contains a control character' };
  if (domain !== '' && !DOMAIN.test(domain)) {
    return { problem: 'its domain contains a character that no domain may have' };
  }
  const local = DOT_ATOM.test(localPart) ? localPart : `"${localPart.replace(/["\\]/g, '\\$&')}"`;
  if (domain === '') return { text: `<${local}>`, needsSmtpUtf8: NON_ASCII.test(local) }; // RFC 5321 §4.1.1.3: <postmaster>
  const text = `<${local}@${domain}>`;
  if (!NON_ASCII.test(text)) return { text, needsSmtpUtf8: false };
  if (!isUtf8(Buffer.from(text, 'latin1'))) return { problem: 'it is neither ASCII nor UTF-8' };
  if (NON_ASCII.test(local)) return { text, needsSmtpUtf8: true };
  const aLabels = domainToASCII(Buffer.from(domain, 'latin1').toString('utf8'));
  return {
    text,
    needsSmtpUtf8: true,
    ...(aLabels === '' ? {} : { asciiText: `<${local}@${aLabels}>` }),
  };
}

/** ESMTP parameters in the order they are said; a later one with the same keyword takes the place of the earlier. */
export type Parameters = ReadonlyMap<string, string>;

/** ` KEYWORD=value` for each parameter. */
export function writeParameters(parameters: Parameters): string {
  let text = '';
  for (const [keyword, value] of parameters) text += value === '' ? ` ${keyword}` : ` ${keyword}=${value}`;
  return text;
}

/** What is wrong with a parameter that a script asked for, if anything. */
export function parameterProblem(keyword: string, value: string): string | undefined {
  if (!KEYWORD.test(keyword)) return `"${printable(keyword)}" is no ESMTP keyword`;
  if (value !== '' && !VALUE.test(value)) {
    return `the value of ${keyword} must not contain spaces, "=" or control characters, got "${printable(value)}"`;
  }
  return undefined;
}

/** What is wrong with a name for EHLO, if anything. */
export function heloProblem(helo: string): string | undefined {
  return /^[\x21-\x7e]{1,255}$/.test(helo)
    ? undefined
    : `the helo name must be a host name or an address literal, got "${printable(helo)}"`;
}

/** RFC 3461 §4.4 and §4.2. What is longer, or is no text, no peer has to take: the message goes without it. */
const LONGEST_ENVID = 100;
const LONGEST_ORCPT = 500;
const IS_TEXT = /^[\x20-\x7e]+$/;

/** RET and ENVID for MAIL (RFC 3461 §4.3, §4.4). */
export function addMailDsnParameters(parameters: Map<string, string>, dsn: DsnParameters): void {
  if (dsn.ret !== undefined && dsn.ret !== '') parameters.set('RET', dsn.ret);
  const envid = writeXtext(dsn.envid ?? '');
  if (IS_TEXT.test(dsn.envid ?? '') && envid.length <= LONGEST_ENVID) parameters.set('ENVID', envid);
}

/** NOTIFY and ORCPT for RCPT (RFC 3461 §4.1, §4.2). */
export function addRcptDsnParameters(parameters: Map<string, string>, dsn: DsnParameters): void {
  if (dsn.notify !== undefined && dsn.notify !== '') parameters.set('NOTIFY', dsn.notify);
  const orcpt = writeOriginalRecipient(dsn.orcpt ?? '');
  if (orcpt !== undefined && orcpt.length <= LONGEST_ORCPT) parameters.set('ORCPT', orcpt);
}

/** `type;address`. Without a type it is a mail address; undefined when there is no address in it. */
function writeOriginalRecipient(orcpt: string): string | undefined {
  const [, type = 'rfc822', address = ''] = /^(?:([A-Za-z0-9-]+);)?([\s\S]*)$/.exec(orcpt) ?? [];
  if (address === '' || /[\x00-\x1f\x7f]/.test(address)) return undefined;
  const isInternational = type.toLowerCase() === 'utf-8' || NON_ASCII.test(address);
  if (isInternational && /^(?:utf-8|rfc822)$/i.test(type) && isUtf8(Buffer.from(address, 'latin1')))
    return `utf-8;${writeUtf8Xtext(address)}`;
  return `${type};${writeXtext(address)}`;
}

/**
 * An address of the type utf-8 in the form that any peer may be given (RFC 6533 §3, utf-8-addr-xtext): escapes that are there
 * already stay.
 */
function writeUtf8Xtext(address: string): string {
  const text = Buffer.from(address, 'latin1').toString('utf8');
  return text.replace(/\\x\{[0-9A-Fa-f]{2,6}\}|[^\x21-\x2a\x2c-\x3c\x3e-\x5b\x5d-\x7e]/gu, (found) =>
    found.length > 2 ? found : `\\x{${found.codePointAt(0)!.toString(16).toUpperCase().padStart(2, '0')}}`,
  );
}

/** Text as xtext (RFC 3461 §4). */
export function writeXtext(text: string): string {
  return text.replace(
    /[^\x21-\x2a\x2c-\x3c\x3e-\x7e]/g,
    (character) => `+${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function printable(text: string): string {
  return text.slice(0, 80).replace(/[^\x20-\x7e]/g, '?');
}
