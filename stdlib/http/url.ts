// The URL of a request, from the bytes a script wrote: `$1` filled in, bytes that a URL cannot hold escaped as they are,
// and refused when it is no URL for HTTP.

import { bytesToText, ScriptFault } from '#lang';
import { encodeUrl } from '../encodings/percent.js';

/** Puts the values, URL-encoded, in the places of `$1`, `$2`, …; a place without a value stays. */
export function fillPlaces(url: string, values: readonly string[]): string {
  return url.replace(/\$([1-9][0-9]{0,4})/g, (place, number: string) => {
    const value = values[Number(number) - 1];
    return value === undefined ? place : encodeUrl(value);
  });
}

/** Of a URL, what may stand in a message: no password, no query. */
function shown(url: string): string {
  const text = url.replace(/[?#].*$/s, '').replace(/\/\/[^/]*@/, '//');
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** @throws ScriptFault when it is no URL with http or https */
export function parseHttpUrl(bytes: string, called: string): URL {
  const refuse = (): never => {
    throw new ScriptFault(`${called}: "${shown(bytes)}" is no URL; expected http://… or https://…`);
  };
  if (/[\x00-\x1f\x7f]/.test(bytes))
    throw new ScriptFault(`${called}: the URL holds a control character; write it as %XX`);
  const [, scheme, authority, rest] = /^(https?):\/\/([^/?#]+)(.*)$/i.exec(bytes) ?? refuse();
  // Bytes above 127 in the path mean themselves; in the host they are UTF-8, for IDNA.
  const escaped = rest!.replace(/[\x80-\xff]/g, encodeUrl);
  const text = `${scheme}://${bytesToText(authority!)}${escaped}`;
  return URL.canParse(text) ? new URL(text) : refuse();
}

/** Where a redirect leads; undefined when it leads to nothing that HTTP can fetch. */
export function redirectTarget(location: string, from: URL): URL | undefined {
  const text = location.replace(/[\x80-\xff]/g, encodeUrl);
  if (!URL.canParse(text, from.href)) return undefined;
  const target = new URL(text, from.href);
  return target.protocol === 'http:' || target.protocol === 'https:' ? target : undefined;
}

/** The host without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}
