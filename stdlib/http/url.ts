// The URL of a request, from the bytes a script wrote: `$1` filled in, bytes that a URL cannot hold escaped as they are,
// and nothing when it is no URL for HTTP.

import { bytesToText } from '#lang';
import { encodeUrl } from '../encodings/percent.js';

/** Puts the values, URL-encoded, in the places of `$1`, `$2`, …; a place without a value stays. */
export function fillPlaces(url: string, values: readonly string[]): string {
  return url.replace(/\$([1-9][0-9]{0,4})/g, (place, number: string) => {
    const value = values[Number(number) - 1];
    return value === undefined ? place : encodeUrl(value);
  });
}

/** The URL; undefined when it is none with http or https: scripts take URLs out of messages, where anything may stand. */
export function parseHttpUrl(bytes: string): URL | undefined {
  if (/[\x00-\x1f\x7f]/.test(bytes)) return undefined;
  const parts = /^(https?):\/\/([^/?#]+)(.*)$/i.exec(bytes);
  if (parts === null) return undefined;
  const [, scheme, authority, rest] = parts;
  // Bytes above 127 in the path mean themselves; in the host they are UTF-8, for IDNA.
  const escaped = rest!.replace(/[\x80-\xff]/g, encodeUrl);
  const text = `${scheme}://${bytesToText(authority!)}${escaped}`;
  return URL.canParse(text) ? new URL(text) : undefined;
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
