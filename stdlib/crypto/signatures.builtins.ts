// RSA and Ed25519 signatures (group 6 of the library). They wait: the work is done on a thread of the pool.

import type { KeyObject } from 'node:crypto';
import { type Builtin, builtin, type CallContext, HslResource, type OptionKeys } from '#lang';
import { servicesOf } from '../services.js';
import {
  ed25519PrivateKey,
  ed25519PublicKey,
  privateKeyBehind,
  privateKeyIn,
  privateKeyOf,
  publicKeyIn,
} from './keys.js';
import { signBytes, verifyBytes } from './signing.js';

const message = { name: 'message', type: 'string' } as const;
const signature = { name: 'signature', type: 'string' } as const;
const common = {
  hash: {
    type: 'string',
    default: 'sha256',
    oneOf: ['md5', 'sha1', 'sha256', 'sha512'],
    doc: 'The hash that is signed.',
  },
  pem: { type: 'boolean', default: false, doc: 'The key is PEM text, of either form; else DER bytes.' },
} as const satisfies OptionKeys;

const isConfigured = (key: string, id: boolean): boolean => id || key.startsWith('pki:');

function rsaSigningKey(
  key: string | HslResource,
  { format, pem, id }: { readonly format: string; readonly pem: boolean; readonly id: boolean },
  ctx: CallContext,
): KeyObject | undefined {
  if (key instanceof HslResource) return privateKeyBehind(key);
  if (isConfigured(key, id)) return privateKeyOf(key, ctx, true);
  return privateKeyIn(pem ? 'pem' : format === 'RSAPrivateKey' ? 'pkcs1' : 'pkcs8', key);
}

/** The public half of what is configured: of the certificate, which is there also where the key is elsewhere. */
function configuredPublicKey(id: string, ctx: CallContext): KeyObject | undefined {
  const entry = servicesOf(ctx).configured.key(id);
  return entry?.certificates[0]?.publicKey ?? entry?.key;
}

/** A key of another kind would sign in another way, which is no answer to what was asked. */
const onlyOf = (type: string, key: KeyObject | undefined): KeyObject | undefined =>
  key?.asymmetricKeyType === type ? key : undefined;

export const rsaSign = builtin({
  name: 'rsa_sign',
  group: 'crypto',
  summary: 'Signs a text with RSA (PKCS#1 v1.5).',
  params: [
    message,
    {
      name: 'key',
      type: 'resource|string',
      doc: 'From rsa_privatekey or an import; DER or PEM; or a configured key, `pki:ID`.',
    },
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        ...common,
        format: {
          type: 'string',
          default: 'RSAPrivateKey',
          oneOf: ['RSAPrivateKey', 'PrivateKeyInfo'],
          doc: 'What the DER bytes are: PKCS#1 or PKCS#8.',
        },
        id: { type: 'boolean', default: false, doc: 'The key is the id of a configured one.' },
      },
    },
  ],
  returns: 'string|none',
  errors: 'None when the key is no RSA key in this form, or too short for the hash.',
  example: 'length(rsa_sign("message", "pki:example"))  // 256',
  since: '4.7',
  source: 'stdlib 6; RFC 8017 §8.2',
  suspends: true,
  run: async (text, key, options, ctx) => {
    const signer = onlyOf('rsa', rsaSigningKey(key, options, ctx));
    if (signer === undefined) return null;
    const made = await signBytes(Buffer.from(text, 'latin1'), signer, { hash: options.hash });
    return made?.toString('latin1') ?? null;
  },
});

export const rsaVerify = builtin({
  name: 'rsa_verify',
  group: 'crypto',
  summary: 'Checks an RSA signature (PKCS#1 v1.5).',
  details: 'The key in a DKIM record is a SubjectPublicKeyInfo in base64.',
  params: [
    message,
    signature,
    { name: 'publickey', type: 'string', doc: 'DER or PEM, or a configured key, `pki:ID`.' },
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        ...common,
        format: {
          type: 'string',
          default: 'RSAPublicKey',
          oneOf: ['RSAPublicKey', 'SubjectPublicKeyInfo'],
          doc: 'What the DER bytes are.',
        },
        id: { type: 'boolean', default: false, doc: 'The key is the id of a configured one.' },
      },
    },
  ],
  returns: 'boolean|none',
  errors: 'None when the key is no RSA key in this form.',
  example:
    'rsa_verify("message", rsa_sign("message", "pki:example"), "pki:example")  // true\n' +
    'rsa_verify("another", rsa_sign("message", "pki:example"), "pki:example")  // false',
  since: '4.7',
  source: 'stdlib 6; RFC 8017 §8.2',
  suspends: true,
  run: async (text, given, key, { hash, format, pem, id }, ctx) => {
    const form = pem ? 'pem' : format === 'RSAPublicKey' ? 'pkcs1' : 'spki';
    const verifier = onlyOf(
      'rsa',
      isConfigured(key, id) ? configuredPublicKey(key, ctx) : publicKeyIn(form, key),
    );
    if (verifier === undefined) return null;
    const bytes = Buffer.from(given, 'latin1');
    return (await verifyBytes(Buffer.from(text, 'latin1'), bytes, verifier, { hash })) ?? null;
  },
});

export const ed25519Sign = builtin({
  name: 'ed25519_sign',
  group: 'crypto',
  summary: 'Signs a text with Ed25519.',
  params: [
    message,
    {
      name: 'key',
      type: 'resource|string',
      doc: 'From ed25519_privatekey or an import; the 32 raw bytes, or 64 with the public key behind them; or `pki:ID`.',
    },
  ],
  returns: 'string|none',
  errors: 'None when the key is none, or the two halves of 64 bytes do not belong together.',
  example:
    'base64_encode(ed25519_sign("", base64_decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")))  ' +
    '// "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw=="',
  since: '4.7',
  source: 'stdlib 6; RFC 8032 §5.1',
  suspends: true,
  run: async (text, key, ctx) => {
    const found =
      key instanceof HslResource || key.startsWith('pki:') ? privateKeyOf(key, ctx) : ed25519PrivateKey(key);
    const signer = onlyOf('ed25519', found);
    if (signer === undefined) return null;
    return (await signBytes(Buffer.from(text, 'latin1'), signer, { hash: null }))?.toString('latin1') ?? null;
  },
});

export const ed25519Verify = builtin({
  name: 'ed25519_verify',
  group: 'crypto',
  summary: 'Checks an Ed25519 signature.',
  params: [message, signature, { name: 'publickey', type: 'string', doc: 'The 32 raw bytes.' }],
  returns: 'boolean|none',
  errors: 'None when signature or key have a wrong length.',
  example:
    'ed25519_verify("", base64_decode("5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw=="), ' +
    'base64_decode("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="))  // true',
  since: '4.7',
  source: 'stdlib 6; RFC 8032 §5.1',
  suspends: true,
  run: async (text, given, key) => {
    const verifier = ed25519PublicKey(key);
    if (verifier === undefined || given.length !== 64) return null;
    const bytes = Buffer.from(given, 'latin1');
    return (await verifyBytes(Buffer.from(text, 'latin1'), bytes, verifier, { hash: null })) ?? null;
  },
});

export const signatures: readonly Builtin[] = [rsaSign, rsaVerify, ed25519Sign, ed25519Verify];
