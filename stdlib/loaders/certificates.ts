// Data files with certificates and keys. By default scripts get PEM text, which every option that takes a certificate or
// key accepts; with `resource` what node:crypto has parsed, behind a resource.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { type DataLoader, HslArray, HslResource } from '#lang';

/** The word scripts see for a parsed certificate; its payload is an X509Certificate. */
export const X509_RESOURCE = 'X509Resource';
/** A parsed certificate, for who shows one to scripts. */
export type ParsedCertificate = X509Certificate;

/** A parsed certificate as scripts have it. */
export function certificateResource(certificate: ParsedCertificate): HslResource {
  return new HslResource(X509_RESOURCE, certificate);
}

/** The word scripts see for a parsed private key; its payload is a KeyObject. */
export const PRIVATE_KEY_RESOURCE = 'PrivateKeyResource';

const CERTIFICATE =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const PRIVATE_KEY =
  /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----[\s\S]*?-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----/g;

/** A list of certificates, also of a single one. The file is PEM, or one certificate in DER. */
export const crtLoader: DataLoader = {
  extensions: ['.crt', '.pem'],
  options: ['resource'],
  load: (file, options) => {
    const resource = options.get('resource') ?? false;
    if (typeof resource !== 'boolean') return { problem: 'the option resource must be true or false' };
    const certificates: X509Certificate[] = [];
    const texts = [...file.text.matchAll(CERTIFICATE)];
    if (texts.length === 0) {
      const single = parseCertificate(file.text);
      if (single === undefined) return { problem: 'there is no certificate in it, neither PEM nor DER' };
      certificates.push(single);
    }
    for (const [text] of texts) {
      const certificate = parseCertificate(text);
      if (certificate === undefined) {
        const line = file.text.slice(0, file.text.indexOf(text)).split('\n').length;
        return { problem: 'this certificate cannot be read', line };
      }
      certificates.push(certificate);
    }
    return {
      value: HslArray.fromList(
        certificates.map((certificate) =>
          resource ? new HslResource(X509_RESOURCE, certificate) : certificate.toString(),
        ),
      ),
    };
  },
};

/** One private key in PEM, without a passphrase. */
export const keyLoader: DataLoader = {
  extensions: ['.key'],
  options: ['resource'],
  load: (file, options) => {
    const resource = options.get('resource') ?? false;
    if (typeof resource !== 'boolean') return { problem: 'the option resource must be true or false' };
    const texts = file.text.match(PRIVATE_KEY);
    if (texts === null) return { problem: 'there is no private key in PEM form in it' };
    if (texts.length > 1)
      return { problem: `there are ${texts.length} private keys in it; it must hold one` };
    const key = parseKey(texts[0]!);
    // The text of the error could hold parts of the key.
    if (key === undefined)
      return { problem: 'the private key cannot be read; a passphrase is not supported' };
    return { value: resource ? new HslResource(PRIVATE_KEY_RESOURCE, key) : `${texts[0]}\n` };
  },
};

function parseCertificate(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(Buffer.from(text, 'latin1'));
  } catch {
    // Whatever is wrong with it, the caller says that it cannot be read.
    return undefined;
  }
}

function parseKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // Whatever is wrong with it, the caller says that it cannot be read.
    return undefined;
  }
}
