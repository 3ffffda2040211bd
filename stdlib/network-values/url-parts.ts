// A URL taken apart as it is written (RFC 3986 appendix B). Nothing is decoded or resolved: a script that compares parts
// must see what a peer wrote. Only the host is made comparable: in lower case, an IPv6 address without its brackets.

import { isIPv6 } from 'node:net';
import { lowerCaseAscii } from '../mail/addresses/mailbox.js';

/** What is not there is undefined; what is there but empty (`?` at the end) is the empty text. */
export interface UrlParts {
  readonly scheme: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly hostname: string | undefined;
  readonly port: number | undefined;
  readonly path: string | undefined;
  readonly query: string | undefined;
  readonly fragment: string | undefined;
}

const URL_PATTERN = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/;

/** The parts of a URL or of a relative reference; undefined for what can be neither. */
export function textToUrlParts(text: string): UrlParts | undefined {
  if (text === '' || /[\x00-\x20\x7f]/.test(text)) return undefined;
  const match = URL_PATTERN.exec(text);
  if (match === null) return undefined;
  const [, scheme, authority, path, query, fragment] = match;
  const place = authority === undefined ? nowhere : readAuthority(authority);
  if (place === undefined) return undefined;
  return {
    scheme: scheme?.toLowerCase(),
    ...place,
    path: path === '' ? undefined : path,
    query,
    fragment,
  };
}

type Authority = Pick<UrlParts, 'username' | 'password' | 'hostname' | 'port'>;

const nowhere: Authority = { username: undefined, password: undefined, hostname: undefined, port: undefined };

function readAuthority(authority: string): Authority | undefined {
  // An @ in a password should be encoded; where it is not, the host is what follows the last one.
  const at = authority.lastIndexOf('@');
  const [, username, password] =
    at === -1
      ? []
      : (/^([^:]*)(?::(.*))?$/.exec(authority.slice(0, at)) as unknown as (string | undefined)[]);
  const match = /^(\[[^[\]]*\]|[^[\]:]*)(?::(\d*))?$/.exec(authority.slice(at + 1));
  if (match === null) return undefined;
  const hostname = readHost(match[1]!);
  // `http://example.com:` has no port; RFC 3986 §3.2.3.
  const port = match[2] === undefined || match[2] === '' ? undefined : Number(match[2]);
  if (hostname === undefined || (port !== undefined && port > 65535)) return undefined;
  if (hostname !== '') return { username, password, hostname, port };
  return at === -1 && port === undefined ? nowhere : undefined;
}

function readHost(host: string): string | undefined {
  if (!host.startsWith('[')) return lowerCaseAscii(host);
  const literal = host.slice(1, -1).toLowerCase();
  return isIPv6(literal) || /^v[0-9a-f]+\.[\w.~!$&'()*+,;=:-]+$/.test(literal) ? literal : undefined;
}
