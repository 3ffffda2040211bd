// A received signature field, read and judged by itself: everything that can be said before its key is known
// (RFC 6376 §6.1.1; RFC 8617 §4.1.2 for ARC-Message-Signature).

import { HeaderReader } from './canonical-header.js';
import {
  ALGORITHMS,
  type Algorithm,
  type Canonicalization,
  decodeBase64,
  isTagDomain,
  isWithin,
  LONGEST_TAG_LIST,
  readTagList,
  withoutSignatureValue,
} from './signature-tags.js';
import { MOST_ARC_INSTANCES } from './signer.js';

/** A signature worth asking for its key. */
export interface Signature {
  readonly tags: ReadonlyMap<string, string>;
  readonly algorithm: Algorithm;
  readonly headerCanonicalization: Canonicalization;
  readonly bodyCanonicalization: Canonicalization;
  readonly domain: string;
  readonly selector: string;
  /** The domain of i=, when it is there. */
  readonly identityDomain: string | undefined;
  /** Lower case, as listed. */
  readonly signedNames: readonly string[];
  readonly bodyHash: Buffer;
  /** From l=; Infinity without. */
  readonly bodyLength: number;
  readonly value: Buffer;
  /** The field in wire form with its line end, to find it in the message by. */
  readonly field: Buffer;
  /** The field with an empty b= and no line end. */
  readonly unsignedField: Buffer;
}

/** A signature that cannot pass, whatever its key. `tags` when it could be read that far. */
export interface Refusal {
  readonly error: string;
  readonly tags?: ReadonlyMap<string, string>;
}

/** How a signature is judged. */
export interface SignatureRules {
  /** Unix time, for x=. */
  readonly now: number;
  /** Take rsa-sha1, which is historic (RFC 8301 §3.1). */
  readonly allowsSha1: boolean;
}

/** Reads a raw DKIM-Signature or ARC-Message-Signature field. */
export function readSignature(text: string, rules: SignatureRules): Signature | Refusal {
  const field = wireField(text);
  if (field === undefined) return { error: 'not a header field' };
  const colon = field.indexOf(':');
  const name = field.slice(0, colon).trimEnd().toLowerCase();
  if (colon === -1 || (name !== 'dkim-signature' && name !== 'arc-message-signature'))
    return { error: 'neither a DKIM-Signature nor an ARC-Message-Signature field' };
  const tags = readTagList(field.slice(colon + 1));
  if (tags === undefined) return { error: 'the tag list is malformed' };
  const read = name === 'dkim-signature' ? dkimProblem(tags) : arcProblem(tags);
  if (read !== undefined) return { error: read, tags };
  return readTags(field, tags, name === 'dkim-signature', rules);
}

/** One field in wire form without its line end; undefined when the text is none, or more than one. */
function wireField(text: string): string | undefined {
  if (text.length > LONGEST_TAG_LIST) return undefined;
  const reader = new HeaderReader('itself', 2 * LONGEST_TAG_LIST);
  if (reader.push(Buffer.from(text.replace(/\r?\n$/, ''), 'latin1')) !== -1) return undefined;
  const { bytes, section } = reader.finish();
  if (section.fields.length !== 1 || section.fields[0]!.name === '') return undefined;
  return bytes.toString('latin1', 0, bytes.length - 2);
}

function dkimProblem(tags: ReadonlyMap<string, string>): string | undefined {
  const version = tags.get('v');
  if (version === undefined) return 'v= is missing';
  return version === '1' ? undefined : 'v= is not 1';
}

function arcProblem(tags: ReadonlyMap<string, string>): string | undefined {
  if (tags.has('v')) return 'an ARC-Message-Signature has no v=';
  const instance = tags.get('i');
  if (instance === undefined) return 'i= is missing';
  return /^[1-9][0-9]?$/.test(instance) && Number(instance) <= MOST_ARC_INSTANCES
    ? undefined
    : `i= is not an instance from 1 to ${MOST_ARC_INSTANCES}`;
}

function readTags(
  field: string,
  tags: ReadonlyMap<string, string>,
  isDkim: boolean,
  { now, allowsSha1 }: SignatureRules,
): Signature | Refusal {
  const refuse = (error: string): Refusal => ({ error, tags });
  for (const name of ['a', 'b', 'bh', 'd', 'h', 's'])
    if (!tags.has(name)) return refuse(`${name}= is missing`);

  const algorithm = tags.get('a')!.toLowerCase();
  if (!isAlgorithm(algorithm)) return refuse('a= is not a known algorithm');
  if (algorithm === 'rsa-sha1' && !allowsSha1)
    return refuse('a=rsa-sha1 is historic and proves nothing (RFC 8301)');
  const value = decodeBase64(tags.get('b')!);
  if (value === undefined) return refuse('b= is not base64');
  const bodyHash = decodeBase64(tags.get('bh')!);
  if (bodyHash === undefined) return refuse('bh= is not base64');
  const forms = readCanonicalizations(tags.get('c') ?? 'simple/simple');
  if (forms === undefined) return refuse('c= is not a known canonicalization');

  const domain = tags.get('d')!;
  if (!isTagDomain(domain)) return refuse('d= is not a domain');
  const selector = tags.get('s')!;
  if (!isTagDomain(selector)) return refuse('s= is not a selector');
  const identity = isDkim ? tags.get('i') : undefined;
  const identityDomain = identity?.slice(identity.lastIndexOf('@') + 1);
  if (identity?.includes('@') === false) return refuse('i= has no domain');
  if (identityDomain !== undefined && !isWithin(identityDomain, domain)) return refuse('i= is not within d=');

  const signedNames = tags.get('h')!.toLowerCase().split(':');
  if (!signedNames.every((name) => /^[\x21-\x39\x3b-\x7e]+$/.test(name))) return refuse('h= is malformed');
  if (!signedNames.includes('from')) return refuse('h= does not name the From field');
  if (!isDkim && signedNames.includes('arc-seal')) return refuse('h= names ARC-Seal (RFC 8617)');

  const methods = tags.get('q');
  if (methods !== undefined && !methods.split(':').some((method) => /^\s*dns\/txt\s*$/i.test(method)))
    return refuse('q= has no known query method');
  const length = tags.get('l');
  if (length !== undefined && !/^[0-9]{1,76}$/.test(length)) return refuse('l= is not a number');
  const time = readTime(tags.get('t'));
  if (Number.isNaN(time)) return refuse('t= is not a time');
  const expiration = readTime(tags.get('x'));
  if (Number.isNaN(expiration)) return refuse('x= is not a time');
  if (expiration !== undefined && time !== undefined && expiration <= time)
    return refuse('x= is not after t=');
  if (expiration !== undefined && expiration < now) return refuse('the signature has expired');

  return {
    tags,
    algorithm,
    ...forms,
    domain,
    selector,
    identityDomain,
    signedNames,
    bodyHash,
    bodyLength: length === undefined ? Number.POSITIVE_INFINITY : Number(length),
    value,
    field: Buffer.from(`${field}\r\n`, 'latin1'),
    unsignedField: Buffer.from(withoutSignatureValue(field), 'latin1'),
  };
}

function isAlgorithm(name: string): name is Algorithm {
  return Object.hasOwn(ALGORITHMS, name);
}

function readCanonicalizations(
  text: string,
): Pick<Signature, 'headerCanonicalization' | 'bodyCanonicalization'> | undefined {
  const match = /^(simple|relaxed)(?:\/(simple|relaxed))?$/i.exec(text);
  if (match === null) return undefined;
  return {
    headerCanonicalization: match[1]!.toLowerCase() as Canonicalization,
    bodyCanonicalization: (match[2]?.toLowerCase() ?? 'simple') as Canonicalization,
  };
}

/** NaN for what is no time; up to 12 digits must be read (RFC 6376 §3.5). */
function readTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
}
