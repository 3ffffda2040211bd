// Private keys as scripts hand them in: a key resource, PEM text, DER bytes, a configured id.

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type CallContext, HslResource, type Value } from '#lang';
import { PRIVATE_KEY_RESOURCE } from '../loaders/certificates.js';
import { servicesOf } from '../services.js';

/**
 * The private key that a value stands for. Text beginning with `-----BEGIN` is PEM; `pki:ID` is a configured key, and so
 * is any other short text with `isId`. DER is tried as PKCS#8, then as PKCS#1 and SEC 1.
 * @returns undefined when it is none; the reason is not told, since it could hold parts of the key
 */
export function privateKeyOf(value: Value, ctx: CallContext, isId = false): KeyObject | undefined {
  if (value instanceof HslResource)
    return value.type === PRIVATE_KEY_RESOURCE ? (value.payload as KeyObject) : undefined;
  if (typeof value !== 'string') return undefined;
  if (isId || value.startsWith('pki:')) return servicesOf(ctx).configured.key(value)?.key;
  if (value.includes('-----BEGIN ')) return tryKey(() => createPrivateKey(value));
  const der = Buffer.from(value, 'latin1');
  for (const type of ['pkcs8', 'pkcs1', 'sec1'] as const) {
    const key = tryKey(() => createPrivateKey({ key: der, format: 'der', type }));
    if (key !== undefined) return key;
  }
  return undefined;
}

/** A public key in PEM or DER (SubjectPublicKeyInfo, else the RSA form of PKCS#1). */
export function publicKeyOf(text: string): KeyObject | undefined {
  if (text.includes('-----BEGIN ')) return tryKey(() => createPublicKey(text));
  const der = Buffer.from(text, 'latin1');
  for (const type of ['spki', 'pkcs1'] as const) {
    const key = tryKey(() => createPublicKey({ key: der, format: 'der', type }));
    if (key !== undefined) return key;
  }
  return undefined;
}

function tryKey(make: () => KeyObject): KeyObject | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
