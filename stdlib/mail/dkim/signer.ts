// Signs messages (RFC 6376 §5, RFC 8463, RFC 8617 §4.1.2). Several signatures of a message share everything they agree on:
// the message is read once, each body kind is hashed once, each list of header fields made canonical once. The private
// key operations run in the thread pool, all at the same time.

import { createHash, type KeyObject, sign } from 'node:crypto';
import type { MessageSource, Pieces } from '../message-source.js';
import type { HeaderSection } from '../mime/header-section.js';
import { canonicalFields, withSignatureField } from './canonical-header.js';
import { type BodyKind, bodyKindKey, type MessageContent, readContent } from './message-content.js';
import { type SignatureTags, signedField, unsignedField } from './signature-field.js';
import { ALGORITHMS, type Algorithm, type Canonicalization, SHORTEST_RSA_BITS } from './signature-tags.js';

/** One signature to be made. */
export interface SignatureRequest {
  readonly selector: string;
  readonly domain: string;
  readonly key: KeyObject;
  readonly algorithm: Algorithm;
  readonly headerCanonicalization: Canonicalization;
  readonly bodyCanonicalization: Canonicalization;
  /** Names to sign as often as they occur, lower case. From is signed in any case. */
  readonly headers: readonly string[];
  /** Names to sign once more than they occur, so that none can be added. */
  readonly oversignHeaders: readonly string[];
  /** Unix time for t=. */
  readonly timestamp: number | undefined;
  /** Unix time for x=. */
  readonly expiration: number | undefined;
  readonly identity: string | undefined;
  /** Hash at most so many bytes of the canonical body and say so in l=; Infinity says how long it is now. */
  readonly bodyLength: number | undefined;
  /** An ARC-Message-Signature of this instance, or of the next one. */
  readonly arc: number | 'next' | undefined;
  /** Sign the message as received, whatever was edited. */
  readonly discardChanges: boolean;
}

/** A finished signature field. */
export interface SignatureField {
  readonly name: 'DKIM-Signature' | 'ARC-Message-Signature';
  /** The whole field, folded, without its final line end. */
  readonly text: string;
}

/** RFC 8617 §4.2.1. */
export const MOST_ARC_INSTANCES = 50;
/** An instance tag behind so many others is not looked for. */
const MOST_TAGS_READ = 100;

/** Whether the key can sign with that algorithm. */
export function isKeyFor(algorithm: Algorithm, key: KeyObject): boolean {
  if (key.type !== 'private' || key.asymmetricKeyType !== ALGORITHMS[algorithm].keyType) return false;
  const bits = key.asymmetricKeyDetails?.modulusLength;
  return bits === undefined || bits >= SHORTEST_RSA_BITS;
}

/**
 * Makes all signatures of one message.
 * @returns the fields in the order of the requests; undefined when one of them cannot be made
 */
export async function signMessage(
  source: MessageSource,
  pieces: Pieces,
  requests: readonly SignatureRequest[],
  signal: AbortSignal,
): Promise<readonly SignatureField[] | undefined> {
  if (requests.some(({ algorithm, key }) => !isKeyFor(algorithm, key))) return undefined;
  const original: Pieces = [{ kind: 'range', start: 0, end: source.sizeBytes }];
  const forms = [
    { pieces, requests: requests.filter(({ discardChanges }) => !discardChanges) },
    { pieces: original, requests: requests.filter(({ discardChanges }) => discardChanges) },
  ];
  const signed = new Map<SignatureRequest, Promise<SignatureField | undefined>>();
  for (const form of forms) {
    if (form.requests.length === 0) continue;
    const reading = readContent(source, form.pieces, form.requests.map(bodyKindOf), 'space', signal);
    const content = reading instanceof Promise ? await reading : reading;
    if (content === undefined) return undefined;
    const shared = new SharedFields(content);
    for (const request of form.requests) signed.set(request, makeSignature(request, shared));
  }
  const fields = await Promise.all(requests.map((request) => signed.get(request)));
  return fields.every((field) => field !== undefined) ? fields : undefined;
}

function bodyKindOf({ bodyCanonicalization, algorithm, bodyLength }: SignatureRequest): BodyKind {
  return {
    canonicalization: bodyCanonicalization,
    hash: ALGORITHMS[algorithm].hash,
    limit: bodyLength ?? Number.POSITIVE_INFINITY,
  };
}

/** What signatures of one message have in common. */
class SharedFields {
  readonly content: MessageContent;
  readonly #occurrences = new Map<string, number>();
  readonly #canonical = new Map<string, Buffer>();

  constructor(content: MessageContent) {
    this.content = content;
    for (const { name } of content.header.section.fields)
      this.#occurrences.set(name, (this.#occurrences.get(name) ?? 0) + 1);
  }

  /** The value of h=. */
  signedNames({ headers, oversignHeaders }: SignatureRequest): string[] {
    const names: string[] = [];
    for (const name of new Set(['from', ...headers, ...oversignHeaders])) {
      let count = this.#occurrences.get(name) ?? 0;
      if (oversignHeaders.includes(name)) count++;
      // From must be listed (RFC 6376 §5.4), also when there is none.
      else if (name === 'from') count = Math.max(count, 1);
      for (; count > 0; count--) names.push(name);
    }
    return names;
  }

  canonicalFields(names: readonly string[], canonicalization: Canonicalization): Buffer {
    const key = `${canonicalization} ${names.join(':')}`;
    let fields = this.#canonical.get(key);
    if (fields === undefined) {
      fields = canonicalFields(this.content.header, names, canonicalization);
      this.#canonical.set(key, fields);
    }
    return fields;
  }

  nextArcInstance(): number {
    const { bytes, section } = this.content.header;
    return highestArcInstance(bytes, section) + 1;
  }
}

function makeSignature(request: SignatureRequest, shared: SharedFields): Promise<SignatureField | undefined> {
  const { algorithm, headerCanonicalization } = request;
  const arcInstance = request.arc === 'next' ? shared.nextArcInstance() : request.arc;
  if (arcInstance !== undefined && arcInstance > MOST_ARC_INSTANCES) return Promise.resolve(undefined);
  const body = shared.content.bodies.get(bodyKindKey(bodyKindOf(request)))!;
  const signedNames = shared.signedNames(request);
  const tags: SignatureTags = {
    arcInstance,
    algorithm,
    headerCanonicalization,
    bodyCanonicalization: request.bodyCanonicalization,
    domain: request.domain,
    selector: request.selector,
    identity: request.identity,
    timestamp: request.timestamp,
    expiration: request.expiration,
    bodyLength:
      request.bodyLength === undefined ? undefined : Math.min(request.bodyLength, body.canonicalBytes),
    signedNames,
    bodyHash: body.digest,
  };
  const unsigned = unsignedField(tags);
  const fields = shared.canonicalFields(signedNames, headerCanonicalization);
  const signedBytes = withSignatureField(fields, Buffer.from(unsigned, 'latin1'), headerCanonicalization);
  const name = arcInstance === undefined ? 'DKIM-Signature' : 'ARC-Message-Signature';
  return new Promise((resolve) => {
    const finish = (error: Error | null, signature: Buffer) =>
      resolve(error === null ? { name, text: signedField(unsigned, signature) } : undefined);
    // Ed25519 signs the hash as if it were the message (RFC 8463 §3).
    if (algorithm === 'ed25519-sha256')
      sign(null, createHash('sha256').update(signedBytes).digest(), request.key, finish);
    else sign(ALGORITHMS[algorithm].hash, signedBytes, request.key, finish);
  });
}

/** The highest instance that an ARC field of the section names; 0 without any. */
export function highestArcInstance(bytes: Buffer, section: HeaderSection): number {
  let highest = 0;
  for (const { name, valueStart, end } of section.fields) {
    if (!/^arc-(?:seal|message-signature|authentication-results)$/.test(name)) continue;
    for (const tag of bytes.toString('latin1', valueStart, end).split(';', MOST_TAGS_READ)) {
      const instance = /^\s*i\s*=\s*(\d{1,9})\s*$/.exec(tag);
      if (instance === null) continue;
      highest = Math.max(highest, Number(instance[1]));
      break;
    }
  }
  return highest;
}
