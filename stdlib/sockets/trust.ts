// Whom TLS trusts. `tls_default_ca` means the certificates that this system's operator trusts; without it those that come
// with Node (Mozilla's list). The system's bundle is read at its first use and again when it has changed.

import { readFileSync, statSync } from 'node:fs';

/** Where systems keep their bundle: Debian, Fedora, openSUSE, Alpine and BSD. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

export interface TrustBundle {
  /** Changes when the content does. */
  readonly version: string;
  readonly pem: string;
}

let last: TrustBundle | undefined;

/** The system's bundle; undefined when it has none. `SSL_CERT_FILE` names another, as for OpenSSL. */
export function systemTrust(env: NodeJS.ProcessEnv = process.env): TrustBundle | undefined {
  const named = env['SSL_CERT_FILE'];
  for (const file of named ? [named] : BUNDLES) {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile()) continue;
    const version = `${file} ${stat.mtimeMs} ${stat.size}`;
    if (last?.version !== version) last = { version, pem: readFileSync(file, 'latin1') };
    return last;
  }
  return undefined;
}
