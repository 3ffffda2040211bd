// Certificates for tests of TLS, made anew by openssl: an authority, and certificates that it signed.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface TestCertificate {
  readonly key: string;
  readonly cert: string;
  readonly keyFile: string;
  readonly certFile: string;
}

export interface TestAuthority {
  readonly cert: string;
  readonly certFile: string;
  /** `names` as openssl takes them: `DNS:mx.test`, `IP:127.0.0.1`. */
  issue(
    commonName: string,
    names: readonly string[],
    options?: { readonly isExpired?: boolean },
  ): TestCertificate;
}

function openssl(folder: string, ...args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** An authority of its own in `folder`, which must be there. */
export function createAuthority(folder: string): TestAuthority {
  const file = (name: string): string => path.join(folder, name);
  const keyArgs = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    folder,
    'req',
    '-x509',
    ...keyArgs,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '30',
    '-subj',
    '/CN=Test authority',
  );
  let serial = 1;
  return {
    cert: readFileSync(file('ca.crt'), 'latin1'),
    certFile: file('ca.crt'),
    issue: (commonName, names, { isExpired = false } = {}) => {
      const id = `leaf${serial++}`;
      openssl(
        folder,
        'req',
        ...keyArgs,
        '-keyout',
        `${id}.key`,
        '-out',
        `${id}.csr`,
        '-subj',
        `/CN=${commonName}`,
      );
      writeFileSync(file(`${id}.ext`), names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`);
      const days = isExpired ? ['-days', '-1'] : ['-days', '30'];
      openssl(
        folder,
        'x509',
        '-req',
        '-in',
        `${id}.csr`,
        '-CA',
        'ca.crt',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-extfile',
        `${id}.ext`,
        '-out',
        `${id}.crt`,
        ...days,
      );
      return {
        key: readFileSync(file(`${id}.key`), 'latin1'),
        cert: readFileSync(file(`${id}.crt`), 'latin1'),
        keyFile: file(`${id}.key`),
        certFile: file(`${id}.crt`),
      };
    },
  };
}
