// Chains of certificates with which DANE is tried: every shape once, made by openssl, and a TLS server that shows one.

import { createHash, type X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer } from 'node:tls';
import { publicKeyInfoOf } from '#stdlib';
import type { TlsaRecord } from '../../src/delivery/security/dane/tlsa.js';
import { authorityExtensions, TestAuthority, type TestCertificate } from './test-authority.js';

/** What a server shows, and who may be named in records. */
export interface DaneChain {
  readonly name: string;
  readonly server: TestCertificate;
  /** Sent behind the server's own. */
  readonly others: readonly TestCertificate[];
  /** Certificates that a record may speak of, sent or not. */
  readonly subjects: readonly TestCertificate[];
}

export const serverExtensions = (names: string, purpose = 'serverAuth'): readonly string[] => [
  'basicConstraints=critical,CA:false',
  'keyUsage=critical,digitalSignature,keyEncipherment',
  `extendedKeyUsage=${purpose}`,
  `subjectAltName=${names}`,
];

/** Makes all chains in a folder of its own; `close` removes it. */
export function createDaneChains(): { readonly chains: readonly DaneChain[]; close(): void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-dane-'));
  mkdirSync(folder, { recursive: true });
  const authority = new TestAuthority(folder);
  const root = authority.certificate('root', { extensions: authorityExtensions });
  const middle = authority.certificate('middle', { issuer: root, extensions: authorityExtensions });
  const stranger = authority.certificate('stranger', { extensions: authorityExtensions });
  const notAnAuthority = authority.certificate('plain', {
    issuer: root,
    extensions: ['basicConstraints=critical,CA:false'],
  });
  const leaf = (name: string, issuer: TestCertificate | undefined, changes = {}) =>
    authority.certificate(name, {
      ...(issuer === undefined ? {} : { issuer }),
      extensions: serverExtensions('DNS:mx.test'),
      ...changes,
    });
  const good = leaf('good', middle);
  const direct = leaf('direct', root);
  const alone = leaf('alone', undefined);
  const expired = leaf('expired', middle, { days: -1 });
  const elsewhere = leaf('elsewhere', middle, { extensions: serverExtensions('DNS:other.test') });
  const wild = leaf('wild', middle, { extensions: serverExtensions('DNS:*.test') });
  const client = leaf('client', middle, { extensions: serverExtensions('DNS:mx.test', 'clientAuth') });
  const badlyIssued = leaf('badly', notAnAuthority);
  const rsa = leaf('rsa', middle, { key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] });
  const subjects = [root, middle, stranger];
  const constrained = (
    name: string,
    constraints: string,
    names = 'DNS:mx.test',
    subject = '/O=Tests/CN=mx.test',
  ) => {
    const issuer = authority.certificate(name, {
      issuer: root,
      extensions: [
        ...authorityExtensions,
        `nameConstraints=critical,${constraints}`,
        '[dn]',
        'O=Tests',
        '[other]',
        'O=Others',
      ],
    });
    const server = leaf(`${name}-leaf`, issuer, { extensions: serverExtensions(names), subject });
    return { name: `constrained: ${constraints}; ${names} ${subject}`, server, others: [issuer, root] };
  };
  const constrainedChains = [
    constrained('c1', 'permitted;DNS:test'),
    constrained('c2', 'permitted;DNS:.test'),
    constrained('c3', 'permitted;DNS:mx.test'),
    constrained('c4', 'permitted;DNS:x.test'),
    constrained('c5', 'excluded;DNS:test'),
    constrained('c6', 'permitted;DNS:test,excluded;DNS:mx.test'),
    constrained('c7', 'permitted;DNS:test', 'DNS:mx.test,DNS:mx.other'),
    constrained('c8', 'permitted;IP:192.0.2.0/255.255.255.0'),
    constrained('c9', 'permitted;IP:192.0.2.0/255.255.255.0', 'DNS:mx.test,IP:192.0.2.1'),
    constrained('c10', 'permitted;IP:192.0.2.0/255.255.255.0', 'DNS:mx.test,IP:198.51.100.1'),
    constrained('c11', 'excluded;email:a.test', 'DNS:mx.test,email:a@a.test'),
    constrained('c12', 'permitted;email:.a.test', 'DNS:mx.test,email:a@b.a.test'),
    constrained('c13', 'permitted;dirName:dn'),
    constrained('c14', 'permitted;dirName:other'),
    constrained('c15', 'excluded;dirName:dn'),
    constrained('c16', 'permitted;email:a.test', 'DNS:mx.test', '/O=Tests/CN=mx.test/emailAddress=a@b.test'),
    constrained('c17', 'permitted;URI:.test'),
  ];
  const chains = [
    { name: 'whole', server: good, others: [middle, root] },
    { name: 'without its root', server: good, others: [middle] },
    { name: 'without its issuer', server: good, others: [] },
    { name: 'out of order', server: good, others: [root, middle] },
    { name: 'with a stranger in it', server: good, others: [stranger, middle, root] },
    { name: 'of two', server: direct, others: [root] },
    { name: 'of two, without its root', server: direct, others: [] },
    { name: 'signed by itself', server: alone, others: [] },
    { name: 'signed by itself and sent twice', server: alone, others: [alone] },
    { name: 'expired', server: expired, others: [middle, root] },
    { name: 'for another host', server: elsewhere, others: [middle, root] },
    { name: 'with a wildcard', server: wild, others: [middle, root] },
    { name: 'for clients', server: client, others: [middle, root] },
    { name: 'issued by no authority', server: badlyIssued, others: [notAnAuthority, root] },
    { name: 'with an RSA key', server: rsa, others: [middle, root] },
    ...constrainedChains,
  ].map((chain) => ({ ...chain, subjects: [chain.server, ...subjects] }));
  return { chains, close: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A record that speaks of a certificate; `isWrong`: of none that exists. */
export function recordOf(
  { certificate }: { readonly certificate: X509Certificate },
  usage: number,
  selector: number,
  matchingType: number,
  isWrong = false,
): TlsaRecord {
  const bytes = selector === 0 ? certificate.raw : publicKeyInfoOf(certificate)!;
  const data =
    matchingType === 0
      ? bytes
      : createHash(matchingType === 1 ? 'sha256' : 'sha512')
          .update(bytes)
          .digest();
  const wrong = Buffer.from(data);
  // The last byte of a key or signature: what comes before must stay readable.
  wrong[wrong.length - 1]! ^= 1;
  return { usage, selector, matchingType, data: (isWrong ? wrong : data).toString('hex') };
}

/** A TLS server on a free port of loopback that shows a chain. */
export async function showChain({
  server,
  others,
}: DaneChain): Promise<{ readonly port: number; close(): Promise<void> }> {
  const listener = createServer(
    { key: server.keyPem, cert: [server, ...others].map(({ pem }) => pem).join('') },
    (socket) => {
      socket.on('error', () => {});
      socket.end();
    },
  );
  listener.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
      }),
  };
}
