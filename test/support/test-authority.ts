// Certificates, keys and revocation lists made by openssl, for tests: every one is a file that openssl can be asked about.

import { execFileSync } from 'node:child_process';
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A certificate and its key, in files. */
export interface TestCertificate {
  readonly name: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly pem: string;
  readonly keyPem: string;
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** How a certificate is made. */
export interface TestCertificateOptions {
  readonly issuer?: TestCertificate;
  /** As `openssl genpkey` takes it; P-256. */
  readonly key?: readonly string[];
  /** Lines of an openssl extension section. */
  readonly extensions?: readonly string[];
  readonly subject?: string;
  readonly serial?: number;
  readonly days?: number;
  readonly sign?: readonly string[];
}

/** Kinds of keys for `openssl genpkey`. */
export const keyKinds = {
  ec: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p384: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  p521: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
  rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  pss: ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'],
  ed25519: ['-algorithm', 'ED25519'],
} as const;

/** Extensions of an authority. */
export const authorityExtensions = [
  'basicConstraints=critical,CA:true',
  'keyUsage=critical,keyCertSign,cRLSign',
  'subjectKeyIdentifier=hash',
];
/** Extensions of a certificate for mail. */
export const mailExtensions = [
  'basicConstraints=critical,CA:false',
  'keyUsage=critical,digitalSignature,keyEncipherment,keyAgreement',
  'extendedKeyUsage=emailProtection',
  'subjectKeyIdentifier=hash',
];

/** Makes files in a folder with openssl. */
export class TestAuthority {
  #serial = 0x1000;
  constructor(readonly folder: string) {}

  file(name: string, content?: string | Buffer): string {
    const file = path.join(this.folder, name);
    if (content !== undefined) writeFileSync(file, content, 'latin1');
    return file;
  }

  /** Runs openssl. @returns what it wrote to stdout */
  openssl(args: readonly string[], input?: string | Buffer): Buffer {
    return execFileSync('openssl', args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      input: typeof input === 'string' ? Buffer.from(input, 'latin1') : (input ?? ''),
    });
  }

  /** A certificate signed by its issuer, or by itself. */
  certificate(name: string, options: TestCertificateOptions = {}): TestCertificate {
    const keyFile = this.file(`${name}.key`);
    const certificateFile = this.file(`${name}.crt`);
    this.openssl(['genpkey', ...(options.key ?? keyKinds.ec), '-out', keyFile]);
    const extensions = this.file(`${name}.ext`, `${(options.extensions ?? []).join('\n')}\n`);
    const request = this.openssl([
      'req',
      '-new',
      '-key',
      keyFile,
      '-subj',
      options.subject ?? `/O=Tests/CN=${name}`,
    ]);
    const { issuer } = options;
    this.openssl(
      [
        'x509',
        '-req',
        ...(issuer === undefined
          ? ['-signkey', keyFile]
          : ['-CA', issuer.certificateFile, '-CAkey', issuer.keyFile]),
        '-set_serial',
        String(options.serial ?? this.#serial++),
        '-days',
        String(options.days ?? 3650),
        '-extfile',
        extensions,
        ...(options.sign ?? []),
        '-out',
        certificateFile,
      ],
      request,
    );
    return this.#read(name, certificateFile, keyFile);
  }

  /** A revocation list of `issuer` with these serial numbers. */
  revocationList(
    name: string,
    issuer: TestCertificate,
    revoked: readonly (readonly [serial: string, reason?: string])[],
    days = 30,
  ): { readonly file: string; readonly pem: string } {
    const lines = revoked.map(
      ([serial, reason]) =>
        `R\t330101000000Z\t250101000000Z${reason === undefined ? '' : `,${reason}`}\t${serial}\tunknown\t/CN=x\n`,
    );
    const database = this.file(`${name}.db`, lines.join(''));
    this.file(`${name}.db.attr`, 'unique_subject = no\n');
    const settings = this.file(
      `${name}.cnf`,
      `[ca]\ndefault_ca=it\n[it]\ndatabase=${database}\ndefault_md=sha256\ncrlnumber=${this.file(`${name}.number`, '01\n')}\n` +
        'crl_extensions=extensions\n[extensions]\nauthorityKeyIdentifier=keyid\n',
    );
    const file = this.file(`${name}.crl`);
    const key = ['-keyfile', issuer.keyFile, '-cert', issuer.certificateFile];
    this.openssl(['ca', '-config', settings, '-gencrl', ...key, '-crldays', String(days), '-out', file]);
    return { file, pem: readFileSync(file, 'latin1') };
  }

  #read(name: string, certificateFile: string, keyFile: string): TestCertificate {
    const pem = readFileSync(certificateFile, 'latin1');
    const keyPem = readFileSync(keyFile, 'latin1');
    return {
      name,
      certificateFile,
      keyFile,
      pem,
      keyPem,
      certificate: new X509Certificate(pem),
      key: createPrivateKey(keyPem),
    };
  }
}
