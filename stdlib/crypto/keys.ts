// Keys as scripts hand them in: a key resource, PEM text, DER bytes, a configured id. Parsing an RSA key costs as much as
// half a signature, and scripts hand in the same text for every message, so parsed keys are kept, found by a hash of the text.

import {
  createPrivateKey,
  createPublicKey,
  hash,
  type KeyObject,
  type PrivateKeyInput,
  type PublicKeyInput,
} from 'node:crypto';
import { type CallContext, HslResource, type Value } from '#lang';
import { pemBlocks } from '../certificates/pem.js';
import { PRIVATE_KEY_RESOURCE } from '../loaders/certificates.js';
import { servicesOf } from '../services.js';

/** How a private key is written down: PEM says itself what it holds, DER does not. */
export type PrivateKeyForm = 'pem' | 'pkcs8' | 'pkcs1' | 'sec1';
/** How a public key is written down. */
export type PublicKeyForm = 'pem' | 'spki' | 'pkcs1';

/** The longest text that is taken for a key: RSA with 16,384 bits, OpenSSL's largest, has 13 KiB in PEM. */
const LONGEST_KEY_TEXT = 64 * 1024;
/** How many parsed keys are kept. */
const MOST_KEYS = 256;

/** In order of use, the longest unused first. */
const kept = new Map<string, KeyObject>();

/** Makes a key unless one was made of the same text before. What cannot be read is tried anew each time. */
function parsed(kind: string, text: string, make: () => KeyObject): KeyObject | undefined {
  if (text.length > LONGEST_KEY_TEXT) return undefined;
  const name = `${kind} ${hash('sha256', text, 'base64')}`;
  let key = kept.get(name);
  if (key === undefined) {
    try {
      key = make();
    } catch {
      // What is wrong is not told: the reason could hold parts of the key.
      return undefined;
    }
    if (kept.size >= MOST_KEYS) kept.delete(kept.keys().next().value!);
  } else {
    kept.delete(name);
  }
  kept.set(name, key);
  return key;
}

/** A private key written in a given form, without a passphrase; undefined when it is none. */
export function privateKeyIn(form: PrivateKeyForm, text: string): KeyObject | undefined {
  return parsed(`private ${form}`, text, () =>
    createPrivateKey(
      form === 'pem'
        ? text
        : ({ key: Buffer.from(text, 'latin1'), format: 'der', type: form } satisfies PrivateKeyInput),
    ),
  );
}

/** A public key written in a given form; undefined when it is none. */
export function publicKeyIn(form: PublicKeyForm, text: string): KeyObject | undefined {
  return parsed(`public ${form}`, text, () =>
    createPublicKey(
      form === 'pem'
        ? text
        : ({ key: Buffer.from(text, 'latin1'), format: 'der', type: form } satisfies PublicKeyInput),
    ),
  );
}

/** The private key of a PEM text that may hold other things, certificates for example; undefined without exactly one. */
export function privateKeyInPem(text: string): KeyObject | undefined {
  const keys = [...pemBlocks(text)].filter(({ label }) => label.endsWith('PRIVATE KEY'));
  return keys.length === 1 ? privateKeyIn('pem', keys[0]!.text) : undefined;
}

/** The private key behind a resource; undefined when there is another thing behind it. */
export function privateKeyBehind(resource: HslResource): KeyObject | undefined {
  return resource.type === PRIVATE_KEY_RESOURCE ? (resource.payload as KeyObject) : undefined;
}

/**
 * The private key that a value stands for. Text beginning with `-----BEGIN` is PEM; `pki:ID` is a configured key, and so
 * is any other short text with `isId`. DER is tried as PKCS#8, then as PKCS#1 and SEC 1.
 * @returns undefined when it is none; the reason is not told, since it could hold parts of the key
 */
export function privateKeyOf(value: Value, ctx: CallContext, isId = false): KeyObject | undefined {
  if (value instanceof HslResource) return privateKeyBehind(value);
  if (typeof value !== 'string') return undefined;
  if (isId || value.startsWith('pki:')) return servicesOf(ctx).configured.key(value)?.key;
  if (value.includes('-----BEGIN ')) return privateKeyIn('pem', value);
  for (const form of ['pkcs8', 'pkcs1', 'sec1'] as const) {
    const key = privateKeyIn(form, value);
    if (key !== undefined) return key;
  }
  return undefined;
}

/** A public key in PEM or DER (SubjectPublicKeyInfo, else the RSA form of PKCS#1). */
export function publicKeyOf(text: string): KeyObject | undefined {
  if (text.includes('-----BEGIN ')) return publicKeyIn('pem', text);
  return publicKeyIn('spki', text) ?? publicKeyIn('pkcs1', text);
}

// RFC 8410 §7 and §4: the fixed bytes before the 32 that make an Ed25519 key.
const ED25519_PRIVATE_PREFIX = '\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20';
const ED25519_PUBLIC_PREFIX = '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00';
const ED25519_BYTES = 32;

/** An Ed25519 key of its 32 raw bytes, or of 64: those and the public key, which must belong to them. */
export function ed25519PrivateKey(raw: string): KeyObject | undefined {
  if (raw.length !== ED25519_BYTES && raw.length !== 2 * ED25519_BYTES) return undefined;
  const key = privateKeyIn('pkcs8', ED25519_PRIVATE_PREFIX + raw.slice(0, ED25519_BYTES));
  if (key === undefined || raw.length === ED25519_BYTES) return key;
  const publicBytes = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('latin1');
  return publicBytes.endsWith(raw.slice(ED25519_BYTES)) ? key : undefined;
}

/** An Ed25519 public key of its 32 raw bytes. */
export function ed25519PublicKey(raw: string): KeyObject | undefined {
  return raw.length === ED25519_BYTES ? publicKeyIn('spki', ED25519_PUBLIC_PREFIX + raw) : undefined;
}
