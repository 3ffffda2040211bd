// Checks a signature against the message as it was received, once its key is known (RFC 6376 §6.1.3). A message with
// several signatures is read once for all that hash its body alike.

import { createHash, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import type { MessageSource } from '../message-source.js';
import { canonicalFields, type SectionBytes, withSignatureField } from './canonical-header.js';
import { type BodyKind, bodyKindKey, type MessageContent, readContent } from './message-content.js';
import type { Signature } from './signature.js';
import { ALGORITHMS } from './signature-tags.js';

/** @returns why the signature does not match the message, or undefined when it does */
export async function signatureProblem(
  source: MessageSource,
  signature: Signature,
  key: KeyObject,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { algorithm, bodyCanonicalization, bodyLength } = signature;
  const { hash } = ALGORITHMS[algorithm];
  const kind: BodyKind = { canonicalization: bodyCanonicalization, hash, limit: bodyLength };
  const content = await contentOf(source, kind, signal);
  if (content === undefined) return 'the header section is too long';
  const body = content.bodies.get(bodyKindKey(kind))!;
  if (bodyLength !== Number.POSITIVE_INFINITY && bodyLength > body.canonicalBytes)
    return 'l= is more than the body has';
  if (signature.bodyHash.length !== body.digest.length || !timingSafeEqual(signature.bodyHash, body.digest))
    return 'the body hash does not match';
  const isGood = await verifySignature(signedBytes(content.header, signature), signature, key);
  return isGood ? undefined : 'the signature does not match';
}

function signedBytes(header: SectionBytes, signature: Signature): Buffer {
  const { headerCanonicalization, signedNames, field, unsignedField } = signature;
  // A signature does not sign itself, even if it lists its own name.
  const itself = header.section.fields.find(
    ({ start, end }) => end - start === field.length && field.equals(header.bytes.subarray(start, end)),
  );
  const fields = canonicalFields(header, signedNames, headerCanonicalization, itself);
  return withSignatureField(fields, unsignedField, headerCanonicalization);
}

function verifySignature(bytes: Buffer, { algorithm, value }: Signature, key: KeyObject): Promise<boolean> {
  return new Promise((resolve) => {
    // A signature of impossible length is an error to some versions of OpenSSL and a mismatch to others.
    const finish = (error: Error | null, isGood: boolean) => resolve(error === null && isGood);
    if (algorithm === 'ed25519-sha256')
      verify(null, createHash('sha256').update(bytes).digest(), key, value, finish);
    else verify(ALGORITHMS[algorithm].hash, bytes, key, value, finish);
  });
}

/** So many ways to hash a body are remembered; l= makes any number of them possible. */
const MOST_REMEMBERED = 4;
const remembered = new WeakMap<MessageSource, Map<string, MessageContent>>();

async function contentOf(
  source: MessageSource,
  kind: BodyKind,
  signal: AbortSignal,
): Promise<MessageContent | undefined> {
  let known = remembered.get(source);
  if (known === undefined) {
    known = new Map();
    remembered.set(source, known);
  }
  const key = bodyKindKey(kind);
  const found = known.get(key);
  if (found !== undefined) return found;
  const whole = [{ kind: 'range', start: 0, end: source.sizeBytes }] as const;
  const content = await readContent(source, whole, [kind], 'itself', signal);
  if (content !== undefined && known.size < MOST_REMEMBERED) known.set(key, content);
  return content;
}
