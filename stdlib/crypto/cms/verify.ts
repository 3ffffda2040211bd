// Checks signed messages (RFC 5652 §5.4 to §5.6): the digest of the content, the signatures over it, and whether the
// signers are trusted.

import { hash, type X509Certificate } from 'node:crypto';
import { parseCertificate } from '../../certificates/certificate.js';
import { verifyChain } from '../../certificates/chain.js';
import {
  context,
  type DerElement,
  MalformedDer,
  readOctets,
  readOid,
  readWhole,
  tags,
  unlessMalformed,
} from '../../certificates/der-reader.js';
import { type HashName, hashOf, type KnownScheme, signatureSchemeOf } from '../signature-algorithms.js';
import { verifyBytes } from '../signing.js';
import { type CertificateId, isNamedBy, readCertificateId } from './certificate-ids.js';
import { contentTypes, readContentInfo } from './content-info.js';
import { attributeOids } from './sign.js';

/** What a signature is held against. */
export interface VerifyOptions {
  /** The content when it is not inside; undefined when it is. */
  readonly content: Buffer | undefined;
  /** Known certificates: signers, and what stands between them and the trusted ones. */
  readonly certificates: readonly X509Certificate[];
  /** Trusted authorities; undefined: `certificates` themselves are the signers that are trusted. */
  readonly anchors: readonly X509Certificate[] | undefined;
  /** Unix time. */
  readonly now: number;
}

/** Whether all signatures hold, with the certificates that made them. */
export type VerifyResult =
  | { readonly kind: 'good'; readonly content: Buffer; readonly signers: readonly X509Certificate[] }
  | { readonly kind: 'bad'; readonly problem: string; readonly signers: readonly X509Certificate[] };

const MOST_SIGNERS = 20;
const MOST_CERTIFICATES = 200;

interface SignerInfo {
  readonly id: CertificateId;
  readonly digest: HashName | undefined;
  readonly scheme: KnownScheme | undefined;
  /** The signed attributes as they were signed, and what they say. */
  readonly attributes:
    | { readonly signed: Buffer; readonly contentType: string; readonly messageDigest: Buffer }
    | undefined;
  readonly signature: Buffer;
}

interface SignedData {
  readonly contentType: string;
  readonly content: Buffer | undefined;
  readonly certificates: readonly X509Certificate[];
  readonly signers: readonly SignerInfo[];
}

/** @throws MalformedDer */
function readSignedData(bytes: Buffer): SignedData {
  const { type, content } = readContentInfo(bytes);
  if (type !== contentTypes.signedData) throw new MalformedDer('no signed data');
  const fields = content.expect(tags.sequence).fields();
  fields.next(tags.integer);
  fields.next(tags.set);
  const encapsulated = fields.next(tags.sequence).fields();
  const contentType = readOid(encapsulated.next());
  const inside = encapsulated.optional(context(0))?.inner();
  if (inside !== undefined && (inside.tag & 0x1f) !== tags.octetString)
    throw new MalformedDer('content of another type');
  const certificates = fields.optional(context(0));
  fields.optional(context(1));
  const signers = take(fields.next(tags.set), MOST_SIGNERS);
  fields.end();
  return {
    contentType,
    content: inside === undefined ? undefined : readOctets(inside),
    certificates: certificates === undefined ? [] : readCertificates(certificates),
    signers: signers.map(readSignerInfo),
  };
}

/** The elements of a set. @throws MalformedDer when there are more than anybody needs */
function take(set: DerElement, most: number): DerElement[] {
  const found: DerElement[] = [];
  for (const child of set.children()) {
    if (found.length >= most) throw new MalformedDer('too many elements');
    found.push(child);
  }
  return found;
}

/** Certificates that cannot be read, and old kinds of them, are as if they were not there. */
function readCertificates(set: DerElement): X509Certificate[] {
  return take(set, MOST_CERTIFICATES).flatMap(({ raw, tag }) =>
    tag === tags.sequence ? (parseCertificate(raw) ?? []) : [],
  );
}

function readSignerInfo(element: DerElement): SignerInfo {
  const fields = element.expect(tags.sequence).fields();
  fields.next(tags.integer);
  const id = readCertificateId(fields.next());
  const digest = hashOf(fields.next());
  const attributes = fields.optional(context(0));
  const scheme = signatureSchemeOf(fields.next(), digest);
  const signature = readOctets(fields.next(tags.octetString));
  fields.optional(context(1));
  fields.end();
  return {
    id,
    digest,
    scheme,
    attributes: attributes === undefined ? undefined : readAttributes(attributes),
    signature,
  };
}

function readAttributes(set: DerElement): NonNullable<SignerInfo['attributes']> {
  const values = new Map<string, DerElement>();
  for (const attribute of take(set, 100)) {
    const fields = attribute.expect(tags.sequence).fields();
    const oid = readOid(fields.next());
    const value = fields.next(tags.set);
    if (oid !== attributeOids.contentType && oid !== attributeOids.messageDigest) continue;
    // §11: exactly one of each, with exactly one value; else two readers could see two things.
    if (values.has(oid)) throw new MalformedDer('an attribute twice');
    values.set(oid, value.inner());
  }
  const contentType = values.get(attributeOids.contentType);
  const messageDigest = values.get(attributeOids.messageDigest);
  if (contentType === undefined || messageDigest === undefined)
    throw new MalformedDer('an attribute is missing');
  const signed = Buffer.from(set.raw);
  signed[0] = tags.set;
  return { signed, contentType: readOid(contentType), messageDigest: readOctets(messageDigest) };
}

/** Checks a signed message. Every signature in it must hold. */
export async function verifySignedData(bytes: Buffer, options: VerifyOptions): Promise<VerifyResult> {
  const bad = (problem: string, signers: readonly X509Certificate[] = []): VerifyResult => ({
    kind: 'bad',
    problem,
    signers,
  });
  const message = unlessMalformed(() => readSignedData(bytes));
  if (message === undefined) return bad('no signed message that can be read');
  const content = options.content ?? message.content;
  if (content === undefined) return bad('no content');
  if (message.signers.length === 0) return bad('no signers');
  const known = [...options.certificates, ...message.certificates];
  const signers: X509Certificate[] = [];
  for (const info of message.signers) {
    const certificate = known.find((one) => isNamedBy(one, info.id));
    if (certificate === undefined) return bad('signer certificate not found', signers);
    signers.push(certificate);
    const problem =
      (await trustProblem(certificate, known, options)) ??
      (await signatureProblem(info, certificate, content, message.contentType));
    if (problem !== undefined) return bad(problem, signers);
  }
  return { kind: 'good', content, signers };
}

async function trustProblem(
  certificate: X509Certificate,
  intermediates: readonly X509Certificate[],
  { certificates, anchors, now }: VerifyOptions,
): Promise<string | undefined> {
  if (anchors === undefined) {
    const isTrusted = certificates.some(({ raw }) => raw.equals(certificate.raw));
    return isTrusted ? undefined : 'the signer is not among the given certificates';
  }
  const purpose = 'emailProtection';
  const result = await verifyChain(certificate, {
    anchors,
    intermediates,
    revocationLists: [],
    now,
    purpose,
  });
  return result.kind === 'trusted' ? undefined : result.problem;
}

async function signatureProblem(
  { digest, scheme, attributes, signature }: SignerInfo,
  certificate: X509Certificate,
  content: Buffer,
  contentType: string,
): Promise<string | undefined> {
  if (digest === undefined || scheme === undefined) return 'unknown or broken algorithm';
  const key = publicKeyOf(certificate);
  if (key === undefined || !scheme.keyTypes.includes(key.asymmetricKeyType ?? ''))
    return 'the key does not fit the signature';
  if (attributes === undefined) {
    // §5.3: without attributes the content must be plain data, or one could pass attributes off as content.
    if (contentType !== contentTypes.data || isAttributes(content)) return 'signed attributes are missing';
    const isGood = await verifyBytes(content, signature, key, scheme);
    return isGood === true ? undefined : 'signature verification failure';
  }
  if (attributes.contentType !== contentType) return 'content type mismatch';
  if (!hash(digest, content, 'buffer').equals(attributes.messageDigest)) return 'digest mismatch';
  const isGood = await verifyBytes(attributes.signed, signature, key, scheme);
  return isGood === true ? undefined : 'signature verification failure';
}

/** Whether the content is what another message's signature was made over, taken for a text. */
function isAttributes(content: Buffer): boolean {
  if (content[0] !== tags.set) return false;
  return unlessMalformed(() => readAttributes(readWhole(content))) !== undefined;
}

function publicKeyOf(certificate: X509Certificate): X509Certificate['publicKey'] | undefined {
  try {
    return certificate.publicKey;
  } catch {
    // A kind of key that OpenSSL does not know.
    return undefined;
  }
}
