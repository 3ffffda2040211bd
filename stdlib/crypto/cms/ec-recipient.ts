// The content's key, wrapped for an elliptic curve key: ephemeral-static ECDH (RFC 5753 §3.1).

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import {
  context,
  type DerElement,
  readBits,
  readOctets,
  readOid,
  readWhole,
  tags,
} from '../../certificates/der-reader.js';
import * as der from '../../certificates/der-writer.js';

/** Hash of the key derivation, by scheme: standard and cofactor Diffie-Hellman, which are the same on the NIST curves. */
const schemes: Readonly<Record<string, string>> = {
  '1.3.133.16.840.63.0.2': 'sha1',
  '1.3.132.1.11.0': 'sha224',
  '1.3.132.1.11.1': 'sha256',
  '1.3.132.1.11.2': 'sha384',
  '1.3.132.1.11.3': 'sha512',
  '1.3.133.16.840.63.0.3': 'sha1',
  '1.3.132.1.14.0': 'sha224',
  '1.3.132.1.14.1': 'sha256',
  '1.3.132.1.14.2': 'sha384',
  '1.3.132.1.14.3': 'sha512',
};
const OUR_SCHEME = '1.3.132.1.11.1';

/** Ciphers that wrap keys (RFC 3565 §2.3.2, RFC 3370 §4.3.1). */
const wraps: Readonly<Record<string, { readonly cipher: string; readonly keyBytes: number }>> = {
  '2.16.840.1.101.3.4.1.5': { cipher: 'id-aes128-wrap', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.25': { cipher: 'id-aes192-wrap', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.45': { cipher: 'id-aes256-wrap', keyBytes: 32 },
  '1.2.840.113549.1.9.16.3.6': { cipher: 'id-smime-alg-CMS3DESwrap', keyBytes: 24 },
};
const OUR_WRAP = '2.16.840.1.101.3.4.1.45';
const WRAP_IV = Buffer.alloc(8, 0xa6); // RFC 3394 §2.2.3.1
const ivOf = (cipher: string): Buffer | null => (cipher.startsWith('id-aes') ? WRAP_IV : null);

/** KeyAgreeRecipientInfo as it is read: what to derive the wrapping key from. */
export interface KeyAgreement {
  readonly originator: DerElement;
  readonly userKey: Buffer | undefined;
  readonly algorithm: DerElement;
}

/** X9.63's key derivation with ECC-CMS-SharedInfo (RFC 5753 §7.2). */
function deriveKey(
  secret: Buffer,
  hash: string,
  wrapAlgorithm: Buffer,
  keyBytes: number,
  userKey: Buffer | undefined,
): Buffer {
  const bits = Buffer.alloc(4);
  bits.writeUInt32BE(keyBytes * 8);
  const info = der.sequence(
    wrapAlgorithm,
    ...(userKey === undefined ? [] : [der.tagged(0, der.octetString(userKey))]),
    der.tagged(2, der.octetString(bits)),
  );
  const parts: Buffer[] = [];
  for (let counter = 1, length = 0; length < keyBytes; counter++) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(counter);
    const part = createHash(hash).update(secret).update(number).update(info).digest();
    parts.push(part);
    length += part.length;
  }
  return Buffer.concat(parts).subarray(0, keyBytes);
}

/** KeyAgreeRecipientInfo for one recipient; `id` is its IssuerAndSerialNumber. */
export function wrapKey(key: Buffer, recipient: KeyObject, id: Buffer): Buffer {
  const namedCurve = recipient.asymmetricKeyDetails?.namedCurve ?? '';
  const ephemeral = generateKeyPairSync('ec', { namedCurve });
  const secret = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: recipient });
  const { cipher, keyBytes } = wraps[OUR_WRAP]!;
  const wrapAlgorithm = der.algorithm(OUR_WRAP);
  const wrapping = deriveKey(secret, schemes[OUR_SCHEME]!, wrapAlgorithm, keyBytes, undefined);
  const wrapper = createCipheriv(cipher, wrapping, WRAP_IV);
  const wrapped = Buffer.concat([wrapper.update(key), wrapper.final()]);
  const info = readWhole(ephemeral.publicKey.export({ type: 'spki', format: 'der' })).fields();
  const algorithm = info.next().raw;
  const point = readBits(info.next());
  return der.element(
    context(1),
    der.integer(3),
    der.tagged(0, der.tagged(1, algorithm, der.bitString(point))),
    der.algorithm(OUR_SCHEME, wrapAlgorithm),
    der.sequence(der.sequence(id, der.octetString(wrapped))),
  );
}

/**
 * Unwraps the key of the content.
 * @returns undefined for algorithms that we do not read
 * @throws MalformedDer, or Error of node:crypto when the key is another
 */
export function unwrapKey(agreement: KeyAgreement, wrapped: Buffer, key: KeyObject): Buffer | undefined {
  const fields = agreement.algorithm.expect(tags.sequence).fields();
  const hash = schemes[readOid(fields.next())];
  const wrapAlgorithm = fields.next(tags.sequence);
  const wrap = wraps[readOid(wrapAlgorithm.fields().next())];
  if (hash === undefined || wrap === undefined) return undefined;
  const secret = diffieHellman({ privateKey: key, publicKey: originatorKey(agreement.originator, key) });
  const wrapping = deriveKey(secret, hash, wrapAlgorithm.raw, wrap.keyBytes, agreement.userKey);
  const unwrapper = createDecipheriv(wrap.cipher, wrapping, ivOf(wrap.cipher));
  return Buffer.concat([unwrapper.update(wrapped), unwrapper.final()]);
}

/** The sender's point, on the curve of the recipient's key: the message need not name the curve again. */
function originatorKey(originator: DerElement, key: KeyObject): KeyObject {
  const fields = originator.inner().expect(context(1)).fields();
  fields.next(tags.sequence);
  const point = readOctets(fields.next(tags.bitString)).subarray(1);
  const own = readWhole(createPublicKey(key).export({ type: 'spki', format: 'der' })).fields();
  const info = der.sequence(own.next().raw, der.bitString(point));
  return createPublicKey({ key: info, format: 'der', type: 'spki' });
}
