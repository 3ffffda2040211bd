// The arguments of MAIL and RCPT as data (RFC 5321 §4.1.2, §4.1.1.11). Pure: text in, a path or a refusal out; nothing else
// in the engine looks at the text again. What a parameter means is not decided here.
//
// The text is bytes, one per character. Bytes above 127 are UTF-8 or refused, and only in a transaction whose MAIL says
// SMTPUTF8 (RFC 6531 §3.3, §3.4).

import { isUtf8 } from 'node:buffer';
import { domainToASCII } from 'node:url';
import { isAscii, type Mailbox, scanDomain, scanMailbox } from '#stdlib';
import { replies } from './replies.js';
import { Reply } from './reply.js';

/** Parameters by upper-case keyword; `''` for one without a value. */
export type PathParameters = Readonly<Record<string, string>>;

/** A path with its parameters. The null reverse-path has an empty local part and domain. */
export interface PathArgument extends Mailbox {
  readonly params: PathParameters;
}

const noParameters: PathParameters = Object.freeze({});
const parameterForm = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([\x21-\x3c\x3e-\x7e\x80-\xff]+))?$/;

/** What follows MAIL: `FROM:<reverse-path> [parameters]`. */
export function parseMailArgument(text: string): PathArgument | Reply {
  const start = pathStart(text, 'FROM:');
  if (start === undefined) return replies.mailSyntax;
  const path = text.startsWith('<>', start)
    ? withParameters({ localPart: '', domain: '' }, text, start + 2)
    : parsePath(text, start, replies.badSender);
  if (path instanceof Reply) return path;
  return refuseNonAscii(text, path, path.params['SMTPUTF8'] !== undefined, replies.badSender) ?? path;
}

/**
 * What follows RCPT: `TO:<forward-path> [parameters]`. `<postmaster>` needs no domain.
 * @param hasUtf8 whether the transaction's MAIL said SMTPUTF8
 */
export function parseRcptArgument(text: string, hasUtf8 = false): PathArgument | Reply {
  const start = pathStart(text, 'TO:');
  if (start === undefined) return replies.rcptSyntax;
  const postmaster = /<postmaster>/iy;
  postmaster.lastIndex = start;
  let path: PathArgument | Reply;
  if (postmaster.test(text)) {
    const localPart = text.slice(start + 1, postmaster.lastIndex - 1);
    path = withParameters({ localPart, domain: '' }, text, postmaster.lastIndex);
  } else path = parsePath(text, start, replies.badRecipient);
  if (path instanceof Reply) return path;
  return refuseNonAscii(text, path, hasUtf8, replies.badRecipient) ?? path;
}

/** What bytes above 127 must be; undefined when there is nothing to say against the text. */
function refuseNonAscii(
  text: string,
  { localPart, domain }: PathArgument,
  hasUtf8: boolean,
  badAddress: Reply,
): Reply | undefined {
  if (isAscii(text)) return undefined;
  const isAsciiPath = isAscii(localPart) && isAscii(domain);
  if (!hasUtf8) return isAsciiPath ? replies.badParameter : replies.needsSmtpUtf8;
  const bytes = Buffer.from(text, 'latin1');
  if (!isUtf8(bytes)) return replies.badUtf8;
  return isAscii(domain) || isInternationalDomain(domain) ? undefined : badAddress;
}

/** Whether the labels are U-labels or ordinary ones: such a name has a form for the DNS (RFC 5890 §2.3). */
function isInternationalDomain(domain: string): boolean {
  const ascii = domainToASCII(Buffer.from(domain, 'latin1').toString('utf8'));
  return ascii.length <= 255 && ascii.split('.').every((label) => label !== '' && label.length <= 63);
}

/** Where `<` stands. Blanks before it are not allowed, but many clients send one. */
function pathStart(text: string, keyword: string): number | undefined {
  if (text.slice(0, keyword.length).toUpperCase() !== keyword) return undefined;
  let at = keyword.length;
  while (text.charCodeAt(at) === 0x20) at++;
  return text.charCodeAt(at) === 0x3c ? at : undefined;
}

function parsePath(text: string, start: number, refusal: Reply): PathArgument | Reply {
  const at = skipSourceRoute(text, start + 1);
  const found = at === undefined ? undefined : scanMailbox(text, at);
  if (found === undefined || text.charCodeAt(found.end) !== 0x3e) return refusal;
  return withParameters(found.mailbox, text, found.end + 1);
}

/** A source route is read and forgotten (RFC 5321 appendix C). */
function skipSourceRoute(text: string, at: number): number | undefined {
  if (text.charCodeAt(at) !== 0x40) return at;
  for (;;) {
    if (text.charCodeAt(at) !== 0x40) return undefined;
    const end = scanDomain(text, at + 1);
    if (end === undefined) return undefined;
    const next = text.charCodeAt(end);
    if (next === 0x3a) return end + 1;
    if (next !== 0x2c) return undefined;
    at = end + 1;
  }
}

function withParameters({ localPart, domain }: Mailbox, text: string, at: number): PathArgument | Reply {
  if (at === text.length) return { localPart, domain, params: noParameters };
  if (text.charCodeAt(at) !== 0x20) return replies.badParameter;
  const params: Record<string, string> = {};
  for (const word of text.slice(at + 1).split(' ')) {
    if (word === '') continue;
    const match = parameterForm.exec(word);
    if (match === null) return replies.badParameter;
    const keyword = match[1]!.toUpperCase();
    // RFC 5321 §4.1.1.11: no keyword twice.
    if (params[keyword] !== undefined) return replies.badParameter;
    params[keyword] = match[2] ?? '';
  }
  return { localPart, domain, params };
}
