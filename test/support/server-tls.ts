// Certificates of a server that has several names, and of clients: made once for a test file.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type ConfiguredKey, certificatesInPem, privateKeyInPem } from '#stdlib';
import type { ServerTlsSettings } from '../../src/smtp/tls/server-contexts.js';
import { createAuthority, type TestAuthority, type TestCertificate } from './test-certificates.js';

export interface ServerCertificates {
  readonly folder: string;
  readonly authority: TestAuthority;
  readonly plain: TestCertificate;
  readonly exact: TestCertificate;
  readonly wild: TestCertificate;
  readonly client: TestCertificate;
}

/** Made before the tests of the file, gone after them. */
export function serverCertificates(): () => ServerCertificates {
  let made: ServerCertificates | undefined;
  beforeAll(() => {
    const folder = mkdtempSync(path.join(tmpdir(), 'argonite-tls-'));
    const authority = createAuthority(folder);
    made = {
      folder,
      authority,
      plain: authority.issue('plain.test', ['DNS:plain.test']),
      exact: authority.issue('mx.example.test', ['DNS:mx.example.test']),
      wild: authority.issue('*.example.test', ['DNS:*.example.test']),
      client: authority.issue('client.test', ['DNS:client.test']),
    };
  });
  afterAll(() => {
    if (made !== undefined) rmSync(made.folder, { recursive: true, force: true });
  });
  return () => made!;
}

/** As the configuration has it. */
export function configured({ key, cert }: TestCertificate): ConfiguredKey {
  return { key: privateKeyInPem(key)!, certificates: certificatesInPem(cert)! };
}

/** A default certificate, one for a name and one for a wildcard. */
export function serverTls(
  { plain, exact, wild }: ServerCertificates,
  changes: Partial<ServerTlsSettings> = {},
): ServerTlsSettings {
  return {
    certificates: [
      { key: configured(plain), names: [] },
      { key: configured(exact), names: ['mx.example.test'] },
      { key: configured(wild), names: ['*.example.test'] },
    ],
    protocols: undefined,
    ciphers: undefined,
    clientCertificate: 'none',
    authorities: [],
    ...changes,
  };
}
