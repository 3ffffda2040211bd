// CMS (S/MIME) for scripts: signed and encrypted messages as DER. Group 6 of the library.

import { type Builtin, builtin, HslArray, type OptionKeys, type Value } from '#lang';
import { certificatesOf, certificateValue } from '../../certificates/certificate-values.js';
import { reserveText } from '../../limits.js';
import { type CipherName, cipherNames } from './content-ciphers.js';
import { contentTypeName } from './content-info.js';
import { decryptContent } from './decrypt.js';
import { encryptForRecipients } from './encrypt.js';
import { recipientOf, signerOf } from './key-values.js';
import { type SignOptions, signContent } from './sign.js';
import { verifySignedData } from './verify.js';

const source = 'stdlib 6; RFC 5652';
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const message = { name: 'message', type: 'string' } as const;
const cert = {
  name: 'cert',
  type: 'string|array',
  doc: 'PEM text with certificate and private key; a configured key, `pki:ID`; or an array with `x509`, `privatekey`, and `chain` (further certificates).',
} as const;
const signKeys = {
  id: { type: 'boolean', default: false, doc: '`cert` is the id of a configured key.' },
  detached: { type: 'boolean', default: true, doc: 'The message stays outside of the signature.' },
} as const satisfies OptionKeys;

const outcome = (data: Buffer | undefined): HslArray =>
  HslArray.fromRecord({ result: data !== undefined, data: data?.toString('latin1') ?? null });

export const pkcs7Sign = builtin({
  name: 'pkcs7_sign',
  group: 'crypto',
  summary: 'Signs a message as S/MIME wants it, with SHA-256.',
  details:
    'The same as cms_sign, with another result. The message is signed byte by byte: for mail its lines must end in CRLF.',
  params: [message, cert, { name: 'options', type: 'options', optional: true, keys: signKeys }],
  returns: 'string|none',
  errors: 'None when key or certificate cannot be read, or do not belong together.',
  example: 'cms_type(pkcs7_sign("message", "pki:example"))  // "pkcs7-signedData"',
  since: '5.1',
  source: 'stdlib 6; RFC 2315, RFC 5652',
  suspends: true,
  run: async (text, given, { id, detached }, ctx) => {
    reserveText(ctx, 'pkcs7_sign', detached ? 0 : text.length);
    const signer = signerOf(given, id, 'pkcs7_sign', ctx);
    if (signer === undefined) return null;
    const signingTime = ctx.host.clock.now();
    const signed = await signContent(bytes(text), signer, { digest: 'sha256', detached, signingTime });
    return signed?.toString('latin1') ?? null;
  },
});

export const cmsSign = builtin({
  name: 'cms_sign',
  group: 'crypto',
  summary: 'Signs a message as S/MIME wants it.',
  details:
    'Keys are RSA, RSA-PSS, elliptic curves or Ed25519. The message is signed byte by byte: for mail its lines must end in CRLF.',
  params: [
    message,
    cert,
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        ...signKeys,
        digest: {
          type: 'string',
          default: 'sha256',
          oneOf: ['sha256', 'sha384', 'sha512'],
          doc: 'The hash of the message; with Ed25519 it is always sha512.',
        },
      },
    },
  ],
  returns: 'array',
  errors:
    'The array has `result` (boolean) and `data` (DER); false and none when key or certificate cannot be read, or do not belong together.',
  example: [
    '$signed = cms_sign("message", "pki:example", ["detached" => false]);',
    'echo $signed["result"];  // true',
    'echo cms_verify($signed["data"], none, ["store" => ["pki:example"]], ["data" => true])["data"];  // message',
  ].join('\n'),
  source,
  suspends: true,
  run: async (text, given, { id, detached, digest }, ctx) => {
    reserveText(ctx, 'cms_sign', detached ? 0 : text.length);
    const signer = signerOf(given, id, 'cms_sign', ctx);
    if (signer === undefined) return outcome(undefined);
    const options: SignOptions = {
      digest: digest as SignOptions['digest'],
      detached,
      signingTime: ctx.host.clock.now(),
    };
    return outcome(await signContent(bytes(text), signer, options));
  },
});

export const cmsVerify = builtin({
  name: 'cms_verify',
  group: 'crypto',
  summary: 'Checks a signed message: every signature in it, and whether the signers are trusted.',
  details: [
    'Signers are trusted when their certificate leads to one of `store` and may be used for mail; without `store` when it is itself',
    'one of `certs`. With `store`, `certs` adds certificates that the message does not carry. Names and mail addresses are not',
    'compared: that is for the script, which gets the certificates in `signers`.',
  ].join('\n'),
  params: [
    { name: 'signature', type: 'string', doc: 'DER.' },
    { name: 'message', type: 'string|none', doc: 'The message when it is not inside the signature.' },
    {
      name: 'certs',
      type: 'array',
      doc: 'An array with `certs`, `store` or both: lists of X509 resources or objects, PEM texts or `pki:ID`.',
    },
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        detached: {
          type: 'boolean',
          doc: 'True: the message must be given; false: the one inside counts; by default one that is given.',
        },
        data: { type: 'boolean', default: false, doc: 'Give the message, too.' },
      },
    },
  ],
  returns: 'array',
  errors:
    'The array has `result` (boolean), `error` (none, or the reason), `data` (the message when asked for and good, else none) and ' +
    '`signers` (X509 resources of those found, trusted or not).',
  example: [
    '$signature = pkcs7_sign("message", "pki:example");',
    'echo cms_verify($signature, "message", ["store" => ["pki:example"]])["result"];  // true',
    'echo cms_verify($signature, "another", ["store" => ["pki:example"]])["error"];  // digest mismatch',
  ].join('\n'),
  source,
  suspends: true,
  run: async (signature, text, certs, { detached, data }, ctx) => {
    const part = (key: string) => `cms_verify: argument 3 (certs), key "${key}"`;
    const store = certs.get('store');
    const given = detached === false ? null : text;
    const result =
      detached === true && text === null
        ? ({ kind: 'bad', problem: 'no content', signers: [] } as const)
        : await verifySignedData(bytes(signature), {
            content: given === null ? undefined : bytes(given),
            certificates: certificatesOf(certs.get('certs') ?? null, part('certs'), ctx),
            anchors:
              store === undefined || store === null ? undefined : certificatesOf(store, part('store'), ctx),
            now: ctx.host.clock.now(),
          });
    const isGood = result.kind === 'good';
    if (isGood && data) reserveText(ctx, 'cms_verify', result.content.length);
    return HslArray.fromRecord({
      result: isGood,
      error: isGood ? null : result.problem,
      data: isGood && data ? result.content.toString('latin1') : null,
      signers: HslArray.fromList(result.signers.map(certificateValue)),
    });
  },
});

/** Recipients: under the key `certs`, or the array itself. */
function recipientsIn(certs: HslArray): { readonly value: Value; readonly where: string } {
  const value = certs.get('certs');
  const where = 'cms_encrypt: argument 2 (certs)';
  return value === undefined ? { value: certs, where } : { value, where: `${where}, key "certs"` };
}

export const cmsEncrypt = builtin({
  name: 'cms_encrypt',
  group: 'crypto',
  summary: 'Encrypts a message for the owners of certificates.',
  details:
    'Certificates with RSA keys and with keys on elliptic curves. They are not checked: X509->verify does that. The ciphers with `gcm` ' +
    'also notice changes; older mail programs cannot read them.',
  params: [
    message,
    {
      name: 'certs',
      type: 'array',
      doc: 'An array with `certs`: X509 resources or objects, PEM texts or `pki:ID`.',
    },
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        cipher: { type: 'string', default: 'aes-256-cbc', oneOf: cipherNames, doc: 'Cipher of the message.' },
        oaep: {
          type: 'boolean',
          default: false,
          doc: 'For RSA keys: OAEP with SHA-256, which older mail programs cannot read.',
        },
      },
    },
  ],
  returns: 'array',
  errors:
    'The array has `result` (boolean) and `data` (DER); false and none without recipients, or for one with a key of another kind.',
  example: [
    '$encrypted = cms_encrypt("message", ["certs" => ["pki:example"]]);',
    'echo cms_type($encrypted["data"]);  // pkcs7-envelopedData',
    'echo cms_decrypt($encrypted["data"], "pki:example")["data"];  // message',
  ].join('\n'),
  source: 'stdlib 6; RFC 5652 §6, RFC 5083',
  run: (text, certs, { cipher, oaep }, ctx) => {
    const { value, where } = recipientsIn(certs);
    const recipients = certificatesOf(value, where, ctx);
    if (recipients.length === 0) return outcome(undefined);
    reserveText(ctx, 'cms_encrypt', text.length + recipients.length * 1024);
    return outcome(encryptForRecipients(bytes(text), recipients, { cipher: cipher as CipherName, oaep }));
  },
});

export const cmsDecrypt = builtin({
  name: 'cms_decrypt',
  group: 'crypto',
  summary: 'Decrypts a message.',
  details:
    'The certificate finds the key among the recipients; without one (a configured key alone) there must be a single recipient with ' +
    'such a key. Beside AES it reads triple DES of older mail programs.',
  params: [
    { name: 'message', type: 'string', doc: 'DER.' },
    { ...cert, type: 'string|array|none', default: null },
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: { id: { type: 'boolean', default: false, doc: '`cert` is the id of a configured key.' } },
    },
  ],
  returns: 'array',
  errors:
    'The array has `result` (boolean) and `data` (the message); false and none for every failure alike: the reason would help whoever ' +
    'sends messages to find out about the key.',
  example: 'cms_decrypt("no message", "pki:example")  // {"result":false,"data":null}',
  source: 'stdlib 6; RFC 5652 §6, RFC 5083',
  run: (data, given, { id }, ctx) => {
    reserveText(ctx, 'cms_decrypt', data.length);
    const recipient = given === null ? undefined : recipientOf(given, id, 'cms_decrypt', ctx);
    return outcome(recipient === undefined ? undefined : decryptContent(bytes(data), recipient));
  },
});

export const cmsType = builtin({
  name: 'cms_type',
  group: 'crypto',
  summary: 'Names the kind of a CMS message: `pkcs7-signedData`, `pkcs7-envelopedData` and others.',
  details:
    'Of a signed and encrypted message it is the outermost kind. What is encrypted with gcm is `id-smime-ct-authEnvelopedData`.',
  params: [{ name: 'data', type: 'string', doc: 'DER.' }],
  returns: 'string|none',
  errors: 'None when it is no such message.',
  example: 'cms_type("no message")  // null',
  source: 'stdlib 6; RFC 5652 §3',
  run: (data) => contentTypeName(bytes(data)) ?? null,
});

export const cms: readonly Builtin[] = [pkcs7Sign, cmsSign, cmsVerify, cmsEncrypt, cmsDecrypt, cmsType];
