// Protocol lists as scripts and configuration write them (hooks 12.1): `!SSLv2,!SSLv3` excludes, `TLSv1.2,TLSv1.3` names
// what is allowed. SSL 2 and 3 are always excluded: no library we run on has them any more.

import { constants } from 'node:crypto';
import type { SecureVersion } from 'node:tls';

const versions: readonly { readonly version: SecureVersion; readonly off: number }[] = [
  { version: 'TLSv1', off: constants.SSL_OP_NO_TLSv1 },
  { version: 'TLSv1.1', off: constants.SSL_OP_NO_TLSv1_1 },
  { version: 'TLSv1.2', off: constants.SSL_OP_NO_TLSv1_2 },
  { version: 'TLSv1.3', off: constants.SSL_OP_NO_TLSv1_3 },
];
const gone = ['sslv2', 'sslv3'];

/** What a secure context takes. */
export interface ProtocolRange {
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  /** Switches off what lies between and is not wanted. */
  readonly secureOptions: number;
}

/** Reads a list; a sentence when it names what is not known, or leaves nothing. */
export function parseProtocols(list: string): ProtocolRange | { readonly problem: string } {
  const named = new Set<SecureVersion>();
  const excluded = new Set<SecureVersion>();
  let namesAny = false;
  for (const written of list.split(/[,:\s]+/)) {
    if (written === '') continue;
    const isExcluded = /^[!-]/.test(written);
    const name = written.replace(/^[!+-]/, '').toLowerCase();
    if (!isExcluded) namesAny = true;
    if (gone.includes(name)) continue;
    const found = versions.find(
      ({ version }) => version.toLowerCase() === (name === 'tlsv1.0' ? 'tlsv1' : name),
    );
    if (found === undefined) {
      return {
        problem: `"${written.replace(/[^\x20-\x7e]/g, '?')}" is no TLS protocol; expected TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3, with "!" to exclude it`,
      };
    }
    (isExcluded ? excluded : named).add(found.version);
  }
  const isAllowed = (version: SecureVersion) => (!namesAny || named.has(version)) && !excluded.has(version);
  const allowed = versions.filter(({ version }) => isAllowed(version));
  const lowest = allowed[0];
  const highest = allowed.at(-1);
  if (lowest === undefined || highest === undefined) {
    return {
      problem: `the TLS protocols "${list.replace(/[^\x20-\x7e]/g, '?')}" leave none that can be spoken`,
    };
  }
  return {
    minVersion: lowest.version,
    maxVersion: highest.version,
    secureOptions: versions.reduce((bits, { version, off }) => (isAllowed(version) ? bits : bits | off), 0),
  };
}
