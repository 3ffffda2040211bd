// Whom a certificate is for (RFC 6125 §6.4): host names with at most one wildcard, which is the whole leftmost label.

import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** Whether the certificate is for a host name or IP address. */
export function isCertificateFor(certificate: X509Certificate, name: string): boolean {
  const literal = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
  if (isIP(literal) !== 0) return certificate.checkIP(literal) !== undefined;
  const host = literal.endsWith('.') ? literal.slice(0, -1) : literal;
  if (!/^[A-Za-z0-9_.-]+$/.test(host)) return false;
  return certificate.checkHost(host, { partialWildcards: false, multiLabelWildcards: false }) !== undefined;
}

/** Whether it is for one of these names; `*.a.test` takes any name with one label more than `a.test`. */
export function isCertificateForOneOf(certificate: X509Certificate, names: readonly string[]): boolean {
  return names.some((name) =>
    name.startsWith('*.')
      ? certificateHosts(certificate).some((host) => matchesOneLabel(host, name.toLowerCase()))
      : isCertificateFor(certificate, name),
  );
}

/** Whether a name is `*.` and one label less than it. */
export function matchesOneLabel(host: string, pattern: string): boolean {
  const dot = host.indexOf('.');
  return host === pattern || (dot > 0 && host.slice(dot) === pattern.slice(1));
}

/** The DNS names in the certificate, lower case. Names that had to be quoted are no host names. */
function certificateHosts(certificate: X509Certificate): string[] {
  return (certificate.subjectAltName ?? '')
    .split(', ')
    .filter((entry) => entry.startsWith('DNS:') && !entry.includes('"'))
    .map((entry) => entry.slice(4).toLowerCase());
}
