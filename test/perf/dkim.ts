// DKIM signatures a second of a 4 KiB message, next to bare node:crypto signing of as many bytes in the same run, with the
// same number of messages in flight and the same thread pool, and next to mailauth's dkimSign. The aims: RSA-2048 at least
// 80 % of bare signing; RSA and Ed25519 together at most 1.15 times RSA alone.

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { dkimSign } from 'mailauth/lib/dkim/sign.js';
import { bytesToSource } from '#stdlib';
import { type SignatureRequest, signMessage } from '../../stdlib/mail/dkim/signer.js';
import { median, table } from './measure.js';

const IN_FLIGHT = 16;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ed25519 = generateKeyPairSync('ed25519').privateKey;
const { signal } = new AbortController();

/** 4 KiB: ten header fields and lines of text. */
const message = Buffer.from(
  `Received: from client.example.net ([192.0.2.1]) by mx.example.com with ESMTPS; Fri, 2 Jan 2026 03:04:05 +0000\r\n${[
    'From: Newsletter <news@example.com>',
    'To: Somebody Else <somebody@example.org>',
    'Subject: What happened in the first week of the year',
    'Date: Fri, 2 Jan 2026 03:04:05 +0000',
    'Message-ID: <0123456789abcdef@example.com>',
    'List-Unsubscribe: <https://example.com/u/0123456789>',
    'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
  ].join('\r\n')}\r\n\r\n${'A line of text as people write it, with sixty bytes or so\r\n'.repeat(100)}`,
).subarray(0, 4096);
/** About what is signed of it: the fields and the signature without its value. */
const signedBytes = message.subarray(0, 900);

function request(key: KeyObject, algorithm: SignatureRequest['algorithm']): SignatureRequest {
  return {
    selector: '2026',
    domain: 'example.com',
    key,
    algorithm,
    headerCanonicalization: 'relaxed',
    bodyCanonicalization: 'relaxed',
    headers: [
      'from',
      'to',
      'subject',
      'date',
      'list-unsubscribe',
      'cc',
      'reply-to',
      'in-reply-to',
      'references',
    ],
    oversignHeaders: ['from'],
    timestamp: 1_767_323_045,
    expiration: undefined,
    identity: undefined,
    bodyLength: undefined,
    arc: undefined,
    discardChanges: false,
  };
}

const single = [request(rsa, 'rsa-sha256')];
const dual = [...single, request(ed25519, 'ed25519-sha256')];
const pem = String(rsa.export({ type: 'pkcs8', format: 'pem' }));

function bare(): Promise<unknown> {
  return new Promise((resolve) => sign('sha256', signedBytes, rsa, (_, signature) => resolve(signature)));
}

function ours(requests: readonly SignatureRequest[]): Promise<unknown> {
  const source = bytesToSource(message);
  return signMessage(source, [{ kind: 'range', start: 0, end: message.length }], requests, signal);
}

async function mailauth(): Promise<unknown> {
  const signed = await dkimSign(message, {
    signingDomain: 'example.com',
    selector: '2026',
    privateKey: pem,
    canonicalization: 'relaxed/relaxed',
    signatureData: [
      { signingDomain: 'example.com', selector: '2026', privateKey: pem, algorithm: 'rsa-sha256' },
    ],
  });
  if (signed.errors.length > 0) throw new Error('mailauth did not sign');
  return signed;
}

interface Speed {
  readonly perSecond: number;
  /** Of all threads. */
  readonly cpuMicroseconds: number;
}

/** How fast it goes with so many in flight. */
async function measure(work: () => Promise<unknown>, seconds: number): Promise<Speed> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  const deadline = began + seconds * 1000;
  let done = 0;
  const one = async (): Promise<void> => {
    while (performance.now() < deadline) {
      await work();
      done++;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
  const { user, system } = process.cpuUsage(cpu);
  return {
    perSecond: done / ((performance.now() - began) / 1000),
    cpuMicroseconds: (user + system) / done,
  };
}

const contestants = {
  bare: { title: 'bare RSA-2048 (node:crypto)', work: bare },
  single: { title: 'DKIM RSA-2048', work: () => ours(single) },
  dual: { title: 'DKIM RSA-2048 + Ed25519', work: () => ours(dual) },
  mailauth: { title: "mailauth's dkimSign, RSA-2048", work: mailauth },
} as const;

type Contestant = keyof typeof contestants;
const names = Object.keys(contestants) as Contestant[];

/** `npm run bench -- dkim [--rounds N] [--seconds S]` */
export async function run(args: readonly string[]): Promise<void> {
  const option = (name: string, initial: number) => {
    const at = args.indexOf(name);
    return at === -1 ? initial : Number(args[at + 1]);
  };
  const rounds: Record<Contestant, Speed>[] = [];
  for (let round = -1; round < option('--rounds', 21); round++) {
    const speeds = {} as Record<Contestant, Speed>;
    // Short turns in alternating order, so that what else the machine does falls on all alike.
    for (const name of round % 2 === 0 ? names : names.toReversed())
      speeds[name] = await measure(contestants[name].work, option('--seconds', 0.3));
    // The first one is for warming up.
    if (round >= 0) rounds.push(speeds);
  }
  // Ratios are taken within a round: on a shared machine the speed moves more between rounds than what is compared.
  const middle = (of: (speeds: Record<Contestant, Speed>) => number) => median(rounds.map(of));
  const rows = names.map((name) => [
    contestants[name].title,
    Math.round(middle((speeds) => speeds[name].perSecond)).toLocaleString('en'),
    Math.round(middle((speeds) => speeds[name].cpuMicroseconds)).toLocaleString('en'),
  ]);
  const share = middle(({ single, bare }) => single.perSecond / bare.perSecond);
  const cost = middle(({ single, dual }) => single.perSecond / dual.perSecond);
  const cpuShare = middle(({ single, bare }) => bare.cpuMicroseconds / single.cpuMicroseconds);
  const cpuCost = middle(({ single, dual }) => dual.cpuMicroseconds / single.cpuMicroseconds);
  process.stdout.write(
    `${table([`4 KiB message, ${IN_FLIGHT} in flight`, 'a second', 'CPU µs each'], rows)}\n\n` +
      `DKIM RSA against bare RSA: ${(100 * share).toFixed(1)} %, by CPU ${(100 * cpuShare).toFixed(1)} % (aim: at least 80)\n` +
      `Dual against RSA alone: ${cost.toFixed(3)} times, by CPU ${cpuCost.toFixed(3)} (aim: at most 1.15)\n`,
  );
}
