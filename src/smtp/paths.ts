// The arguments of MAIL and RCPT as data (RFC 5321 §4.1.2, §4.1.1.11). Pure: text in, a path or a refusal out; nothing else
// in the engine looks at the text again. What a parameter means is not decided here.

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
const parameterForm = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([\x21-\x3c\x3e-\x7e]+))?$/;

/** What follows MAIL: `FROM:<reverse-path> [parameters]`. */
export function parseMailArgument(text: string): PathArgument | Reply {
  const start = pathStart(text, 'FROM:');
  if (start === undefined) return replies.mailSyntax;
  if (text.startsWith('<>', start)) return withParameters({ localPart: '', domain: '' }, text, start + 2);
  return parsePath(text, start, replies.badSender);
}

/** What follows RCPT: `TO:<forward-path> [parameters]`. `<postmaster>` needs no domain. */
export function parseRcptArgument(text: string): PathArgument | Reply {
  const start = pathStart(text, 'TO:');
  if (start === undefined) return replies.rcptSyntax;
  const postmaster = /<postmaster>/iy;
  postmaster.lastIndex = start;
  if (postmaster.test(text)) {
    const localPart = text.slice(start + 1, postmaster.lastIndex - 1);
    return withParameters({ localPart, domain: '' }, text, postmaster.lastIndex);
  }
  return parsePath(text, start, replies.badRecipient);
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
  const argument = withParameters(found.mailbox, text, found.end + 1);
  if (argument instanceof Reply) return argument;
  const wantsUtf8 = argument.params['SMTPUTF8'] !== undefined;
  return wantsUtf8 || isAscii(text.slice(start, found.end)) ? argument : replies.needsSmtpUtf8;
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
