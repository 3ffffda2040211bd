// Certificates, revocation lists and CMS messages with bytes changed, cut out and doubled: whatever comes of it, readers
// say yes or no, chains end, and nothing takes long.

import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { certificatesInDer, fieldsOf, parseCertificate } from '../../stdlib/certificates/certificate.js';
import { verifyChain } from '../../stdlib/certificates/chain.js';
import { type readElement, readWhole, unlessMalformed } from '../../stdlib/certificates/der-reader.js';
import {
  basicConstraintsOf,
  extendedKeyUsageOf,
  extensionOids,
  extensionValue,
  keyUsageOf,
} from '../../stdlib/certificates/extensions.js';
import { readAlternativeNames, readName } from '../../stdlib/certificates/names.js';
import { parseRevocationList } from '../../stdlib/certificates/revocation-list.js';
import { contentTypeName } from '../../stdlib/crypto/cms/content-info.js';
import { decryptContent } from '../../stdlib/crypto/cms/decrypt.js';
import { encryptForRecipients } from '../../stdlib/crypto/cms/encrypt.js';
import { signContent } from '../../stdlib/crypto/cms/sign.js';
import { verifySignedData } from '../../stdlib/crypto/cms/verify.js';
import { certificate, ecKey, revocationList, rsaKey } from '../support/example-world/keys.js';
import { SeededRandom } from './random.js';

/** What a run has seen. */
export interface CertificateFuzzCounts {
  inputs: number;
  /** Changed inputs that could still be read. */
  readable: number;
  slowestMilliseconds: number;
}

/** Longer than anything of this size may take, on a busy machine as well. */
const TOO_LONG_MILLISECONDS = 3000;
const NOW = 1_770_000_000;

const own = new X509Certificate(certificate);
const rsa = createPrivateKey(rsaKey);
const fromPem = (pem: string): Buffer => Buffer.from(pem.replace(/-----.*-----|\s/g, ''), 'base64');

/** A certificate for the EC key of the examples, by openssl, with extensions of many kinds. */
function ecCertificate(): X509Certificate {
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-fuzz-'));
  try {
    const key = path.join(folder, 'key');
    writeFileSync(key, ecKey);
    const extensions = [
      'subjectAltName=DNS:a.test,email:b@a.test,IP:192.0.2.1,URI:https://a.test/,dirName:dir',
      'keyUsage=critical,digitalSignature,keyAgreement',
      'extendedKeyUsage=emailProtection',
    ];
    const settings = path.join(folder, 'cnf');
    writeFileSync(
      settings,
      `[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n[dir]\nCN=d\n[ext]\n${extensions.join('\n')}\n`,
    );
    const out = path.join(folder, 'crt');
    const args = ['req', '-x509', '-new', '-key', key, '-config', settings, '-subj', '/O=Fuzz/CN=ec'];
    execFileSync('openssl', [...args, '-days', '36500', '-out', out], { stdio: 'pipe' });
    return new X509Certificate(readFileSync(out));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Seeds {
  readonly ec: X509Certificate;
  readonly inputs: readonly Buffer[];
}

async function makeSeeds(): Promise<Seeds> {
  const ec = ecCertificate();
  const text = Buffer.from('Content-Type: text/plain\r\n\r\ntext\r\n');
  const signer = { key: rsa, certificate: own, chain: [ec] };
  const ecSigner = { key: createPrivateKey(ecKey), certificate: ec, chain: [] };
  const options = { digest: 'sha256', signingTime: NOW } as const;
  const cms = [
    await signContent(text, signer, { ...options, detached: false }),
    await signContent(text, ecSigner, { ...options, detached: true }),
    encryptForRecipients(text, [own, ec], { cipher: 'aes-256-cbc', oaep: false }),
    encryptForRecipients(text, [own], { cipher: 'aes-128-gcm', oaep: true }),
  ];
  return {
    ec,
    inputs: [own.raw, ec.raw, fromPem(revocationList), ...cms.map((bytes) => bytes!)],
  };
}

// --- Mutations -------------------------------------------------------------------------------------------------------

/** Where elements begin and end, for changes that keep the structure. */
function elementsOf(bytes: Buffer): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  const visit = (at: ReturnType<typeof readElement>, depth: number): void => {
    found.push({ start: at.start, end: at.end });
    if (depth < 12 && at.isConstructed && found.length < 500)
      for (const child of at.children()) visit(child, depth + 1);
  };
  unlessMalformed(() => visit(readWhole(bytes), 0));
  return found;
}

const interesting = [0x00, 0x01, 0x02, 0x1f, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x84, 0xa0, 0xff];

function mutate(bytes: Buffer, random: SeededRandom): Buffer {
  const elements = elementsOf(bytes);
  const one = random.pick(elements.length === 0 ? [{ start: 0, end: bytes.length }] : elements);
  switch (random.below(7)) {
    case 0: {
      const changed = Buffer.from(bytes);
      for (let times = 1 + random.below(4); times > 0; times--)
        changed[random.below(changed.length)] = random.pick(interesting);
      return changed;
    }
    case 1: {
      const changed = Buffer.from(bytes);
      if (changed.length > 0) changed[random.below(changed.length)]! ^= 1 << random.below(8);
      return changed;
    }
    case 2:
      return bytes.subarray(0, random.below(bytes.length + 1));
    case 3:
      return Buffer.concat([bytes.subarray(0, one.start), bytes.subarray(one.end)]);
    case 4: {
      const copies = Array.from({ length: 1 + random.below(50) }, () => bytes.subarray(one.start, one.end));
      return Buffer.concat([bytes.subarray(0, one.start), ...copies, bytes.subarray(one.start)]);
    }
    case 5: {
      const other = random.pick(elements.length === 0 ? [one] : elements);
      return Buffer.concat([
        bytes.subarray(0, one.start),
        bytes.subarray(other.start, other.end),
        bytes.subarray(one.end),
      ]);
    }
    default: {
      // Unknown lengths: the content stays, its end is marked.
      const changed = Buffer.concat([bytes.subarray(0, one.end), Buffer.alloc(2), bytes.subarray(one.end)]);
      if (one.start + 1 < changed.length) changed[one.start + 1] = 0x80;
      return changed;
    }
  }
}

/** Lengths made right again from the inside out would need a parser; OpenSSL's own reading of the outermost is enough. */
function withOuterLength(bytes: Buffer): Buffer {
  if (bytes.length < 300 || bytes.length > 65_000 || bytes[1] !== 0x82) return bytes;
  const fixed = Buffer.from(bytes);
  fixed.writeUInt16BE(bytes.length - 4, 2);
  return fixed;
}

// --- What is asked of an input ---------------------------------------------------------------------------------------

async function checkCertificate(bytes: Buffer, ec: X509Certificate): Promise<boolean> {
  const parsed = parseCertificate(bytes);
  certificatesInDer(Buffer.concat([own.raw, bytes]));
  if (parsed === undefined) return false;
  const fields = fieldsOf(parsed);
  readName(fields.subject);
  readName(fields.issuer);
  unlessMalformed(() => basicConstraintsOf(fields.extensions));
  unlessMalformed(() => keyUsageOf(fields.extensions));
  unlessMalformed(() => extendedKeyUsageOf(fields.extensions));
  unlessMalformed(() => {
    const names = extensionValue(fields.extensions, extensionOids.subjectAltName);
    return names === undefined ? [] : readAlternativeNames(names);
  });
  const options = { revocationLists: [], now: NOW, intermediates: [parsed, ec, own] };
  for (const anchors of [[own], [ec], [parsed]])
    await verifyChain(parsed, { ...options, anchors, purpose: 'emailProtection' });
  const forged = await verifyChain(parsed, { ...options, anchors: [own, ec] });
  // Only the certificates themselves may be trusted; a bit that no signature covers would be a finding.
  if (forged.kind === 'trusted' && !parsed.raw.equals(own.raw) && !parsed.raw.equals(ec.raw))
    throw new Error('a changed certificate is trusted');
  return true;
}

async function checkList(bytes: Buffer): Promise<boolean> {
  const list = parseRevocationList(bytes);
  if (list === undefined) return false;
  readName(list.issuer);
  for (const { serialNumber } of list.revoked()) if (serialNumber === '') throw new Error('no number');
  if ((await list.isSignedBy(own.publicKey)) && !bytes.equals(fromPem(revocationList)))
    throw new Error('a changed list is signed');
  return true;
}

async function checkCms(bytes: Buffer, original: Buffer): Promise<boolean> {
  const text = Buffer.from('text');
  for (const content of [undefined, text])
    await verifySignedData(bytes, { content, certificates: [own], anchors: [own], now: NOW });
  decryptContent(bytes, { key: rsa, certificate: own });
  decryptContent(bytes, { key: createPrivateKey(ecKey), certificate: undefined });
  return contentTypeName(bytes) !== undefined && !bytes.equals(original);
}

/** Runs for `seconds`, or `count` inputs. @throws with seed, number and bytes of the first that goes wrong */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<CertificateFuzzCounts> {
  const random = new SeededRandom(seed);
  const counts: CertificateFuzzCounts = { inputs: 0, readable: 0, slowestMilliseconds: 0 };
  const deadline = performance.now() + seconds * 1000;
  const { ec, inputs } = await makeSeeds();
  while (counts.inputs < count && performance.now() < deadline) {
    const original = random.pick(inputs);
    let bytes = mutate(original, random);
    while (random.chance(0.3)) bytes = mutate(bytes, random);
    if (random.chance(0.5)) bytes = withOuterLength(bytes);
    const began = performance.now();
    try {
      const results = [
        await checkCertificate(bytes, ec),
        await checkList(bytes),
        await checkCms(bytes, original),
      ];
      if (results.includes(true)) counts.readable++;
    } catch (error) {
      const shown = bytes.toString('hex');
      throw new Error(`seed ${seed}, input ${counts.inputs}: ${shown}`, { cause: error });
    }
    const took = performance.now() - began;
    counts.slowestMilliseconds = Math.max(counts.slowestMilliseconds, Math.round(took));
    if (took > TOO_LONG_MILLISECONDS)
      throw new Error(`seed ${seed}, input ${counts.inputs} took ${took} ms: ${bytes.toString('hex')}`);
    counts.inputs++;
  }
  return counts;
}
