// The `cert` argument of CMS functions: a certificate and its private key, in one of the forms that scripts use.

import type { KeyObject, X509Certificate } from 'node:crypto';
import { type CallContext, HslArray, HslResource, ScriptFault, typeWord, type Value } from '#lang';
import { certificatesInPem } from '../../certificates/certificate.js';
import { certificatesOf } from '../../certificates/certificate-values.js';
import { servicesOf } from '../../services.js';
import { privateKeyInPem, privateKeyOf } from '../keys.js';
import type { Recipient } from './decrypt.js';
import type { Signer } from './sign.js';

/** A key and the certificates that came with it, its own first if there is one. */
interface KeyAndCertificates {
  readonly key: KeyObject;
  readonly certificates: readonly X509Certificate[];
}

/**
 * What the argument stands for: PEM text with both, an id of the configuration (`pki:ID`, or with `isId`), or an array with `x509`,
 * `privatekey` and perhaps `chain`.
 * @returns undefined when a key or a certificate cannot be read or is not configured
 * @throws ScriptFault when it is of another type
 */
function keyAndCertificates(
  value: Value,
  isId: boolean,
  name: string,
  ctx: CallContext,
): KeyAndCertificates | undefined {
  if (value instanceof HslArray) return fromArray(value, name, ctx);
  if (typeof value !== 'string') {
    const found = value instanceof HslResource ? value.type : typeWord(value);
    throw new ScriptFault(
      `${name}: argument 2 (cert) must be PEM text, an id, or an array with x509 and privatekey, found ${found}`,
    );
  }
  if (isId || value.startsWith('pki:')) return servicesOf(ctx).configured.key(value);
  return fromPem(value);
}

function fromPem(text: string): KeyAndCertificates | undefined {
  const found = certificatesInPem(text);
  const key = privateKeyInPem(text);
  if (found === undefined || key === undefined) return undefined;
  const own = found.find((certificate) => certificate.checkPrivateKey(key));
  return own === undefined
    ? undefined
    : { key, certificates: [own, ...found.filter((certificate) => certificate !== own)] };
}

function fromArray(value: HslArray, name: string, ctx: CallContext): KeyAndCertificates | undefined {
  const part = (key: string) => `${name}: argument 2 (cert), key "${key}"`;
  const given = value.get('privatekey') ?? null;
  if (typeof given !== 'string' && !(given instanceof HslResource))
    throw new ScriptFault(`${part('privatekey')}: expected a key resource or text, found ${typeWord(given)}`);
  const own = certificatesOf(value.get('x509') ?? null, part('x509'), ctx);
  const chain = certificatesOf(value.get('chain') ?? null, part('chain'), ctx);
  const key = privateKeyOf(given, ctx);
  return key === undefined ? undefined : { key, certificates: [...own, ...chain] };
}

/** Who signs; undefined when there is no key with its certificate. */
export function signerOf(value: Value, isId: boolean, name: string, ctx: CallContext): Signer | undefined {
  const found = keyAndCertificates(value, isId, name, ctx);
  const [certificate, ...chain] = found?.certificates ?? [];
  return found === undefined || certificate === undefined
    ? undefined
    : { key: found.key, certificate, chain };
}

/** Who decrypts; undefined when there is no key. */
export function recipientOf(
  value: Value,
  isId: boolean,
  name: string,
  ctx: CallContext,
): Recipient | undefined {
  const found = keyAndCertificates(value, isId, name, ctx);
  return found === undefined ? undefined : { key: found.key, certificate: found.certificates[0] };
}
