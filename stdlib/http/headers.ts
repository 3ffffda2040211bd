// Header lines that scripts write. None of them can become two, and none takes over what the client itself decides: where
// the body ends and what the connection is for.

import { type HslArray, ScriptFault } from '#lang';
import type { HeaderLine } from './request.js';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Said by the client, from the body and the connection it has. */
const OURS = ['content-length', 'transfer-encoding', 'keep-alive', 'upgrade', 'expect', 'connection'];
/** What may be told to somebody else than the script named: a redirect's other origin. */
const HARMLESS = [
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'content-type',
  'user-agent',
];

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/**
 * The option `headers`: texts of the form `Name: value`. Left out is a line without a value, and what the client says
 * itself: scripts for another client ask for `Connection: close`, and that must not keep them from working.
 * @throws ScriptFault
 */
export function parseHeaderLines(lines: HslArray | undefined): readonly HeaderLine[] {
  return (lines?.toList() ?? []).flatMap((line) => {
    const match = typeof line === 'string' ? /^([^:]*):[ \t]*(.*?)[ \t]*$/s.exec(line) : null;
    if (match === null)
      throw new ScriptFault('http: the option "headers" must be a list of "Name: value" texts');
    const [, name, value] = match as unknown as [string, string, string];
    if (!isToken(name))
      throw new ScriptFault(`http: "${name.slice(0, 40).replace(/[^\x20-\x7e]/g, '?')}" is no header name`);
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value))
      throw new ScriptFault(
        `http: the value of the header ${name} holds a line end or another control character`,
      );
    // As for curl, a name alone takes a header away; there is none here that could be.
    if (value === '') return [];
    return OURS.includes(name.toLowerCase()) ? [] : [{ name, value }];
  });
}

export function hasHeader(headers: readonly HeaderLine[], name: string): boolean {
  return headers.some((header) => header.name.toLowerCase() === name);
}

/** What is left of the headers for another origin. */
export function harmlessHeaders(headers: readonly HeaderLine[]): readonly HeaderLine[] {
  return headers.filter(({ name }) => HARMLESS.includes(name.toLowerCase()));
}

/** The value of `Authorization` for a name and a password (RFC 7617). */
export function basicCredentials(userName: string, password: string): string {
  return `Basic ${Buffer.from(`${userName}:${password}`, 'latin1').toString('base64')}`;
}
