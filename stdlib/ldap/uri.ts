// Where a directory is: ldap://, ldaps:// and ldapi:// (RFC 4516, and for UNIX sockets what OpenLDAP made of it).

import { bytesToText, ScriptFault } from '#lang';

export type LdapServer =
  | { readonly kind: 'host'; readonly host: string; readonly port: number; readonly isSecure: boolean }
  | { readonly kind: 'path'; readonly path: string };

/** A referral says more than a server. */
export interface LdapUri {
  readonly server: LdapServer;
  /** The part behind the host, decoded; empty when there is none. */
  readonly base: string;
}

const DEFAULT_SOCKET = '/var/run/slapd/ldapi';

/** One URI; undefined when it is none. */
export function parseLdapUri(uri: string): LdapUri | undefined {
  const match = /^(ldaps?|ldapi):\/\/([^/?#]*)(?:\/([^?#]*)[^#]*)?$/i.exec(uri);
  if (match === null || /[\x00-\x20\x7f]/.test(uri)) return undefined;
  const scheme = match[1]!.toLowerCase();
  const authority = match[2]!;
  const base = unescaped(match[3] ?? '');
  if (scheme === 'ldapi') {
    const path = unescaped(authority) || DEFAULT_SOCKET;
    return path.includes('\0') ? undefined : { server: { kind: 'path', path: bytesToText(path) }, base };
  }
  const isSecure = scheme === 'ldaps';
  const host = /^(?:\[([0-9a-f:.]+)\]|([^:@[\]]*))(?::(\d{1,5}))?$/i.exec(authority);
  if (host === null) return undefined;
  const port = host[3] === undefined ? (isSecure ? 636 : 389) : Number(host[3]);
  if (port < 1 || port > 65535) return undefined;
  const name = bytesToText(unescaped(host[1] ?? host[2]!)) || 'localhost';
  return { server: { kind: 'host', host: name, port, isSecure }, base };
}

function unescaped(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** The URIs of `LDAP()`, separated by spaces or commas: tried one after the other. @throws ScriptFault */
export function parseLdapServers(text: string): readonly LdapServer[] {
  const servers = text
    .split(/[\s,]+/)
    .filter((uri) => uri !== '')
    .map((uri) => {
      const parsed = parseLdapUri(uri);
      if (parsed === undefined)
        throw new ScriptFault(
          `LDAP: "${uri.slice(0, 80).replace(/\/\/[^/]*@/, '//')}" is no URI of a directory; expected ldap://HOST, ldaps://HOST or ldapi://PATH`,
        );
      return parsed.server;
    });
  if (servers.length === 0)
    throw new ScriptFault('LDAP: the URI is empty; expected ldap://HOST, ldaps://HOST or ldapi://PATH');
  return servers;
}
