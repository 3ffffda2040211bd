// DKIM with hostile input: signature fields, key records and messages of all kinds are read without a crash or a long
// wait, what was broken never passes, and what we sign passes after delivery, however broken the message is.

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { bytesToSource } from '#stdlib';
import { DotStuffer } from '../../src/delivery/client/dot-stuffing.js';
import { keyFromRecord } from '../../stdlib/mail/dkim/key-record.js';
import { readSignature, type Signature } from '../../stdlib/mail/dkim/signature.js';
import { readTagList, withoutSignatureValue } from '../../stdlib/mail/dkim/signature-tags.js';
import { type SignatureRequest, signMessage } from '../../stdlib/mail/dkim/signer.js';
import { signatureProblem } from '../../stdlib/mail/dkim/verifier.js';
import { ed25519Key, rsaKey } from '../support/example-world/keys.js';
import { SeededRandom } from './random.js';

export interface DkimFuzzCounts {
  rounds: number;
  /** Fields that could be read as signatures. */
  signatures: number;
  /** Records that gave a key. */
  keys: number;
  /** Messages signed and verified. */
  passed: number;
  /** Tampered messages that were refused. */
  refused: number;
}

const rsa = createPrivateKey(rsaKey);
const ed25519 = createPrivateKey(ed25519Key);
const rules = { now: 1_700_000_000, allowsSha1: true };
const signal = new AbortController().signal;
/** A round that takes longer hangs. */
const LONGEST_ROUND_MS = 2000;
const FIELDS_A_ROUND = 5;

function bytesOf(random: SeededRandom, most: number): string {
  let text = '';
  for (let count = random.below(most); count > 0; count--)
    text += random.pick([
      '\r\n',
      '\n',
      '\r',
      ' ',
      '\t',
      ':',
      ';',
      '=',
      '.',
      '\r\n ',
      '\x00',
      '\xff',
      '\xc3\xa5',
      'a',
      'From',
      'x: y',
      '\r\n.\r\n',
      'b=',
      '@',
      '%',
      '\r\n\r\n',
    ]);
  return text;
}

function tag(random: SeededRandom): string {
  const name = random.pick([
    'v',
    'a',
    'b',
    'bh',
    'c',
    'd',
    'h',
    'i',
    'l',
    'q',
    's',
    't',
    'x',
    'z',
    'B',
    'k',
    'p',
    'n',
    '',
    'a b',
  ]);
  const value = random.pick([
    '1',
    'rsa-sha256',
    'ed25519-sha256',
    'rsa-sha1',
    'aGVsbG8=',
    `${'A'.repeat(random.below(700))}=`,
    'relaxed/simple',
    'simple',
    'example.com',
    `${'a.'.repeat(random.below(200))}com`,
    'from:to:from',
    `${'from:'.repeat(random.below(2000))}from`,
    '@example.com',
    '99999999999999999999999999',
    '0',
    '-1',
    'dns/txt',
    '',
    bytesOf(random, 8),
  ]);
  const blank = () => random.pick(['', '', ' ', '\r\n\t', '\r\n']);
  return `${blank()}${name}${blank()}=${blank()}${value}${blank()}`;
}

function signatureField(random: SeededRandom): string {
  const required =
    'v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s; h=from:to; bh=aGVsbG8=; b=aGVsbG8='.split(
      '; ',
    );
  let tags = random.chance(0.7) ? required : [];
  tags = tags.map((one) => (random.chance(0.05) ? tag(random) : one));
  for (let more = random.below(3); more > 0; more--)
    tags.splice(random.below(tags.length + 1), 0, tag(random));
  const name = random.pick(['DKIM-Signature', 'dkim-signature ', 'ARC-Message-Signature', 'Subject', '']);
  let field = `${name}:${random.pick(['', ' '])}${tags.join(random.pick([';', '; ', ';\r\n\t']))}`;
  if (random.chance(0.2)) {
    const at = random.below(field.length);
    field = field.slice(0, at) + bytesOf(random, 4) + field.slice(at + random.below(3));
  }
  return field;
}

function keyRecord(random: SeededRandom): string {
  if (random.chance(0.5)) {
    const key = random.pick([rsa, rsa, ed25519]);
    const good = `v=DKIM1; k=${key.asymmetricKeyType}; p=${published(key)}`;
    return random.chance(0.5) ? good : `${good};${tag(random)}`;
  }
  const p = random.pick([
    published(rsa),
    published(ed25519),
    published(rsa).slice(0, random.below(300)),
    '',
    'MAA=',
    'AAAA'.repeat(8),
  ]);
  const parts = [
    random.pick(['v=DKIM1', 'v=DKIM2', tag(random)]),
    random.pick(['k=rsa', 'k=ed25519', 'k=x', tag(random)]),
    `p=${p}`,
  ];
  if (random.chance(0.4)) parts.push(tag(random));
  let record = parts.filter(() => random.chance(0.9)).join(random.pick([';', '; ', ' ; ']));
  if (random.chance(0.2)) record = record.slice(0, random.below(record.length)) + bytesOf(random, 6);
  return record;
}

function published(key: KeyObject): string {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return (key === ed25519 ? der.subarray(-32) : der).toString('base64');
}

function message(random: SeededRandom): Buffer {
  let text = random.pick(['From: a@example.com\r\n', '']);
  for (let lines = random.below(8); lines > 0; lines--)
    text += random.pick([
      `To: ${bytesOf(random, 6)}`,
      'Subject: x\r\n',
      ' folded\r\n',
      bytesOf(random, 6),
      'From : b\n',
    ]);
  text += random.pick(['\r\n', '\n', '\r\n\r\n', '']);
  for (let lines = random.below(8); lines > 0; lines--) text += bytesOf(random, 12);
  if (random.chance(0.02))
    text += random.pick(['\n', ' ', '\r', 'x \t', '\r\n']).repeat(random.below(200_000));
  return Buffer.from(text, 'latin1');
}

function request(random: SeededRandom): SignatureRequest {
  const algorithm = random.pick(['ed25519-sha256', 'ed25519-sha256', 'rsa-sha256', 'rsa-sha1'] as const);
  const form = () => random.pick(['simple', 'relaxed'] as const);
  return {
    selector: 's',
    domain: 'example.com',
    key: algorithm === 'ed25519-sha256' ? ed25519 : rsa,
    algorithm,
    headerCanonicalization: form(),
    bodyCanonicalization: form(),
    headers: random.pick([['from', 'to', 'subject'], [], ['x', 'to']]),
    oversignHeaders: random.pick([['from'], [], ['from', 'subject', 'none']]),
    timestamp: random.pick([undefined, 1_600_000_000]),
    expiration: random.pick([undefined, 1_800_000_000]),
    identity: random.pick([undefined, '@example.com']),
    bodyLength: random.pick([undefined, undefined, Number.POSITIVE_INFINITY, random.below(50)]),
    arc: undefined,
    discardChanges: false,
  };
}

/** As a receiver has it: line ends made right, dots taken off again. */
function delivered(bytes: Buffer): Buffer {
  const stuffer = new DotStuffer();
  const wire = Buffer.concat([stuffer.push(bytes), stuffer.end()]).toString('latin1');
  return Buffer.from(wire.slice(0, -3).replace(/(^|\r\n)\./g, '$1'), 'latin1');
}

function readHostile(random: SeededRandom, counts: DkimFuzzCounts): Signature | undefined {
  const field = signatureField(random);
  withoutSignatureValue(field);
  const signature = readSignature(field, rules);
  const record = keyRecord(random);
  readTagList(record);
  if ('error' in signature) return undefined;
  counts.signatures++;
  if (!('error' in keyFromRecord(record, signature))) counts.keys++;
  return signature;
}

async function signAndVerify(random: SeededRandom, counts: DkimFuzzCounts): Promise<void> {
  const original = message(random);
  const wanted = request(random);
  const source = bytesToSource(original);
  const pieces = [{ kind: 'range', start: 0, end: original.length }] as const;
  const [made] = (await signMessage(source, pieces, [wanted], signal))!;
  const key = createPublicKey(wanted.key);
  const signature = readSignature(made!.text, rules);
  if ('error' in signature) throw new Error(`our own signature cannot be read: ${signature.error}`);
  const signed = delivered(Buffer.concat([Buffer.from(`${made!.text}\r\n`, 'latin1'), original]));
  const problem = await signatureProblem(bytesToSource(signed), signature, key, signal);
  if (problem !== undefined) throw new Error(`${problem}: ${JSON.stringify(original.toString('latin1'))}`);
  counts.passed++;
  const tampered = Buffer.concat([Buffer.from('From: c@example.net\r\n'), signed]);
  const isOversigned = wanted.oversignHeaders.includes('from');
  const verdict = await signatureProblem(bytesToSource(tampered), signature, key, signal);
  if (isOversigned && verdict === undefined) throw new Error('a second From was not noticed');
  if (verdict !== undefined) counts.refused++;
}

async function verifyHostile(random: SeededRandom, signature: Signature): Promise<void> {
  const key = createPublicKey(signature.algorithm === 'ed25519-sha256' ? ed25519 : rsa);
  const problem = await signatureProblem(bytesToSource(message(random)), signature, key, signal);
  if (problem === undefined) throw new Error('a signature made of nothing passed');
}

/** Runs for `seconds`, or `count` rounds. @throws with seed and round of the first that goes wrong */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<DkimFuzzCounts> {
  const random = new SeededRandom(seed);
  const counts: DkimFuzzCounts = { rounds: 0, signatures: 0, keys: 0, passed: 0, refused: 0 };
  const deadline = performance.now() + seconds * 1000;
  while (counts.rounds < count && performance.now() < deadline) {
    const began = performance.now();
    try {
      for (let fields = 0; fields < FIELDS_A_ROUND; fields++) {
        const signature = readHostile(random, counts);
        if (signature !== undefined) await verifyHostile(random, signature);
      }
      await signAndVerify(random, counts);
      const took = performance.now() - began;
      if (took > LONGEST_ROUND_MS) throw new Error(`it took ${Math.round(took)} ms`);
    } catch (error) {
      throw new Error(`seed ${seed}, round ${counts.rounds}`, { cause: error });
    }
    counts.rounds++;
  }
  return counts;
}
